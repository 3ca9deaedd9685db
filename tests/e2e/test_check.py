"""GET /v2/auth/check and the FastCGI role of an authorizer: who may pass, and that
nothing else is ever taken for a yes."""

import contextlib
import json
import os
import signal
import time

import pytest

from conftest import SIGN_IN
from harness import contract, fastcgi, process, tree
from harness.family import Family
from harness.sessions import ACCESS, Session, ask, signing_out

CHECK = "/v2/auth/check"
NAMES = ("User-Id", "Email", "Session-Id")

# Of an authorizer's yes; the variables are named as CGI would name them.
VARIABLES = {"REMOTE_USER", "POSTERN_USER_ID", "POSTERN_EMAIL",
             "POSTERN_SESSION_ID"}


def signed_in(pool, person, sign_in):
    return Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))


def fresh(pool, person, sign_in):
    """A session whose token is younger than all that the pool may not know: it
    is judged without the database."""
    time.sleep(1 - time.time() % 1 + 0.01)
    return signed_in(pool, person, sign_in)


@pytest.fixture(scope="module")
def alice(pool, people, sign_in):
    return fresh(pool, people.alice, sign_in)


@pytest.fixture(scope="module")
def bob(pool, people, sign_in):
    return signed_in(pool, people.bob, sign_in)


@pytest.fixture(scope="module")
def strict(start_pool_for_session):
    return start_pool_for_session(check="strict")


def check(pool, headers, method="GET", uri=CHECK, **options):
    return ask(pool, method, uri, headers=headers, **options)


def check_passes(answer, session, email):
    assert answer.status == 204, answer
    assert answer.body == b""
    assert answer.header("Content-Length") is None
    assert answer.header_all("Set-Cookie") == []
    assert [answer.header(f"X-Postern-{name}") for name in NAMES] == \
        [session.sub, email, session.sid]


def check_stops(answer, code="INVALID_SESSION_TOKEN", status=401):
    contract.check_refused(answer, status, code)
    assert not any(name.lower().startswith(("x-postern", "variable",
                                            "set-cookie"))
                   for name, _ in answer.headers)


def authorize(pool, headers=(), pairs=None, method="GET", uri="/private/x",
              **more):
    if pairs is None:
        pairs = fastcgi.request_params(method, uri, headers=headers, **more)
    return fastcgi.ask(pool.address, method, uri, role=fastcgi.AUTHORIZER,
                       pairs=pairs)


def check_authorized(answer, session, email):
    assert answer.status == 200, answer
    assert answer.body == b""
    variables = {name.removeprefix("Variable-"): value
                 for name, value in answer.headers
                 if name.startswith("Variable-")}
    assert variables == {
        "REMOTE_USER": session.sub, "POSTERN_USER_ID": session.sub,
        "POSTERN_EMAIL": email, "POSTERN_SESSION_ID": session.sid}
    # Some servers would put more into the protected answer.
    assert len(answer.headers) == len(variables)


# ---- as a responder ----------------------------------------------------------

def test_passes_by_each_way(pool, people, alice, unharmed):
    for headers, uri in ((alice.bearer, CHECK), (alice.cookie, CHECK),
                         ({}, alice.query(CHECK)),
                         ({**alice.bearer, **alice.cookie}, CHECK)):
        check_passes(check(pool, headers, uri=uri), alice, people.alice.email)
    check_passes(check(pool, alice.cookie, method="HEAD"), alice,
                 people.alice.email)


def test_a_cookie_passes_from_any_page(pool, people, alice):
    """Nothing is changed, and a browser shows the answer to no page."""
    check_passes(check(pool, {**alice.cookie, "Sec-Fetch-Site": "cross-site",
                              "Origin": "https://evil.test"}),
                 alice, people.alice.email)


@pytest.mark.parametrize("headers, code", [
    ({}, "UNAUTHORISED"),
    ({"Cookie": "other=1"}, "UNAUTHORISED"),
    ({"Authorization": "Basic YTpi"}, "UNAUTHORISED"),
    ({"Authorization": "Bearer a.b.c"}, "INVALID_SESSION_TOKEN"),
    ({"Cookie": f"{ACCESS}=a.b.c"}, "INVALID_SESSION_TOKEN"),
    ({"X-Postern-User-Id": "me", "X-Original-URI": "/public",
      "X-Forwarded-User": "root", "Remote-User": "root"}, "UNAUTHORISED"),
])
def test_stops_strangers(pool, unharmed, headers, code):
    check_stops(check(pool, headers), code)
    check_stops(authorize(pool, headers), code)


