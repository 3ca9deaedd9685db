"""deploy/www/postern.js in the tabs of a browser: they share one session, renew it
one at a time, and hear of each other."""

import json
import shutil
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("selenium")

from harness import clock, lighttpd as web_server, process, tree  # noqa: E402
from harness.sessions import Session  # noqa: E402

pytestmark = pytest.mark.timeout(600)

ME, REFRESH = "/v2/users/me", "/v2/auth/refresh"

# Every event that the module sends stands in `events`.
START = """
const done = arguments[arguments.length - 1];
import('/postern.js').then(({ Postern }) => {
    window.events = [];
    window.postern = new Postern(arguments[0]);
    for (const name of ['signedin', 'renewed', 'signedout'])
        postern.addEventListener(name, ({ detail }) =>
            events.push([name, detail.elsewhere]));
    done();
});
"""

# What an expression comes to, or the PosternError that it is refused with.
EVALUATE = """
const done = arguments[arguments.length - 1];
(async () => eval(arguments[0]))().then(
    (value) => done({ value }),
    (error) => done({ error: { ...error, name: error.name } }));
"""


# A service that takes the access cookie, as it seems, and echoes bodies.
ECHO = """
case $HTTP_COOKIE in
*postern-access=*) printf 'Content-Type: text/plain\\r\\n\\r\\n'; cat ;;
*) printf 'Status: 401\\r\\nContent-Type: text/plain\\r\\n\\r\\nno\\n' ;;
esac
"""
CGI = """
server.modules += ( "mod_cgi" )
cgi.assign = ( ".cgi" => "/bin/sh" )
"""


class Tab:
    """One tab of the browser with the module in it."""

    def __init__(self, chrome, place, handle):
        self.chrome = chrome
        self.place = place
        self.handle = handle

    def select(self):
        self.chrome.switch_to.window(self.handle)
        return self.chrome

    def open(self, before="", **options):
        """Load the page and make a Postern in it, after a script."""
        chrome = self.select()
        chrome.get(self.place.url + "/blank.html")
        chrome.execute_script(before)
        chrome.execute_async_script(
            START, {"apiKey": self.place.api_key, **options})

    def ask(self, expression):
        return self.select().execute_async_script(EVALUATE, expression)

    def value(self, expression):
        found = self.ask(expression)
        assert "error" not in found, found
        return found["value"]

    def error(self, expression):
        return SimpleNamespace(**self.ask(expression)["error"])

    def events(self):
        return [tuple(event) for event in
                self.select().execute_script("return events")]

    def wait_for(self, *event):
        process.wait_until(f"event {event}",
                           lambda: event in self.events(), every=0.05)

    def sign_in(self, person):
        return self.value("postern.signIn({}, {})".format(
            json.dumps(person.email), json.dumps(person.password)))

    def begin(self, expression):
        """Start something whose end is not waited for."""
        self.select().execute_script(
            f"window.pending = {expression}; pending.catch(() => 0)")

    def end(self):
        return self.value("pending")


@pytest.fixture
def root(room):
    """The files of a web server that has the module."""
    root = room / "root"
    root.mkdir()
    shutil.copy(tree.TOP / "deploy/www/postern.js", root)
    (root / "blank.html").write_text("<!doctype html><title>x</title>")
    (root / "echo.cgi").write_text(ECHO)
    return root


@pytest.fixture
def serve(start_pool, start_lighttpd, root, keys):
    """A pool with these settings behind a web server that has the module."""
    def start(**settings):
        pool = start_pool(**settings)
        server = start_lighttpd(web_server.to_socket(pool.address) + CGI,
                                root=root)
        return SimpleNamespace(pool=pool, api_key=keys.publishable,
                               url=f"http://127.0.0.1:{server.port}")
    return start


@pytest.fixture
def tabs(chrome):
    """Open tabs (or windows, which are all in sight) on a place; signed out."""
    handles = []

    def start(place, count=3, kind="tab"):
        chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        for _ in range(count):
            chrome.switch_to.new_window(kind)
            handles.append(chrome.current_window_handle)
        return [Tab(chrome, place, handle) for handle in handles]

    first = chrome.current_window_handle
    yield start
    for handle in handles:
        chrome.switch_to.window(handle)
        chrome.close()
    chrome.switch_to.window(first)


