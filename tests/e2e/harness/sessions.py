"""Sessions as a client holds them, and requests that show them."""

import json

from . import contract, fastcgi
from .token import claims

ACCESS, REFRESH = "postern-access", "postern-refresh"


class Session:
    """What a sign-in gave."""

    def __init__(self, body):
        self.access = body["accessToken"]
        self.refresh = body["refreshToken"]
        self.claims = claims(self.access)
        self.sid = self.claims["sid"]
        self.sub = self.claims["sub"]

    @property
    def bearer(self):
        return {"Authorization": f"Bearer {self.access}"}

    @property
    def cookie(self):
        """Both cookies, as the browser sends them over plain HTTP."""
        return {"Cookie": f"{ACCESS}={self.access}; {REFRESH}={self.refresh}"}

    def query(self, uri):
        return f"{uri}?sessionId={self.access}"


# What a browser of today adds when one of our own pages asks.
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def ask(pool, method, uri, body=None, headers=(), **options):
    """A request with a JSON body, or none."""
    headers = dict(headers)
    content = b""
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
        content = body if isinstance(body, bytes) else json.dumps(body)
    return fastcgi.ask(pool.address, method, uri, content, headers, **options)


def cleared(answer):
    """The names of the cookies that an answer takes away."""
    return {name for name, (value, attributes)
            in contract.cookies(answer).items()
            if value == "" and attributes["max-age"] == "0"}