def test_an_api_key_is_no_session(pool, keys):
    for key in (keys.secret, keys.publishable):
        check_stops(check(pool, {"x-api-key": key}), "UNAUTHORISED")
        check_stops(authorize(pool, {"x-api-key": key}), "UNAUTHORISED")


def test_stops_the_expired(pool, expired):
    check_stops(check(pool, expired.cookie), "SESSION_EXPIRED")
    check_stops(authorize(pool, expired.cookie), "SESSION_EXPIRED")


def test_stops_the_forged(pool, alice, bob):
    """One part of another's token, and every character changed."""
    token = alice.access.split(".")
    other = bob.access.split(".")
    for forged in ([token[0], other[1], token[2]],
                   [token[0], token[1], other[2]]):
        check_stops(check(pool, {"Authorization": "Bearer "
                                 + ".".join(forged)}))
    for at in range(0, len(alice.access), 7):
        changed = "A" if alice.access[at] != "A" else "Q"
        text = alice.access[:at] + changed + alice.access[at + 1:]
        check_stops(check(pool, {"Cookie": f"{ACCESS}={text}"}))


def test_two_people_do_not_pass(pool, alice, bob):
    check_stops(check(pool, {**alice.bearer, **bob.cookie}), "UNAUTHORISED")


def test_other_methods(pool, alice):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = check(pool, alice.bearer, method=method)
        contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.header("Allow") == "GET, HEAD"


def test_no_address_but_the_one_passes(pool, alice):
    """A web server that forgot to say which address it wants opens nothing."""
    for uri in ("/", "/private/", "/v2/auth/check/", "/v2/auth/checks",
                "/v2/auth/CHECK", "/auth/check", "/v2/auth/check%2F",
                "/v2//auth/check", "//v2/auth/check", "/private/..//v2/auth"):
        answer = ask(pool, "GET", uri, headers={
            **alice.cookie, "X-Original-URI": CHECK, "X-Rewrite-URL": CHECK},
            ORIGINAL_URI=CHECK, SCRIPT_NAME=CHECK, PATH_INFO=CHECK)
        assert answer.status in (400, 404), (uri, answer)
    pairs = fastcgi.request_params("GET", "/private/", headers=alice.cookie)
    answer = fastcgi.ask(pool.address, "GET", "/private/",
                         pairs=[*pairs, ("REQUEST_URI", CHECK)])
    assert answer.status == 400


def test_an_address_as_a_header(pool, ctl, cluster, sign_in):
    """What people put into an address cannot become another header, and can be
    read back."""
    name = "a%b+ü.漢@exämple.test"
    ctl("user", "add", name, "--password-stdin", stdin=b"something long\n")
    session = Session(contract.check_signed_in(
        sign_in(pool, name, "something long")))
    text = "a%25b+%C3%BC.%E6%BC%A2@ex%C3%A4mple.test"
    check_passes(check(pool, session.bearer), session, text)
    check_authorized(authorize(pool, session.bearer), session, text)


# ---- as an authorizer --------------------------------------------------------

def test_authorizes(pool, people, alice, unharmed):
    for headers in (alice.bearer, alice.cookie):
        check_authorized(authorize(pool, headers), alice, people.alice.email)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE",
                                    "OPTIONS", "PROPFIND", "x"])
@pytest.mark.parametrize("uri", [
    "/private/", "//", "/../../etc/passwd", "/%00", "/%", "/a%2fb", "*",
    "http://other.test/x", "", "/" + "a" * 3000, "/\xff", "/v2/auth/sign-in",
    "/v2/auth/check", "/?sessionId=", "/?sessionId=a&sessionId=b"])
def test_the_protected_address_does_not_matter(pool, people, alice, method,
                                               uri):
    check_authorized(authorize(pool, alice.cookie, method=method, uri=uri),
                     alice, people.alice.email)
    check_stops(authorize(pool, method=method, uri=uri), "UNAUTHORISED")