def open_all(tabs, **options):
    for tab in tabs:
        tab.open(**options)


def signed_in(tabs, person, **options):
    """All tabs open, and one of them has signed in."""
    open_all(tabs, **options)
    tabs[0].sign_in(person)
    for tab in tabs[1:]:
        tab.wait_for("signedin", True)


def requests(place, path, least=0):
    """The statuses of what was answered; a line is written after its answer, so
    it says how many there are at least."""
    def find():
        found = [event["status"] for event in place.pool.events("request")
                 if event["path"] == path]
        return (found,) if len(found) >= least else None
    (found,) = process.wait_until(f"{least} lines of {path}", find)
    return found


def forget_access(tab):
    """The access token's time is over, as the browser sees it."""
    tab.select().execute_cdp_cmd("Network.deleteCookies", {
        "name": "postern-access", "url": tab.place.url})


# ---- many tabs ---------------------------------------------------------------

# Without grace for the token just replaced, a second tab's refresh would be taken
# for theft and end the session.
NO_GRACE = {"refresh_grace_seconds": 0}


def test_many_requests_of_three_tabs_renew_once(serve, tabs, people):
    place = serve(**NO_GRACE)
    three = tabs(place)
    signed_in(three, people.alice)
    for number in range(1, 6):
        forget_access(three[0])
        for tab in three:
            tab.begin("Promise.all([1, 2, 3, 4].map(() => "
                      f"postern.fetch('{ME}').then((r) => r.status)))")
        assert [tab.end() for tab in three] == [[200] * 4] * 3
        assert requests(place, REFRESH, number) == [200] * number
    for tab in three:
        assert ("signedout", True) not in tab.events()
        assert ("signedout", False) not in tab.events()


def test_three_windows_renew_in_good_time(serve, tabs, people):
    """Before the token ends, so that no request meets its end."""
    seconds = 3
    place = serve(access_token_seconds=seconds, **NO_GRACE)
    three = tabs(place, kind="window")
    began = time.monotonic()
    signed_in(three, people.alice)
    requests(place, REFRESH, 3)
    lasted = time.monotonic() - began
    assert all(status == 200 for status in requests(place, REFRESH))
    # A token may be issued for a twentieth less, and is renewed after four
    # fifths of its life at the earliest: no tab renews beside another.
    assert lasted > 3 * 0.95 * 0.8 * (seconds - 1)
    for tab in three:
        # Whoever did it, all heard of it.
        process.wait_until("news of it", lambda: len(
            [event for event in tab.events() if event[0] == "renewed"]) >= 3)

    def check():
        """A token ends while the machine stands still, and for that alone."""
        before = len(requests(place, ME))
        for tab in three:
            assert tab.value(
                f"postern.fetch('{ME}').then((r) => r.status)") == 200
        asked = requests(place, ME, before + 3)
        assert 401 not in asked[before:]
    clock.in_time(check)


