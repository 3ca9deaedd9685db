"""Pages of other origins: those that are allowed work with cookies, the others can
neither read anything nor change anything, not even with the victim's browser."""

import json

import pytest

from conftest import SIGN_IN
from harness import contract, lighttpd as web_server, process
from harness.sessions import ACCESS, REFRESH, Session, ask, cleared

DEVICE = "postern-device"
APP = "https://app.test"
EVIL = "https://evil.test"
ME = "/v2/users/me"
SIGN_OUT = "/v2/auth/sign-out"


@pytest.fixture(scope="module")
def pool(start_pool_for_session, people, keys):
    return start_pool_for_session(
        allowed_origins=f"http://localhost:3000, {APP}")


@pytest.fixture
def session(pool, people, sign_in):
    return Session(contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password)))


def cors(answer):
    return {name.lower(): value for name, value in answer.headers
            if name.lower() == "vary"
            or name.lower().startswith("access-control-")}


READABLE = {
    "vary": "Origin", "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Request-Id, Retry-After"}
NOT_READABLE = {"vary": "Origin"}


# ---- answers -----------------------------------------------------------------

@pytest.mark.parametrize("method, uri, body, status", [
    ("GET", ME, None, 200),
    ("POST", SIGN_OUT, {"scope": "others"}, 204),
    ("POST", "/v2/auth/refresh", None, 200),
    ("POST", SIGN_IN, {}, 401),
    ("GET", "/v2/nowhere", None, 404),
    ("PUT", ME, {}, 405),
    ("GET", "/v2//", None, 400),
    ("POST", SIGN_OUT, b"{", 400),
    ("GET", "/.well-known/jwks.json", None, 200),
    ("GET", "/v2/auth/health", None, 200),
])
def test_who_may_read(pool, session, method, uri, body, status):
    """Refusals, too: a page wants to know why."""
    for origin, expected in ((APP, READABLE), (EVIL, NOT_READABLE),
                             ("null", NOT_READABLE), (None, NOT_READABLE)):
        headers = dict(session.cookie)
        if origin:
            headers["Origin"] = origin
        answer = ask(pool, method, uri, body, headers)
        if origin == APP:
            assert answer.status == status, answer
        assert cors(answer) == expected


def test_unavailable_is_readable(start_pool, keys):
    away = start_pool(allowed_origins=APP, db_timeout_ms=200,
                      database="host=/nonexistent user=postern_service")
    answer = ask(away, "GET", ME, headers={"x-api-key": keys.secret,
                                           "Origin": APP})
    contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
    assert cors(answer) == READABLE


def test_without_allowed_origins(start_pool, session):
    pool = start_pool()
    for method in ("GET", "OPTIONS"):
        answer = ask(pool, method, ME, headers={
            **session.bearer, "Origin": APP,
            "Access-Control-Request-Method": "GET"})
        assert answer.status == (200 if method == "GET" else 405)
        assert cors(answer) == {}


# ---- preflight ---------------------------------------------------------------