def test_missing_parameters_do_not_matter(pool, people, alice):
    cookie = ("HTTP_COOKIE", alice.cookie["Cookie"])
    check_authorized(authorize(pool, pairs=[cookie]), alice,
                     people.alice.email)
    check_authorized(
        authorize(pool, pairs=[cookie, ("CONTENT_LENGTH", "5"),
                               ("REMOTE_ADDR", "nowhere"),
                               ("REQUEST_URI", "/a"), ("REQUEST_URI", "/b")]),
        alice, people.alice.email)
    check_stops(authorize(pool, pairs=[("X", "y")]), "UNAUTHORISED")


def test_the_protected_query_is_not_looked_at(pool, alice):
    """A link with a session in it would choose who its reader is."""
    check_stops(authorize(pool, uri=alice.query("/private/")), "UNAUTHORISED")


def test_a_place_judges_its_own_forms(pool, people, alice):
    """Whether a cross-site POST to it was meant is for the place to say."""
    check_authorized(
        authorize(pool, {**alice.cookie, "Sec-Fetch-Site": "cross-site",
                         "Origin": "https://evil.test"}, method="POST"),
        alice, people.alice.email)


def test_cookies_of_tls(pool, people, alice):
    """The name that counts is the one that would be set."""
    header = {"Cookie": f"__Host-{ACCESS}={alice.access}"}
    check_authorized(authorize(pool, header, https=True), alice,
                     people.alice.email)
    check_stops(authorize(pool, header), "UNAUTHORISED")
    check_stops(authorize(pool, alice.cookie, https=True), "UNAUTHORISED")


def test_a_filter_is_nobody(pool, alice):
    answer = fastcgi.ask(pool.address, "GET", CHECK, headers=alice.cookie,
                         role=fastcgi.FILTER)
    assert answer.output == b""


# ---- the database ------------------------------------------------------------

def test_costs_no_statement(pool, people, alice, cluster):
    before = len(cluster.log())
    for _ in range(10):
        check_passes(check(pool, alice.cookie), alice, people.alice.email)
        assert authorize(pool, alice.cookie).status == 200
    assert "postern_service" not in cluster.log()[before:]


def test_only_reads(strict, people, cluster, sign_in):
    session = signed_in(strict, people.alice, sign_in)

    def rows():
        return cluster.ask("SELECT * FROM postern.sessions WHERE sid = %s",
                           session.sid)
    written, before = rows(), len(cluster.log())
    check_passes(check(strict, session.cookie), session, people.alice.email)
    assert authorize(strict, session.cookie).status == 200
    said = cluster.log()[before:]
    assert "postern_service" in said
    for word in ("INSERT", "UPDATE", "DELETE"):
        assert word not in said
    assert rows() == written


def test_strict_sees_what_others_ended(strict, people, ctl, sign_in):
    session = signed_in(strict, people.alice, sign_in)
    assert check(strict, session.cookie).status == 204
    ctl("session", "revoke", session.sid)
    check_stops(check(strict, session.cookie))
    check_stops(authorize(strict, session.cookie))


@pytest.mark.parametrize("status", [
    "unconfirmed", "force-change-password", "reset-required",
    "external-provider", "disabled"])
def test_strict_wants_a_confirmed_account(strict, new_person, ctl, cluster,
                                          sign_in, status):
    person = new_person()
    session = signed_in(strict, person, sign_in)
    ctl("user", "set-status", person.email, status)
    # As if it had not ended with that.
    cluster.ask("UPDATE postern.sessions SET ended_at = NULL, ended_why = NULL"
                " WHERE sid = %s", session.sid)
    check_stops(check(strict, session.cookie))
    check_stops(authorize(strict, session.cookie))


def test_database_away(start_pool, sign_in, people, pool):
    """A check that needs it fails closed; one that does not, does not."""
    session = signed_in(pool, people.alice, sign_in)
    away = {"database": "host=/nonexistent user=postern_service",
            "db_timeout_ms": 200}
    strict = start_pool(check="strict", **away)
    fast = start_pool(**away)
    for one in (strict, fast):
        check_stops(check(one, session.cookie), "SERVICE_UNAVAILABLE", 503)
        check_stops(authorize(one, session.cookie), "SERVICE_UNAVAILABLE", 503)
        check_stops(check(one, {"Cookie": f"{ACCESS}=x"}))

    # Both pools have the same keys.
    later = fresh(pool, people.alice, sign_in)
    check_passes(check(fast, later.cookie), later, people.alice.email)
    assert authorize(fast, later.cookie).status == 200
    check_stops(check(strict, later.cookie), "SERVICE_UNAVAILABLE", 503)


