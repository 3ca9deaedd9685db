"""Under every web server, and however it is mounted there, the same request has the
same answer."""

import json
import re
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from conftest import SIGN_IN, add_person, furnish
from harness import contract, process
from harness.mounts import PROXY, WAYS, Mount, Place
from harness.postern import Ctl, Pool
from harness.sessions import Session, ask

HEALTH = "/v2/auth/health"
ME = "/v2/users/me"
JWKS = "/.well-known/jwks.json"
APP = "https://app.test"

# ---- what is sent ------------------------------------------------------------
# "%(name)s" is filled in by Visitor.

JSON = {"Content-Type": "application/json"}
KEY = {"X-Api-Key": "%(key)s"}
SECRET_KEY = {"X-Api-Key": "%(secret_key)s"}
BEARER = {"Authorization": "Bearer %(access)s"}
COOKIES = {"Cookie": "postern-access=%(access)s; postern-refresh=%(refresh)s"}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
PREFLIGHT = {"Access-Control-Request-Method": "POST"}
CHUNKED = {"Transfer-Encoding": "chunked"}
TOMORROW = "Fri, 01 Jan 2100 00:00:00 GMT"
LONG_AGO = "Mon, 01 Jan 1990 00:00:00 GMT"

RIGHT = '{"email": "%(email)s", "password": "%(password)s"}'
WRONG = '{"email": "%(email)s", "password": "not the password"}'
REFRESH = '{"refreshToken": "%(refresh)s"}'


def from_page(origin):
    return {"Origin": origin}


def chunked(body, size):
    """A body in chunks of some size (RFC 9112 7.1)."""
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts) \
        + "0\r\n\r\n"


# ---- what comes back ---------------------------------------------------------
# As normal() writes it.

TOKENS = ('{"message":"<text>","accessToken":"<token>","refreshToken":"<token>",'
          '"expiresIn":<~900>,"expiresAt":<time>}')
SET_SESSION = [
    "postern-access=<token>; Path=/; Max-Age=<~900>; HttpOnly; SameSite=Lax",
    "postern-refresh=<token>; Path=/v2/auth; Max-Age=<~14 days>; HttpOnly; "
    "SameSite=Lax"]
SET_DEVICE = ["postern-device=<token>; Path=/; Max-Age=31536000; HttpOnly; "
              "SameSite=Lax"]
CLEAR_SESSION = [
    "postern-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
    "postern-refresh=; Path=/v2/auth; Max-Age=0; HttpOnly; SameSite=Lax"]

SIGNED_IN = {"Set-Cookie": SET_SESSION + SET_DEVICE}
REFRESHED = {"Set-Cookie": SET_SESSION}
SIGNED_OUT = {"Set-Cookie": CLEAR_SESSION}
READABLE = {"Access-Control-Allow-Origin": [APP],
            "Access-Control-Allow-Credentials": ["true"],
            "Access-Control-Expose-Headers": ["X-Request-Id, Retry-After"]}
GET_ONLY = {"Allow": ["GET, HEAD"]}
PUBLIC = {"ETag": ["%(etag)s"], "Cache-Control": ["public, max-age=300"]}
CHECKED = {"X-Postern-User-Id": ["<id>"], "X-Postern-Email": ["%(email)s"],
           "X-Postern-Session-Id": ["<id>"]}

OK = '{"status":"ok"}'
NO_ADDRESS = "ENDPOINT_NOT_FOUND"
BAD_PATH = "PATH_VALIDATION_FAILED"
NO_METHOD = "METHOD_NOT_ALLOWED"
NO_BODY = ""
ANY = None

LIGHTTPD, APACHE, NGINX = "lighttpd", "apache", "nginx"
EVERYWHERE = (LIGHTTPD, APACHE, NGINX)


def by(servers, status, why):
    """They answer by themselves; why is for the reader."""
    assert why
    return {server: status for server in servers}


def but_by(servers, status, says, why):
    """They ask us otherwise, and so have another answer."""
    assert why
    return {server: (status, says) for server in servers}