def preflight(pool, uri, method="POST", origin=APP, **headers):
    return ask(pool, "OPTIONS", uri, headers={
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type,x-api-key", **headers})


@pytest.mark.parametrize("uri, methods", [
    (SIGN_IN, "POST"), (ME, "GET, HEAD"), ("/v2/auth/session", "GET, HEAD, PUT"),
    ("/v2/auth/sessions/x", "DELETE"), ("/v2/auth/sessions", "GET, HEAD"),
])
def test_preflight(pool, uri, methods):
    answer = preflight(pool, uri)
    assert answer.status == 204, answer
    assert answer.body == b""
    assert answer.header("Content-Length") is None
    assert cors(answer) == {
        **READABLE, "access-control-allow-methods": methods,
        "access-control-allow-headers":
            "Authorization, Content-Type, X-Api-Key",
        "access-control-max-age": "600"}


def test_preflight_asks_for_no_credentials(pool):
    """Browsers send none along."""
    assert preflight(pool, "/v2/auth/sessions", "GET").status == 204


@pytest.mark.parametrize("origin", [
    EVIL, "null", "", "https://app.test:444", "http://app.test",
    "https://app.test.evil.test"])
def test_no_preflight_for_others(pool, origin):
    answer = preflight(pool, SIGN_IN, origin=origin)
    contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert cors(answer) == NOT_READABLE


def test_no_preflight_for_what_is_not_there(pool):
    contract.check_refused(preflight(pool, "/v2/nowhere"), 404,
                           "ENDPOINT_NOT_FOUND")


def test_options_without_a_question(pool):
    answer = ask(pool, "OPTIONS", SIGN_IN, headers={"Origin": APP})
    contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")


def test_through_a_web_server(start_lighttpd, pool):
    server = start_lighttpd(web_server.to_socket(pool.address))
    answer = server.fetch("OPTIONS", SIGN_IN, headers={
        "Origin": APP, "Access-Control-Request-Method": "POST"})
    assert answer.status == 204
    assert answer.header("Access-Control-Allow-Origin") == APP
    assert answer.header("Access-Control-Allow-Methods") == "POST"


# ---- in a browser ------------------------------------------------------------

PAGE = b"<!doctype html><meta charset=utf-8><title>page</title><body>"


@pytest.fixture(scope="module")
def sites(runtime, start_pool_for_session, people, keys):
    """The service, and pages elsewhere.  To a browser each port is an origin of
    its own, but 127.0.0.1 is one site whatever the port: it sends SameSite=Lax
    cookies along between `service`, `app` and `neighbour`, and only the service
    can tell them apart.  `stranger`, on localhost, is another site."""
    from types import SimpleNamespace
    port = process.free_port()
    pool = start_pool_for_session(
        allowed_origins=f"http://127.0.0.1:{port}", refresh_grace_seconds=1)
    root = runtime / "cors-root"
    root.mkdir()
    (root / "index.html").write_bytes(PAGE)
    service = web_server.Lighttpd(
        runtime / "cors-service", web_server.to_socket(pool.address), root)
    app, neighbour = (web_server.Lighttpd(runtime / f"cors-{name}", "", root,
                                          **options)
                      for name, options in (("app", {"port": port}),
                                            ("neighbour", {})))
    yield SimpleNamespace(
        pool=pool, service=f"http://127.0.0.1:{service.port}",
        app=f"http://127.0.0.1:{app.port}",
        neighbour=f"http://127.0.0.1:{neighbour.port}",
        stranger=f"http://localhost:{neighbour.port}")
    for server in (service, app, neighbour):
        server.stop()


# Ask and tell what a page can see of the answer.
FETCH = """
const [url, options, done] = arguments;
fetch(url, { credentials: 'include', ...options }).then(
    async (r) => done({ type: r.type, status: r.status, text: await r.text(),
        id: r.headers.get('X-Request-Id') }),
    (error) => done({ error: error.name }));
"""

# Send a form as a page can: by navigating away, or into a frame.
SUBMIT = """
const [url, type, name, value] = arguments;
const form = document.createElement('form');
form.method = 'post';
form.action = url;
form.enctype = type;
const field = document.createElement('input');
field.name = name;
field.value = value;
form.append(field);
document.body.append(form);
form.submit();
"""


class Page:
    def __init__(self, chrome, sites, where):
        self.chrome = chrome
        self.service = sites.service
        self.chrome.get(f"{where}/")
        assert self.chrome.title == "page"

    def fetch(self, uri, method="GET", body=None, headers=(), **options):
        options = {"method": method, "headers": dict(headers), **options}
        if body is not None:
            options["headers"].setdefault("Content-Type", "application/json")
            options["body"] = json.dumps(body)
        return self.chrome.execute_async_script(FETCH, self.service + uri,
                                                options)

    def submit(self, uri, name="a", value="b", kind="text/plain"):
        self.chrome.execute_script(SUBMIT, self.service + uri, kind, name,
                                   value)
        process.wait_until(
            "the answer to the form", lambda: self.chrome.current_url.split(
                "?")[0] == self.service + uri.split("?")[0], 30, 0.05)
        return self.chrome.find_element("css selector", "body").text


def jar(chrome):
    found = chrome.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]
    return {cookie["name"]: cookie["value"] for cookie in found}


@pytest.fixture
def signed_in(chrome, sites, people, keys):
    """Alice, in the browser, by the service's own page."""
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    answer = Page(chrome, sites, sites.service).fetch(
        SIGN_IN, "POST", {"email": people.alice.email,
                          "password": people.alice.password},
        {"x-api-key": keys.publishable})
    assert answer["status"] == 200, answer
    cookies = jar(chrome)
    assert set(cookies) == {ACCESS, REFRESH, DEVICE}
    return cookies


def is_signed_in(chrome, sites, cookies):
    """Nothing has happened to her: same cookies, and they are good."""
    assert jar(chrome) == cookies
    page = Page(chrome, sites, sites.service)
    return page.fetch(ME)["status"] == 200


@pytest.mark.timeout(600)
def test_an_allowed_page_in_a_browser(chrome, sites, people, keys):
    """Sign in, who is it, refresh, list, sign out: all from another origin."""
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page = Page(chrome, sites, sites.app)
    answer = page.fetch(SIGN_IN, "POST", {"email": people.bob.email,
                                          "password": people.bob.password},
                        {"x-api-key": keys.publishable})
    assert answer["status"] == 200, answer
    assert answer["type"] == "cors"
    assert answer["id"]
    assert set(jar(chrome)) == {ACCESS, REFRESH, DEVICE}
    assert json.loads(page.fetch(ME)["text"])["email"] == people.bob.email
    assert page.fetch("/v2/auth/refresh", "POST")["status"] == 200
    listed = json.loads(page.fetch("/v2/auth/sessions")["text"])["sessions"]
    assert listed[0]["current"] is True
    assert "Chrome" in listed[0]["device"]
    refusal = page.fetch("/v2/auth/sessions/x", "DELETE")
    assert refusal["status"] == 400
    assert page.fetch(SIGN_OUT, "POST", {"scope": "all"})["status"] == 204
    assert set(jar(chrome)) == {DEVICE}  # still a known browser
    assert page.fetch(ME)["status"] == 401


@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", ["neighbour", "stranger"])
def test_another_page_reads_nothing(chrome, sites, signed_in, where):
    page = Page(chrome, sites, getattr(sites, where))
    for uri in (ME, "/v2/auth/sessions", "/v2/auth/health",
                "/v2/auth/check"):
        assert page.fetch(uri) == {"error": "TypeError"}, uri
        opaque = page.fetch(uri, mode="no-cors")
        assert opaque == {"type": "opaque", "status": 0, "text": "",
                          "id": None}, uri
    assert is_signed_in(chrome, sites, signed_in)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", ["neighbour", "stranger"])
def test_another_page_signs_nobody_out(chrome, sites, signed_in, sign_in,
                                       people, where):
    """Whatever a page can make a browser send: with the victim's cookies, or with
    a session of the page's author."""
    page = Page(chrome, sites, getattr(sites, where))
    for body in (None, {"scope": "all"}):
        assert page.fetch(SIGN_OUT, "POST", body) == {"error": "TypeError"}
    page.fetch(SIGN_OUT, "POST", mode="no-cors")
    page.fetch(SIGN_OUT, "POST", {"scope": "all"}, {
        "Content-Type": "text/plain"}, mode="no-cors")
    page.fetch("/v2/auth/refresh", "POST", mode="no-cors")
    assert page.fetch("/v2/auth/sessions/x", "DELETE") == {
        "error": "TypeError"}
    for kind in ("text/plain", "application/x-www-form-urlencoded",
                 "multipart/form-data"):
        Page(chrome, sites, getattr(sites, where)).submit(SIGN_OUT, kind=kind)
    own = Session(contract.check_signed_in(
        sign_in(sites.pool, people.bob.email, people.bob.password)))
    for uri in (own.query(SIGN_OUT), f"{SIGN_OUT}?sessionId=x"):
        Page(chrome, sites, getattr(sites, where)).submit(uri)
        page = Page(chrome, sites, getattr(sites, where))
        page.fetch(uri, "POST", mode="no-cors")
    assert is_signed_in(chrome, sites, signed_in)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", ["neighbour", "stranger"])
def test_another_page_signs_nobody_in(chrome, sites, sign_in, people, keys,
                                      where):
    """The victim would work in its author's account without knowing it."""
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    own = Session(contract.check_signed_in(
        sign_in(sites.pool, people.bob.email, people.bob.password)))
    # A form that makes a text/plain body look like JSON.
    sign_in_body = json.dumps({"email": people.bob.email,
                               "password": people.bob.password, "x": "="})
    keep_body = json.dumps({"refreshToken": own.refresh, "x": "="})
    for uri, body in ((own.query(SIGN_IN), sign_in_body),
                      (own.query("/v2/auth/refresh"), keep_body)):
        name, _, value = body.partition("=")
        said = Page(chrome, sites, getattr(sites, where)).submit(uri, name,
                                                                 value)
        assert "INVALID_INPUT" in said
        page = Page(chrome, sites, getattr(sites, where))
        page.fetch(uri, "POST", json.loads(body), {
            "Content-Type": "text/plain"}, mode="no-cors")
        assert page.fetch(uri, "POST", json.loads(body)) == {
            "error": "TypeError"}
    assert page.fetch(own.query("/v2/auth/session"), "PUT",
                      json.loads(keep_body)) == {"error": "TypeError"}
    assert not jar(chrome)


@pytest.mark.timeout(600)
def test_our_own_page_signs_out(chrome, sites, signed_in):
    """That the refusals above are not the browser's or the service's mood."""
    page = Page(chrome, sites, sites.service)
    assert page.fetch(SIGN_OUT, "POST")["status"] == 204
    assert set(jar(chrome)) == {DEVICE}