# ---- the list of ended sessions ----------------------------------------------

def test_a_session_that_ended_for_reuse(start_pool, people, sign_in, cluster):
    """All workers know at once, and ask nobody."""
    pool = start_pool(refresh_grace_seconds=0, workers=3)
    session = fresh(pool, people.alice, sign_in)
    other = signed_in(pool, people.alice, sign_in)

    def refresh():
        return ask(pool, "POST", "/v2/auth/refresh",
                   {"refreshToken": session.refresh})
    renewed = Session(contract.check_signed_in(refresh()))
    for one in (session, renewed, other):
        check_passes(check(pool, one.cookie), one, people.alice.email)
    contract.check_refused(refresh(), 401, "INVALID_SESSION_TOKEN")

    before = len(cluster.log())
    for _ in range(20):
        check_stops(check(pool, session.cookie))
        check_stops(authorize(pool, renewed.cookie))
        check_passes(check(pool, other.cookie), other, people.alice.email)
    assert "postern_service" not in cluster.log()[before:]


@pytest.mark.parametrize("scope, stay", [
    ("this", "others"), ("others", "this"), ("all", "")])
def test_sessions_that_were_signed_out(pool, new_person, sign_in, cluster,
                                       scope, stay):
    person = new_person()
    this = fresh(pool, person, sign_in)
    others = [signed_in(pool, person, sign_in) for _ in range(3)]
    answer = ask(pool, "POST", "/v2/auth/sign-out", {"scope": scope},
                 headers=this.bearer)
    assert answer.status == 204, answer

    before = len(cluster.log())
    for _ in range(10):
        for session, name in ((this, "this"), *((one, "others")
                                                for one in others)):
            if name == stay:
                check_passes(check(pool, session.cookie), session,
                             person.email)
            else:
                check_stops(check(pool, session.cookie))
                check_stops(authorize(pool, session.cookie))
    assert "postern_service" not in cluster.log()[before:]


def test_a_reload_forgets_nothing(start_pool, people, sign_in):
    pool = start_pool(refresh_grace_seconds=0)
    session = fresh(pool, people.alice, sign_in)
    for _ in range(2):
        ask(pool, "POST", "/v2/auth/refresh",
            {"refreshToken": session.refresh})
    check_stops(check(pool, session.cookie))
    pool.reload()
    check_stops(check(pool, session.cookie))


def test_a_reload_learns_what_others_ended(start_pool, people, ctl, sign_in):
    """So an operator need not wait for the token's end."""
    pool = start_pool()
    ended, other = (fresh(pool, people.alice, sign_in) for _ in range(2))
    ctl("session", "revoke", ended.sid)
    assert check(pool, ended.cookie).status == 204
    pool.reload()
    check_stops(check(pool, ended.cookie))
    check_stops(authorize(pool, ended.cookie))
    check_passes(check(pool, other.cookie), other, people.alice.email)


# ---- what the list of ended sessions does not know ---------------------------

def test_a_new_pool_asks_about_older_tokens(start_pool, pool, people, ctl,
                                            sign_in):
    ended = signed_in(pool, people.alice, sign_in)
    other = signed_in(pool, people.alice, sign_in)
    ctl("session", "revoke", ended.sid)
    later = start_pool()
    check_stops(check(later, ended.cookie))
    check_stops(authorize(later, ended.cookie))
    check_passes(check(later, other.cookie), other, people.alice.email)


def is_busy(pool):
    done = process.run([tree.POSTERN, "--listen", f"unix:{pool.address}",
                        "--status"], check=True)
    return b"1 busy" in done.stdout


def test_a_worker_that_died_may_have_ended_some(start_pool, people, ctl,
                                                cluster, sign_in):
    pool = start_pool(workers=1, db_timeout_ms=20000)
    ended, other = (fresh(pool, people.alice, sign_in) for _ in range(2))
    ctl("session", "revoke", ended.sid)
    assert check(pool, ended.cookie).status == 204  # nobody told this pool
    time.sleep(1 - time.time() % 1)

    # Idle, its death means nothing.
    [worker] = pool.workers()
    os.kill(worker, signal.SIGKILL)
    process.wait_until("another worker",
                       lambda: pool.workers() not in ([], [worker]))
    assert check(pool, ended.cookie).status == 204

    [worker] = pool.workers()
    body = json.dumps({"refreshToken": other.refresh}).encode()
    with cluster.frozen(), fastcgi.Connection(pool.address) as connection:
        connection.begin()
        connection.params(fastcgi.request_params(
            "POST", "/v2/auth/refresh", body,
            {"Content-Type": "application/json"}))
        connection.stdin(body)
        process.wait_until("a busy worker", lambda: is_busy(pool))
        os.kill(worker, signal.SIGKILL)
    process.wait_until("another worker",
                       lambda: pool.workers() not in ([], [worker]))
    check_stops(check(pool, ended.cookie))