class Row(SimpleNamespace):
    """One request and its answer; `own` are the servers and ways that do not ask
    us, with their status, `but` those that have another answer of ours."""

    def __init__(self, request, send, body, status, says, more=(), own=(), but=()):
        self.method, _, self.target = request.partition(" ")
        self.send, self.body = send, body
        self.status, self.says = status, says
        self.more, self.own, self.but = dict(more), dict(own), dict(but)

    def own_status(self, mount):
        return self.own.get(mount.way, self.own.get(mount.kind))

    def answer(self, mount):
        return self.but.get(mount.kind, (self.status, self.says))


TOO_LARGE = {**by([NGINX, "apache-cgi"], 413, "64 KiB in our configuration"),
             **by(["apache-fcgid"], 500, "128 KiB (FcgidMaxRequestLen)")}

TABLE = {
    # ---- addresses
    "an address":       Row(f"GET {HEALTH}", {}, None, 200, OK),
    "with a query":     Row(f"GET {HEALTH}?x=1&y=%%20", {}, None, 200, OK),
    "with its server":  Row(f"GET http://127.0.0.1{HEALTH}", {}, None, 200, OK),
    "an end too much":  Row(f"GET {HEALTH}/", {}, None, 404, NO_ADDRESS),
    "only the base":    Row("GET /v2/", {}, None, 404, NO_ADDRESS),
    "no address":       Row("GET /v2/auth/nowhere", {}, None, 404, NO_ADDRESS),
    "a parameter":      Row(f"GET {HEALTH};x=1", {}, None, 404, NO_ADDRESS),
    "at the root":      Row(f"GET {JWKS}", {}, None, 200, ANY, PUBLIC),
    "longer than the root's": Row(
        f"GET {JWKS}x", {}, None, 404, NO_ADDRESS, own={
            **by([APACHE, NGINX, "lighttpd-bin-path", "lighttpd-cgi"], 404,
                 "the pattern ends with the address; a prefix cannot")}),
    "not ours":         Row("GET /v2x", {}, None, 404, ANY,
                            own=by(EVERYWHERE, 404, "not mounted")),
    "numbers":          Row("GET /metrics", {}, None, 404, ANY,
                            own=by(EVERYWHERE, 404, "not mounted")),
    "longer than ours": Row("GET /v2/" + "a" * 600, {}, None, 400, BAD_PATH),
    "longer than any":  Row("GET /v2/" + "a" * 9000, {}, None, 400, BAD_PATH,
                            own={**by([LIGHTTPD], 431, "8 KiB of head"),
                                 **by([APACHE, NGINX], 414, "8 KiB a line")}),

    # ---- encodings in paths
    "an escape":        Row("GET /v2/%%61uth/he%%61lth", {}, None, 200, OK),
    "escaped letters":  Row("GET /v2/auth/caf%%C3%%A9", {}, None, 404, NO_ADDRESS),
    "escaped Latin-1":  Row("GET /v2/auth/%%E9", {}, None, 404, NO_ADDRESS, own=by(
        ["lighttpd-bin-path", "lighttpd-cgi"], 404,
        "its patterns match UTF-8 only")),
    "an escaped space": Row(f"GET {HEALTH}%%20", {}, None, 404, NO_ADDRESS),
    "an escaped query": Row(f"GET {HEALTH}%%3Fx=1", {}, None, 404, NO_ADDRESS),
    "an escaped slash": Row("GET /v2/auth%%2Fhealth", {}, None, 400, BAD_PATH, own=by(
        [APACHE], 404, "AllowEncodedSlashes is off")),
    "an escaped backslash": Row("GET /v2/auth%%5Chealth", {}, None, 400, BAD_PATH),
    "an escaped NUL":   Row(f"GET {HEALTH}%%00", {}, None, 400, BAD_PATH, own={
        **by([LIGHTTPD, NGINX], 400, "refused everywhere"),
        **by([APACHE], 404, "refused everywhere")}),
    "an escaped line":  Row(f"GET {HEALTH}%%0A", {}, None, 400, BAD_PATH,
                            own=by([LIGHTTPD], 400, "url-ctrls-reject")),
    "no escape":        Row(f"GET {HEALTH}%%zz", {}, None, 400, BAD_PATH,
                            own=by([APACHE, NGINX], 400, "not decodable")),
    "half an escape":   Row(f"GET {HEALTH}%%", {}, None, 400, BAD_PATH,
                            own=by([APACHE, NGINX], 400, "not decodable")),
    "//":               Row("GET /v2//auth/health", {}, None, 400, BAD_PATH),
    "// in front":      Row("GET //v2/auth/health", {}, None, 400, BAD_PATH),
    ".":                Row("GET /v2/./auth/health", {}, None, 400, BAD_PATH),
    "..":               Row("GET /v2/x/../auth/health", {}, None, 400, BAD_PATH),
    "escaped ..":       Row("GET /v2/x/%%2e%%2E/auth/health", {}, None, 400,
                            BAD_PATH),
    "into us by ..":    Row("GET /x/../v2/auth/health", {}, None, 400, BAD_PATH),
    "out of us by ..":  Row("GET /v2/../x", {}, None, 404, ANY,
                            own=by(EVERYWHERE, 404, "another place")),
    "a NUL in a query": Row(f"GET {HEALTH}?x=%%00", {}, None, 200, OK,
                            own=by([LIGHTTPD], 400, "url-ctrls-reject")),

    # ---- methods
    "HEAD":             Row(f"HEAD {HEALTH}", {}, None, 200, NO_BODY),
    "HEAD of no address": Row("HEAD /v2/auth/nowhere", {}, None, 404, NO_BODY),
    "HEAD of a POST":   Row(f"HEAD {SIGN_IN}", {}, None, 405, NO_BODY,
                            {"Allow": ["POST"]}),
    "POST of a GET":    Row(f"POST {HEALTH}", {}, "", 405, NO_METHOD, GET_ONLY),
    "PUT":              Row(f"PUT {HEALTH}", {}, "", 405, NO_METHOD, GET_ONLY),
    "PATCH":            Row(f"PATCH {HEALTH}", {}, "", 405, NO_METHOD, GET_ONLY),
    "DELETE":           Row(f"DELETE {HEALTH}", {}, None, 405, NO_METHOD, GET_ONLY),
    "OPTIONS":          Row(f"OPTIONS {HEALTH}", {}, None, 405, NO_METHOD, GET_ONLY),
    "OPTIONS of two":   Row("OPTIONS /v2/auth/session", {}, None, 405, NO_METHOD,
                            {"Allow": ["GET, HEAD, PUT"]}),
    "TRACE":            Row(f"TRACE {HEALTH}", {}, None, 405, NO_METHOD, GET_ONLY,
                            own=by([APACHE, NGINX], 405, "not allowed here")),
    "an odd method":    Row(f"BREW {HEALTH}", {}, None, 405, NO_METHOD, GET_ONLY,
                            own=by([LIGHTTPD], 501, "unknown to it")),
    "a preflight":      Row(f"OPTIONS {SIGN_IN}", {**PREFLIGHT, **from_page(APP)},
                            None, 204, NO_BODY, {
        **READABLE, "Access-Control-Allow-Methods": ["POST"],
        "Access-Control-Allow-Headers": ["Authorization, Content-Type, X-Api-Key"],
        "Access-Control-Max-Age": ["600"]}),
    "a stranger's preflight": Row(
        f"OPTIONS {SIGN_IN}", {**PREFLIGHT, **from_page("https://evil.test")}, None,
        405, NO_METHOD, {"Allow": ["POST"]}),

    # ---- signing in
    "sign-in":          Row(f"POST {SIGN_IN}", {**KEY, **JSON}, RIGHT, 200, TOKENS,
                            SIGNED_IN),
    "from a page":      Row(f"POST {SIGN_IN}", {**KEY, **JSON, **from_page(APP)},
                            RIGHT, 200, TOKENS, {**SIGNED_IN, **READABLE}),
    "wrong password":   Row(f"POST {SIGN_IN}", {**KEY, **JSON}, WRONG, 401,
                            "INVALID_CREDENTIALS"),
    "no key":           Row(f"POST {SIGN_IN}", JSON, RIGHT, 401, "UNAUTHORISED"),
    "no password":      Row(f"POST {SIGN_IN}", {**KEY, **JSON},
                            '{"email": "%(email)s"}', 400, "INCOMPLETE_CREDENTIALS"),
    "no JSON":          Row(f"POST {SIGN_IN}", {**KEY, **JSON}, '{"email":', 400,
                            "INVALID_OR_MALFORMED_JSON"),
    "not said to be JSON": Row(f"POST {SIGN_IN}", KEY, RIGHT, 400, "INVALID_INPUT"),
    "single sign-on":   Row(f"POST {SIGN_IN}", {**KEY, **JSON},
                            '{"email": "a@corp.test", "password": "x"}', 401,
                            "SSO_ACCOUNT"),

    # ---- bodies
    "an empty body":    Row(f"POST {SIGN_IN}", {**KEY, **JSON}, "", 400,
                            "INVALID_INPUT"),
    "a body of one chunk": Row(f"POST {SIGN_IN}", {**KEY, **JSON, **CHUNKED},
                               (RIGHT, 1000), 200, TOKENS, SIGNED_IN),
    "a body of small chunks": Row(f"POST {SIGN_IN}", {**KEY, **JSON, **CHUNKED},
                                  (RIGHT, 7), 200, TOKENS, SIGNED_IN),
    "no chunk":         Row(f"POST {SIGN_IN}", {**KEY, **JSON, **CHUNKED},
                            ("", 7), 400, "INVALID_INPUT"),
    "who waits for 100": Row(f"POST {SIGN_IN}", {**KEY, **JSON,
                                                 "Expect": "100-continue"},
                             RIGHT, 200, TOKENS, SIGNED_IN),
    "the largest body": Row(f"POST {SIGN_IN}", {**KEY, **JSON},
                            RIGHT + " " * 16000, 200, TOKENS, SIGNED_IN),
    "too large":        Row(f"POST {SIGN_IN}", {**KEY, **JSON}, "x" * 16385, 413,
                            "INVALID_INPUT"),
    "too large in chunks": Row(f"POST {SIGN_IN}", {**KEY, **JSON, **CHUNKED},
                               ("x" * 20000, 4000), 413, "INVALID_INPUT"),
    "far too large":    Row(f"POST {SIGN_IN}", {**KEY, **JSON}, "x" * 200_000, 413,
                            "INVALID_INPUT", own=TOO_LARGE),
    "far too large in chunks": Row(
        f"POST {SIGN_IN}", {**KEY, **JSON, **CHUNKED}, ("x" * 200_000, 50_000), 413,
        "INVALID_INPUT", own=TOO_LARGE),

    # ---- sessions
    "refresh":          Row("POST /v2/auth/refresh", JSON, REFRESH, 200, TOKENS,
                            REFRESHED),
    "refresh by cookie": Row("POST /v2/auth/refresh", {**COOKIES, **OWN_PAGE}, "",
                             200, TOKENS, REFRESHED),
    "refresh by a stranger's page": Row(
        "POST /v2/auth/refresh", {**COOKIES, "Sec-Fetch-Site": "cross-site"}, "", 403,
        "FORBIDDEN"),
    "refresh with nothing": Row("POST /v2/auth/refresh", {}, "", 401,
                                "UNAUTHORISED"),
    "sign-out":         Row("POST /v2/auth/sign-out", BEARER, "", 204, NO_BODY),
    "sign-out by cookie": Row("POST /v2/auth/sign-out",
                              {**COOKIES, **OWN_PAGE, **JSON},
                              '{"scope": "this"}', 204, NO_BODY, SIGNED_OUT),
    "the list of sessions": Row(
        "GET /v2/auth/sessions", {"Authorization": "Bearer %(alone)s"}, None, 200,
        '{"sessions":[{"id":"<id>","current":true,"createdAt":<time>,'
        '"refreshedAt":<time>,"expiresAt":<time>,"address":"192.0.2.7",'
        '"device":"tests"}]}'),
    "ending one":       Row("DELETE /v2/auth/sessions/%(sid)s", BEARER, None, 204,
                            NO_BODY),
    "ending none":      Row("DELETE /v2/auth/sessions/"
                            "01890a5d-ac96-774b-bcce-b302099a8057", BEARER, None, 404,
                            "NOT_FOUND"),
    "a session by key": Row("GET /v2/auth/session", SECRET_KEY, None, 200, TOKENS,
                            REFRESHED),
    "a small key":      Row("GET /v2/auth/session", KEY, None, 403, "FORBIDDEN"),
    "handing over":     Row("PUT /v2/auth/session", {**KEY, **JSON}, REFRESH, 204,
                            NO_BODY, REFRESHED),
    "handing over, and on": Row(
        "PUT /v2/auth/session", {**KEY, **JSON},
        '{"refreshToken": "%%(refresh)s", "redirectUrl": "%s/in?a=b"}' % APP, 303,
        NO_BODY, {**REFRESHED, "Location": [f"{APP}/in?a=b"]}),

    # ---- who asks
    "by bearer":        Row(f"GET {ME}", BEARER, None, 200, ANY),
    "by cookie":        Row(f"GET {ME}", COOKIES, None, 200, ANY),
    "by query":         Row(f"GET {ME}?sessionId=%(access)s", {}, None, 200, ANY),
    "by key":           Row(f"GET {ME}", SECRET_KEY, None, 200, ANY),
    "by a second Cookie line": Row(
        f"GET {ME}", [("Cookie", "a=1; b=2"), ("Cookie", COOKIES["Cookie"])], None,
        200, ANY, but=but_by([APACHE], 401, "INVALID_SESSION_TOKEN",
                             "joins them by a comma, which a cookie may have")),
    "by the first of two Cookie lines": Row(
        f"GET {ME}", [("Cookie", COOKIES["Cookie"]), ("Cookie", "a=1; b=2")], None,
        200, ANY),
    "by two Cookie lines that differ": Row(
        f"GET {ME}", [("Cookie", "postern-access=x"), ("Cookie", COOKIES["Cookie"])],
        None, 401, "INVALID_SESSION_TOKEN"),
    "by password":      Row(f"GET {ME}", {"Authorization": "Basic YTpi"}, None, 401,
                            "UNAUTHORISED"),
    "by nothing":       Row(f"GET {ME}", {}, None, 401, "UNAUTHORISED"),
    "check":            Row("GET /v2/auth/check", BEARER, None, 204, NO_BODY,
                            CHECKED),
    "check of nobody":  Row("GET /v2/auth/check", {}, None, 401,
                            "UNAUTHORISED"),

    # ---- what may be kept
    "keys that changed": Row(f"GET {JWKS}", {"If-None-Match": '"x"'}, None, 200, ANY,
                             PUBLIC),
    "keys as before":   Row(f"GET {JWKS}", {"If-None-Match": "%(etag)s"}, None, 304,
                            NO_BODY, PUBLIC),
    "keys weakly as before": Row(f"GET {JWKS}", {"If-None-Match": "W/%(etag)s"},
                                 None, 304, NO_BODY, PUBLIC),
    "keys as one of two": Row(f"GET {JWKS}", {"If-None-Match": '"x", %(etag)s'},
                              None, 304, NO_BODY, PUBLIC),
    "keys unless any": Row(f"GET {JWKS}", {"If-None-Match": "*"}, None, 304, NO_BODY,
                           PUBLIC),
    "keys if others":   Row(f"GET {JWKS}", {"If-Match": '"x"'}, None, 200, ANY,
                            PUBLIC),
    "keys since":       Row(f"GET {JWKS}", {"If-Modified-Since": TOMORROW}, None, 200,
                            ANY, PUBLIC),
    "keys unless since": Row(f"GET {JWKS}", {"If-Unmodified-Since": LONG_AGO}, None,
                             200, ANY, PUBLIC),
    "HEAD of the keys": Row(f"HEAD {JWKS}", {}, None, 200, NO_BODY, PUBLIC),
    "HEAD of keys as before": Row(f"HEAD {JWKS}", {"If-None-Match": "%(etag)s"}, None,
                                  304, NO_BODY, PUBLIC),
    "an answer unless any": Row(f"GET {HEALTH}", {"If-None-Match": "*"}, None, 200,
                                OK),
    "an answer since":  Row(f"GET {HEALTH}", {"If-Modified-Since": TOMORROW}, None,
                            200, OK),
    "sign-in unless any": Row(f"POST {SIGN_IN}", {**KEY, **JSON,
                                                  "If-None-Match": "*"},
                              RIGHT, 200, TOKENS, SIGNED_IN),
    "sign-in if others": Row(f"POST {SIGN_IN}", {**KEY, **JSON, "If-Match": '"x"'},
                             RIGHT, 200, TOKENS, SIGNED_IN),
    "sign-in since":    Row(f"POST {SIGN_IN}", {**KEY, **JSON,
                                                "If-Modified-Since": TOMORROW},
                            RIGHT, 200, TOKENS, SIGNED_IN),
    "sign-in unless since": Row(f"POST {SIGN_IN}", {**KEY, **JSON,
                                                    "If-Unmodified-Since": LONG_AGO},
                                RIGHT, 200, TOKENS, SIGNED_IN),

    # ---- parts, which nobody gets
    "a part":           Row(f"GET {HEALTH}", {"Range": "bytes=0-3"}, None, 200, OK),
    "the end":          Row(f"GET {HEALTH}", {"Range": "bytes=-3"}, None, 200, OK),
    "two parts":        Row(f"GET {HEALTH}", {"Range": "bytes=0-1,3-4"}, None, 200,
                            OK),
    "no such part":     Row(f"GET {HEALTH}", {"Range": "bytes=900000-"}, None, 200,
                            OK),
    "a part by its old name": Row(f"GET {HEALTH}", {"Request-Range": "bytes=0-3"},
                                  None, 200, OK),
    "HEAD of a part":   Row(f"HEAD {HEALTH}", {"Range": "bytes=0-3"}, None, 200,
                            NO_BODY),
    "a part of no address": Row("GET /v2/auth/nowhere", {"Range": "bytes=0-3"}, None,
                                404, NO_ADDRESS),
    "a part of the keys": Row(f"GET {JWKS}", {"Range": "bytes=0-3"}, None, 200, ANY,
                              PUBLIC),
    "a part of these keys": Row(f"GET {JWKS}", {"Range": "bytes=0-3",
                                                "If-Range": "%(etag)s"},
                                None, 200, ANY, PUBLIC),
    "a part of keys as before": Row(f"GET {JWKS}", {"Range": "bytes=0-3",
                                                    "If-None-Match": "%(etag)s"},
                                    None, 304, NO_BODY, PUBLIC),
    "a part of who I am": Row(f"GET {ME}", {**BEARER, "Range": "bytes=0-3"}, None,
                              200, ANY),
    "a part of a sign-in": Row(f"POST {SIGN_IN}", {**KEY, **JSON,
                                                   "Range": "bytes=0-3"},
                               RIGHT, 200, TOKENS, SIGNED_IN),
}