def test_a_page_out_of_sight_renews_nothing(serve, tabs, people):
    place = serve(access_token_seconds=2)
    [tab] = tabs(place, 1)
    tab.open("Object.defineProperty(document, 'hidden', "
             "{ get: () => !window.seen })")
    tab.sign_in(people.alice)
    time.sleep(3)
    assert requests(place, REFRESH) == []
    # And at once when somebody looks.
    tab.select().execute_script(
        "seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait_for("renewed", False)


def test_without_web_locks(serve, tabs, people):
    """Each tab renews for itself, and the grace makes that harmless."""
    place = serve()
    three = tabs(place)
    signed_in(three, people.alice,
              before="Object.defineProperty(navigator, 'locks', {})")
    assert three[0].value("navigator.locks") is None
    for _ in range(3):
        forget_access(three[0])
        for tab in three:
            tab.begin("Promise.all([1, 2].map(() => "
                      f"postern.fetch('{ME}').then((r) => r.status)))")
        assert [tab.end() for tab in three] == [[200] * 2] * 3
    assert set(requests(place, REFRESH)) == {200}


def test_signing_out_is_seen_in_all_tabs(serve, tabs, people):
    place = serve()
    three = tabs(place)
    signed_in(three, people.alice)
    assert three[1].value("postern.me()")["email"] == people.alice.email
    three[2].value("postern.signOut()")
    assert ("signedout", False) in three[2].events()
    for tab in three[:2]:
        tab.wait_for("signedout", True)
    asked = len(requests(place, REFRESH))
    assert [tab.value("postern.me()") for tab in three] == [None] * 3
    # What is known to be over is not renewed.
    assert len(requests(place, REFRESH)) == asked


# ---- one tab -----------------------------------------------------------------

@pytest.fixture
def tab(serve, tabs):
    [tab] = tabs(serve(), 1)
    tab.open()
    return tab


def test_nobody_renews_what_is_being_signed_out_of(serve, tabs, people):
    """However long an answer is under way, the last word is the sign-out."""
    place = serve()
    one, two = tabs(place, 2, "window")
    for tab in (one, two):
        tab.open()
    one.sign_in(people.alice)
    one.select().execute_script("""
const real = window.fetch;
window.fetch = async (...request) => {
    const answer = await real(...request);
    await new Promise((go) => { window.arrive = go; });
    return answer;
};""")
    one.begin("postern.refresh()")
    process.wait_until("an answer", lambda: one.select().execute_script(
        "return !!window.arrive"), every=0.05)
    two.begin("postern.signOut()")
    time.sleep(0.5)
    assert requests(place, "/v2/auth/sign-out", 0) == []
    one.select().execute_script("window.arrive()")
    assert one.end() is True
    two.end()
    for tab in (one, two):
        tab.wait_for("signedout", tab is one)
        assert tab.events()[-1] == ("signedout", tab is one)


def test_who_it_is(tab, people):
    assert tab.value("postern.me()") is None
    answer = tab.sign_in(people.alice)
    assert answer["accessToken"]
    assert tab.value("postern.me()") == {
        "sub": people.alice.user_id, "email": people.alice.email,
        "authenticationMethod": "token", "userStatus": "CONFIRMED"}
    left = tab.value("postern.expiresAt - Date.now()")
    assert abs(left / 1000 - answer["expiresIn"]) < 30


def test_nothing_is_kept_where_scripts_find_it(tab, people):
    tab.sign_in(people.alice)
    assert tab.value("localStorage.length + sessionStorage.length") == 0
    assert tab.value("document.cookie") == ""
    assert tab.value("JSON.stringify(postern)") == "{}"


@pytest.mark.parametrize("request_of", [
    "'/echo.cgi', {}", "new Request('/echo.cgi', {})"])
def test_a_request_with_a_body_is_sent_again(tab, people, request_of):
    """To a service of somebody else's, whose refusal has words of its own."""
    tab.sign_in(people.alice)
    forget_access(tab)
    echo = "postern.fetch({}).then((r) => r.text())".format(
        request_of.format("{ method: 'POST', body: 'this' }"))
    assert tab.value(echo) == "this"
    assert requests(tab.place, REFRESH, 1) == [200]
    # A stream can be sent but once.
    forget_access(tab)
    assert tab.value(
        "postern.fetch('/echo.cgi', { method: 'POST', duplex: 'half', "
        "body: new Blob(['this']).stream() })"
        ".then((r) => r.text(), (e) => e.name)") in ("no\n", "TypeError")


def test_other_refusals_are_passed_on(tab, people):
    """A wrong password is not mended by a new cookie."""
    tab.sign_in(people.alice)
    assert tab.value(
        "postern.fetch('/v2/auth/sign-in', { method: 'POST', headers: {"
        "'Content-Type': 'application/json', 'X-Api-Key': "
        f"'{tab.place.api_key}' }}, body: JSON.stringify({{ email: "
        f"'{people.alice.email}', password: 'wrong' }}) }})"
        ".then((r) => r.json())")["errorCode"] == "INVALID_CREDENTIALS"
    assert requests(tab.place, "/v2/auth/sign-in", 2) == [200, 401]
    assert requests(tab.place, REFRESH) == []
    assert tab.value("postern.fetch('/v2/nowhere').then((r) => r.status)") \
        == 404


def test_a_session_that_was_ended(tab, people, ctl):
    tab.sign_in(people.alice)
    ctl("session", "revoke", "--user", people.alice.email)
    assert tab.value("postern.me()") is None
    assert tab.events()[-1] == ("signedout", False)
    # And signing in again is as new.
    tab.sign_in(people.alice)
    assert tab.value("postern.me()")["email"] == people.alice.email


def test_what_is_over_need_not_be_signed_out_of(tab, people, ctl):
    tab.sign_in(people.alice)
    ctl("session", "revoke", "--user", people.alice.email)
    forget_access(tab)
    for _ in range(2):
        tab.value("postern.signOut()")
        assert tab.events() == [("signedin", False), ("signedout", False)]
    assert {one["name"] for one in tab.select().get_cookies()} <= {
        "postern-device"}


@pytest.fixture
def torn(tab, people, sign_in):
    """A tab whose browser holds the access token of one session and the refresh
    token of another, so that signing out is refused; (it, the latter's id)."""
    answer = tab.sign_in(people.alice)
    other = Session(json.loads(sign_in(
        tab.place.pool, people.bob.email, people.bob.password).body))
    tab.select().execute_cdp_cmd("Network.setCookie", {
        "name": "postern-access", "value": other.access, "path": "/",
        "httpOnly": True, "sameSite": "Lax", "url": tab.place.url})
    return tab, Session(answer).sid


def has_ended(cluster, sid):
    return cluster.ask("SELECT ended_why FROM postern.sessions WHERE sid = %s",
                       sid) == [(1,)]


def test_a_refused_sign_out_is_tried_again(torn, cluster):
    tab, sid = torn
    tab.value("postern.signOut()")
    assert requests(tab.place, "/v2/auth/sign-out", 2) == [401, 204]
    assert has_ended(cluster, sid)
    assert tab.events()[-1] == ("signedout", False)


def test_a_refused_sign_out_is_no_success(torn, cluster):
    """Nobody leaves the machine and believes to be signed out."""
    tab, sid = torn
    tab.select().execute_script("""
window.real = window.fetch;
window.fetch = (url, options) => String(url).endsWith('/refresh') ?
    Promise.reject(new TypeError('away')) : real(url, options);""")
    error = tab.error("postern.signOut()")
    assert (error.status, error.errorCode) == (401, "UNAUTHORISED")
    assert ("signedout", False) not in tab.events()
    assert not has_ended(cluster, sid)
    tab.select().execute_script("window.fetch = real")
    tab.value("postern.signOut()")
    assert has_ended(cluster, sid)


def test_sessions(tab, people, tabs):
    tab.sign_in(people.bob)
    forget_access(tab)
    tab.sign_in(people.bob)
    sessions = tab.value("postern.sessions()")
    assert len(sessions) >= 2
    [current] = [one for one in sessions if one["current"]]
    other = next(one for one in sessions if not one["current"])
    tab.value(f"postern.endSession('{other['id']}')")
    left = [one["id"] for one in tab.value("postern.sessions()")]
    assert current["id"] in left and other["id"] not in left
    tab.value("postern.signOut('others')")
    assert [one["id"] for one in tab.value("postern.sessions()")] \
        == [current["id"]]
    assert tab.value("postern.me()")["email"] == people.bob.email
    tab.value("postern.signOut('all')")
    assert tab.value("postern.me()") is None


# ---- a service elsewhere -----------------------------------------------------

@pytest.fixture
def elsewhere(start_pool, start_lighttpd, root, keys):
    """Pages of an origin that the service's allows, and one that it does not.  To
    a browser each port is an origin of its own; all of them are one site."""
    port = process.free_port()
    app = f"http://127.0.0.1:{port}"
    pool = start_pool(allowed_origins=app, **NO_GRACE)
    service = start_lighttpd(web_server.to_socket(pool.address))
    start_lighttpd("", root=root, port=port)
    stranger = start_lighttpd("", root=root)
    return SimpleNamespace(
        pool=pool, api_key=keys.publishable, url=app,
        stranger=f"http://127.0.0.1:{stranger.port}",
        base=f"http://127.0.0.1:{service.port}/v2")


def test_tabs_of_another_origin(elsewhere, tabs, people):
    three = tabs(elsewhere)
    signed_in(three, people.alice, base=elsewhere.base)
    for number in range(1, 3):
        forget_access(three[0])
        for tab in three:
            tab.begin("Promise.all([1, 2, 3].map(() => postern.fetch("
                      f"'{elsewhere.base}/users/me', {{ credentials: "
                      "'include' }).then((r) => r.status)))")
        assert [tab.end() for tab in three] == [[200] * 3] * 3
        assert requests(elsewhere, REFRESH, number) == [200] * number
    assert three[1].value("postern.me()")["email"] == people.alice.email
    assert [one["current"] for one in three[1].value("postern.sessions()")
            ].count(True) == 1
    three[2].value("postern.signOut()")
    for tab in three[:2]:
        tab.wait_for("signedout", True)
    assert [tab.value("postern.me()") for tab in three] == [None] * 3


def test_what_another_origin_sees_of_a_refusal(elsewhere, tabs, people):
    [tab] = tabs(elsewhere, 1)
    tab.open(base=elsewhere.base)
    error = tab.error(f"postern.signIn('{people.alice.email}', 'wrong')")
    assert (error.errorCode, error.status) == ("INVALID_CREDENTIALS", 401)
    assert elsewhere.pool.request_event(error.requestId)["status"] == 401


def test_an_origin_that_is_not_allowed(elsewhere, tabs, people):
    """It signs nobody in, and reads nothing of whoever is."""
    [tab] = tabs(elsewhere, 1)
    tab.open(base=elsewhere.base)
    tab.sign_in(people.alice)
    app, elsewhere.url = elsewhere.url, elsewhere.stranger
    tab.open(base=elsewhere.base)
    for expression in ("postern.me()", "postern.refresh()",
                       "postern.signOut()", "postern.signIn({}, {})".format(
                           json.dumps(people.bob.email),
                           json.dumps(people.bob.password))):
        error = tab.error(expression)
        assert (error.errorCode, error.status) == ("NETWORK", 0), expression
    assert requests(elsewhere, REFRESH, 1) == [403]
    assert tab.events() == []
    elsewhere.url = app
    tab.open(base=elsewhere.base)
    assert tab.value("postern.me()")["email"] == people.alice.email


# ---- refusals ----------------------------------------------------------------

def test_wrong_password(tab, people):
    error = tab.error(f"postern.signIn('{people.alice.email}', 'wrong')")
    assert (error.name, error.errorCode, error.status) == (
        "PosternError", "INVALID_CREDENTIALS", 401)
    assert error.retryAfter is None
    assert tab.place.pool.request_event(error.requestId)["status"] == 401
    assert tab.events() == []


def test_members_at_fault_are_named(tab):
    error = tab.error("postern.signIn('nobody', 'x')")
    assert error.errorCode == "BODY_VALIDATION_FAILED"
    assert set(error.detail) == {"email"}


def test_a_service_that_is_away(serve, tabs, people):
    """Nobody is signed out by that."""
    place = serve()
    [tab] = tabs(place, 1)
    tab.open()
    tab.sign_in(people.alice)
    place.pool.stop()
    forget_access(tab)
    for expression in ("postern.me()", "postern.refresh()"):
        error = tab.error(expression)
        assert error.errorCode == "SERVICE_UNAVAILABLE"  # lighttpd's 503
        assert (error.status, error.requestId) == (503, None)
    assert ("signedout", False) not in tab.events()


def test_a_database_that_is_away(serve, tabs, people, cluster):
    place = serve()
    [tab] = tabs(place, 1)
    tab.open()
    tab.sign_in(people.alice)
    cluster.stop()
    try:
        error = tab.error("postern.refresh()")
    finally:
        cluster.start()
    assert (error.errorCode, error.status) == ("SERVICE_UNAVAILABLE", 503)
    assert error.retryAfter > 0
    process.wait_until("a refresh", lambda: tab.ask(
        "postern.refresh()") == {"value": True}, every=0.2)


@pytest.mark.parametrize("base, code, timeout", [
    ("http://127.0.0.1:1/v2", "NETWORK", 30000), ("/slow", "TIMEOUT", 300)])
def test_no_answer(serve, tabs, base, code, timeout):
    place = serve()
    [tab] = tabs(place, 1)
    tab.open(before="""
const real = window.fetch;
window.fetch = (url, options) => String(url).startsWith('/slow') ?
    new Promise((_, fail) => options.signal.addEventListener('abort',
        () => fail(options.signal.reason))) : real(url, options);""",
             base=base, timeoutMs=timeout)
    error = tab.error("postern.signIn('a@b.test', 'x')")
    assert (error.errorCode, error.status) == (code, 0)