@pytest.mark.parametrize("method, path, body", (
    ("DELETE", "/v2/auth/sessions/{sid}", None),
    ("POST", "/v2/auth/sign-out", {"scope": "others"}),
))
def test_a_database_that_did_not_answer_may_have_ended_some(
        start_pool, people, ctl, cluster, sign_in, method, path, body):
    pool = start_pool(workers=1, db_timeout_ms=500)
    ended, other, third = (fresh(pool, people.alice, sign_in)
                           for _ in range(3))
    ctl("session", "revoke", ended.sid)
    assert check(pool, ended.cookie).status == 204  # nobody told this pool
    time.sleep(1 - time.time() % 1)
    with contextlib.closing(cluster.connect()) as rival:
        rival.autocommit = False
        rival.cursor().execute("SELECT FROM postern.sessions WHERE sid = %s"
                               " FOR UPDATE", [third.sid])
        assert ask(pool, method, path.format(sid=third.sid), body,
                   other.bearer).status == 503
    process.wait_until("the database", lambda: ask(
        pool, "GET", "/v2/auth/health/ready").status == 200)
    check_stops(check(pool, ended.cookie))


@pytest.mark.parametrize("reloads", (0, 1))
def test_what_is_ended_for_a_parent_that_died(start_pool, new_person, cluster,
                                              sign_in, reloads):
    """A worker that outlives its parent has a list of its own."""
    person = new_person()
    pool = start_pool(workers=1, standby="always", db_timeout_ms=20000)
    first, session = (signed_in(pool, person, sign_in) for _ in range(2))
    with Family(pool, workers=1) as family, \
            signing_out(cluster, pool, first) as (rival, connection):
        family.kill()
        family.follow()
        for _ in range(reloads):
            family.reload()
        time.sleep(1 - time.time() % 1 + 0.01)
        session = Session(contract.check_signed_in(ask(
            pool, "POST", "/v2/auth/refresh",
            {"refreshToken": session.refresh})))
        check_passes(check(pool, session.cookie), session, person.email)
        rival.rollback()
        assert connection.answer().status == 204
        check_stops(check(pool, session.cookie))


def test_a_lone_process_asks_about_all(settings, people, sign_in, pool, room,
                                       ctl):
    """Plain CGI shares no list with anybody."""
    from harness.postern import write_settings
    from harness.tree import POSTERN
    config = write_settings(room / "settings", settings)

    def once(session):
        done = process.run([POSTERN, "--config", config], env={
            "REQUEST_METHOD": "GET", "REQUEST_URI": CHECK,
            "REMOTE_ADDR": "192.0.2.7", "GATEWAY_INTERFACE": "CGI/1.1",
            "HTTP_AUTHORIZATION": session.bearer["Authorization"]})
        return fastcgi.Answer(done.stdout)
    session = fresh(pool, people.alice, sign_in)
    check_passes(once(session), session, people.alice.email)
    ctl("session", "revoke", session.sid)
    check_stops(once(session))


# ---- the log -----------------------------------------------------------------

def test_what_passes_is_not_worth_a_line(start_pool, people, sign_in):
    pool = start_pool()
    session = signed_in(pool, people.alice, sign_in)
    assert check(pool, session.cookie).status == 204
    assert authorize(pool, session.cookie).status == 200
    stopped = authorize(pool, uri="/private/x").header("X-Request-Id")
    event = pool.request_event(stopped)
    assert (event["path"], event["status"]) == ("/private/x", 401)
    assert [event["path"] for event in pool.events("request")] == \
        [SIGN_IN, "/private/x"]

    pool = start_pool(log_level="debug")
    passed = check(pool, session.cookie).header("X-Request-Id")
    assert pool.request_event(passed)["level"] == "debug"
    assert session.access not in pool.log()
    assert json.loads(pool.log().splitlines()[0])["event"] == "start"
