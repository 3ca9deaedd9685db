"""Sessions as a client holds them, and requests that show them."""

import contextlib
import json

from . import contract, fastcgi, process
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


@contextlib.contextmanager
def signing_out(cluster, pool, session):
    """A worker that ends all of somebody's sessions waits for a row; gives who holds
    that, and the connection to the worker."""
    body = b'{"scope": "all"}'
    with contextlib.closing(cluster.connect()) as rival, \
            fastcgi.Connection(pool.address) as connection:
        rival.autocommit = False
        rival.cursor().execute("SELECT FROM postern.sessions WHERE sid = %s"
                               " FOR UPDATE", [session.sid])
        connection.begin()
        connection.params(fastcgi.request_params(
            "POST", "/v2/auth/sign-out", body,
            {"Content-Type": "application/json", **session.bearer}))
        connection.stdin(body)
        process.wait_until("it to wait", lambda: cluster.ask(
            "SELECT 1 FROM pg_locks WHERE NOT granted"))
        yield rival, connection