# What is the web server's to say.
TRANSPORT = {"connection", "content-length", "date", "keep-alive",
             "server", "transfer-encoding", "x-request-id", "upgrade"}

VARIES = [
    (r'(?<=")(?:eyJ)?[\w-]{20,}\.[\w.-]{20,}(?=")', "<token>"),
    (r"(?<==)(?:eyJ)?[\w-]{20,}\.[\w.-]{20,}(?=;)", "<token>"),
    (r"(?<=postern-device=)[\w.-]{20,}(?=;)", "<token>"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
    (r"(?<=:)1\d{9}\b", "<time>"),
    (r"(?<=Max-Age=)(8[5-9]\d|900)\b", "<~900>"),
    (r"(?<=Max-Age=)(1209600|12095\d\d)\b", "<~14 days>"),
    (r'(?<="expiresIn":)(8[5-9]\d|900)\b', "<~900>"),
    (r'(?<="message":)"[^"]+"', '"<text>"'),
]


def normal(text):
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return text


def headers_of(answer):
    """{name: [values]} of those that are ours."""
    found = {}
    for name, value in answer.headers:
        if name.lower() not in TRANSPORT:
            found.setdefault(name.lower(), []).append(normal(value))
    return {name: sorted(values) for name, values in found.items()}


def expected_headers(status, row, visitor):
    found = {"X-Content-Type-Options": ["nosniff"], "Vary": ["Origin"],
             "Cache-Control": ["no-store"]}
    if status not in (204, 303, 304):
        found["Content-Type"] = ["application/json"]
    if status == 200:
        found["Accept-Ranges"] = ["none"]
    if status == 401:
        found["WWW-Authenticate"] = ['Bearer realm="postern"']
    found.update(row.more)
    return {name.lower(): sorted(value % visitor for value in values)
            for name, values in found.items()}


class Visitor(dict):
    """What a row's "%(name)s" stands for: a person of the mount's own, whose
    sessions are opened straight at a pool."""

    def __init__(self, place, person):
        super().__init__(email=person.email, password=person.password,
                         key=place.key, secret_key=place.secret_key)
        self.place = place

    def session(self):
        body = {"email": self["email"], "password": self["password"]}
        return Session(contract.check_signed_in(ask(
            self.place.pool, "POST", SIGN_IN, body,
            {"X-Api-Key": self["key"], "User-Agent": "tests"})))

    def __missing__(self, name):
        if name == "etag":
            self[name] = ask(self.place.pool, "GET", JWKS).header("ETag")
        elif name == "alone":
            session = self.session()
            ask(self.place.pool, "POST", "/v2/auth/sign-out",
                {"scope": "others"}, session.bearer)
            self[name] = session.access
        else:
            session = self.session()
            self.update(access=session.access, refresh=session.refresh,
                        sid=session.sid)
        return self[name]


# ---- places and mounts -------------------------------------------------------

@pytest.fixture(scope="module")
def place(runtime, settings):
    """A cluster that may be stopped, and what all mounts share."""
    with ExitStack() as to_end:
        cluster = furnish(runtime / "servers-data", settings)
        to_end.callback(cluster.stop)
        ctl = Ctl(runtime / "servers-data/settings")
        common = {**cluster.postern, "allowed_origins": APP,
                  "throttle_failures": 5}
        place = Place(runtime / "servers", common)
        place.cluster, place.ctl, place.key = cluster, ctl, cluster.api_key
        place.secret_key = ctl("api-key", "create", "--scope", "secret",
                               "--user", "alice@example.test")
        place.pool = Pool(runtime / "servers-pool", common)
        to_end.callback(place.pool.stop)
        yield place


@pytest.fixture(scope="module", params=WAYS)
def mount(request, place):
    person = add_person(place.ctl, place.cluster, request.param)
    mount = Mount(request.param, place, request.param)
    mount.person = person
    yield mount
    mount.stop()


@pytest.fixture
def visitor(place, mount):
    return Visitor(place, mount.person)


# ---- the table ---------------------------------------------------------------

def fetch(mount, row, visitor):
    send = row.send.items() if isinstance(row.send, dict) else row.send
    body = row.body
    if isinstance(body, tuple):
        body = chunked(body[0] % visitor, body[1])
    elif body is not None:
        body = body % visitor
    return mount.server.fetch(
        row.method, row.target % visitor,
        None if body is None else body.encode(),
        [(name, value % visitor) for name, value in send])


@pytest.mark.parametrize("name", TABLE)
def test_row(mount, visitor, name):
    row = TABLE[name]
    answer = fetch(mount, row, visitor)
    own = row.own_status(mount)
    if own is not None:
        assert answer.status == own, answer
        assert not answer.header_all("X-Request-Id"), "we were asked"
        return
    status, says = row.answer(mount)
    assert answer.status == status, answer
    assert contract.REQUEST_ID.fullmatch(answer.header("X-Request-Id") or "")
    assert headers_of(answer) == expected_headers(status, row, visitor)
    if says is not ANY and says.isupper():
        contract.check_refused(answer, status, says)
    elif says is not ANY:
        assert normal(answer.body.decode()) == says


# ---- what the database says --------------------------------------------------

def sign_in(mount, visitor, password=None, **options):
    headers = {**JSON, **options.pop("headers", {}), "X-Api-Key": visitor["key"]}
    body = {"email": visitor["email"],
            "password": password or visitor["password"]}
    return mount.server.fetch("POST", SIGN_IN, json.dumps(body).encode(),
                              headers, **options)


def check_come_back(answer, status, code):
    """429 or 503, as everywhere; the seconds to wait."""
    contract.check_refused(answer, status, code)
    found = headers_of(answer)
    seconds = found.pop("retry-after")
    assert found == {
        "content-type": ["application/json"], "cache-control": ["no-store"],
        "vary": ["Origin"], "x-content-type-options": ["nosniff"]}
    return int(seconds[0])


def test_too_many_failures(mount, place):
    """Whichever worker or process counts."""
    nobody = Visitor(place, SimpleNamespace(
        email=f"nobody-{mount.name}@example.test", password="x"))
    answers = []
    while not answers or answers[-1].status == 401:
        answers.append(sign_in(mount, nobody))
        assert len(answers) < 10
    assert len(answers) > 5
    assert 1 <= check_come_back(answers[-1], 429, "LIMIT_EXCEEDED") <= 8


def test_the_database_is_away(mount, place, visitor):
    place.cluster.stop()
    try:
        assert check_come_back(sign_in(mount, visitor), 503,
                               "SERVICE_UNAVAILABLE") == 2
        assert mount.server.fetch("GET", HEALTH).status == 200
    finally:
        place.cluster.start()
    for ready in (lambda: sign_in(mount, visitor).status == 200,
                  lambda: ask(place.pool, "GET", HEALTH + "/ready").status == 200):
        process.wait_until("the database back", ready)


# ---- who the client is, and whether it has HTTPS -----------------------------

CLIENT = "127.0.0.1"
OTHER = "203.0.113.9"


def forwarded(address=None, proto=None, **more):
    """What a proxy says of its client."""
    return {name: value for name, value in {
        "X-Forwarded-For": address, "X-Forwarded-Proto": proto,
        **more}.items() if value is not None}


# From which address, with what it says; what we take for the client's address, and
# whether for HTTPS.  Where no proxy is configured, nobody is believed.
WITHOUT_PROXY = {
    "nothing said": (CLIENT, {}, CLIENT, False),
    "pretended": (CLIENT, forwarded(OTHER, "https"), CLIENT, False),
    "pretended in other words": (CLIENT, {
        "Forwarded": f"for={OTHER};proto=https", "X-Real-IP": OTHER,
        "X-Forwarded-Ssl": "on", "Front-End-Https": "on", "Https": "on",
        "Remote-Addr": OTHER}, CLIENT, False),
}
BEHIND_PROXY = {
    **WITHOUT_PROXY,
    "over HTTPS": (PROXY, forwarded(OTHER, "https"), OTHER, True),
    "over HTTP": (PROXY, forwarded(OTHER, "http"), OTHER, False),
    "of IPv6": (PROXY, forwarded("2001:db8::7", "https"), "2001:db8::7", True),
    "client said something before": (
        PROXY, forwarded(f"198.51.100.1, {OTHER}", "https"), OTHER, True),
    "no word about HTTPS": (PROXY, forwarded(OTHER), OTHER, False),
    "the proxy itself": (PROXY, {}, PROXY, False),
}


def check_origin(mount, visitor, case, **options):
    source, headers, address, https = case
    answer = sign_in(mount, visitor, headers=headers, source=source, **options)
    session = Session(contract.check_signed_in(answer))
    found = contract.cookies(answer)
    assert set(found) == ({"__Host-postern-access", "__Secure-postern-refresh",
                           "__Host-postern-device"} if https else
                          {"postern-access", "postern-refresh", "postern-device"})
    for _, attributes in found.values():
        assert ("secure" in attributes) == https
    body = json.loads(ask(visitor.place.pool, "GET", "/v2/auth/sessions",
                          headers=session.bearer).body)
    assert [one["address"] for one in body["sessions"]
            if one["current"]] == [address]


@pytest.fixture(scope="module", params=WAYS)
def proxied(request, place):
    """A mount with all that its configuration suggests for a proxy in front."""
    name = f"{request.param}-proxied"
    person = add_person(place.ctl, place.cluster, name)
    mount = Mount(request.param, place, name, trusting=True)
    mount.person = person
    yield mount
    mount.stop()


@pytest.mark.parametrize("name", WITHOUT_PROXY)
def test_without_a_proxy(mount, visitor, name):
    check_origin(mount, visitor, WITHOUT_PROXY[name])


@pytest.mark.parametrize("name", BEHIND_PROXY)
def test_behind_a_proxy(proxied, place, name):
    check_origin(proxied, Visitor(place, proxied.person), BEHIND_PROXY[name])


@pytest.mark.parametrize("headers", [{}, forwarded(OTHER, "http")],
                         ids=["nothing said", "pretended"])
def test_tls_of_the_web_server(mount, visitor, headers):
    check_origin(mount, visitor, (CLIENT, headers, CLIENT, True), tls=True,
                 port=mount.tls_port)


def test_cookies_of_tls(mount, visitor):
    """Only those count that TLS sets."""
    for name, status in (("__Host-postern-access", 200),
                         ("postern-access", 401)):
        assert mount.server.fetch(
            "GET", ME, headers={"Cookie": f"{name}={visitor['access']}"},
            tls=True, port=mount.tls_port).status == status
