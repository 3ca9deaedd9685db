"""Sessions: opened by a program, kept by a browser, listed, ended, and signed out
of."""

import json

import pytest

from harness import contract
from harness.postern import Ctl, write_settings
from harness.sessions import ACCESS, OWN_PAGE, REFRESH, Session, ask, cleared

SESSION = "/v2/auth/session"
SESSIONS = "/v2/auth/sessions"
SIGN_OUT = "/v2/auth/sign-out"
REFRESH_URI = "/v2/auth/refresh"
ME = "/v2/users/me"

APP = "https://app.test"
OTHER_PAGE = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture(scope="module")
def pool(start_pool_for_session, people, keys):
    return start_pool_for_session(
        allowed_origins=f"{APP}, http://localhost:3000",
        refresh_grace_seconds=2)


@pytest.fixture
def person(new_person):
    return new_person()


@pytest.fixture
def secret_key(ctl, person):
    return ctl("api-key", "create", "--scope", "secret", "--user",
               person.email)


@pytest.fixture
def open_session(pool, person, sign_in):
    def open_one(**options):
        return Session(contract.check_signed_in(
            sign_in(pool, person.email, person.password, **options)))
    return open_one


@pytest.fixture
def session(open_session):
    return open_session()


@pytest.fixture
def expired(start_pool, person, sign_in):
    """A session that lives, with an access token that does not."""
    import time
    pool = start_pool(access_token_seconds=1)
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    time.sleep(max(0, session.claims["exp"] - time.time() + 0.1))
    return session


def check_done(answer):
    """A 204 with nothing in it."""
    assert answer.status == 204, answer
    assert answer.body == b""
    assert answer.header("Content-Type") is None
    assert answer.header("Content-Length") is None


def lives(pool, session):
    """Can it be refreshed?"""
    answer = ask(pool, "POST", REFRESH_URI, {"refreshToken": session.refresh})
    if answer.status != 200:
        contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
    return answer.status == 200


def audit(cluster, person, kind=4):
    return cluster.ask(
        "SELECT sid::text, reason, address FROM postern.audit_events WHERE "
        "user_id = %s AND kind = %s ORDER BY at, event_id", person.user_id,
        kind)


# ---- GET /auth/session: a program opens one ----------------------------------

def test_a_key_opens_a_session(pool, person, secret_key, cluster):
    answer = ask(pool, "GET", SESSION, headers={"x-api-key": secret_key,
                                                "User-Agent": "job"})
    session = Session(contract.check_signed_in(answer))
    assert session.sub == person.user_id
    assert session.claims["amr"] == ["apikey"]
    assert session.claims["email"] == person.email
    # The access token is the session id, by either way.
    for uri, headers in ((ME, session.bearer), (session.query(ME), {})):
        body = contract.json_body(ask(pool, "GET", uri, headers=headers))
        assert body["authenticationMethod"] == "token"
    [(device, last)] = cluster.ask(
        "SELECT device, last_sign_in_at FROM postern.sessions JOIN "
        "postern.users USING (user_id) WHERE sid = %s", session.sid)
    assert (device, last) == ("job", None)  # nobody has signed in
    assert cluster.ask("SELECT reason FROM postern.audit_events WHERE "
                       "user_id = %s", person.user_id) == [("api_key",)]


def test_it_stays_a_programs_session(pool, secret_key, cluster):
    session = Session(contract.check_signed_in(
        ask(pool, "GET", SESSION, headers={"x-api-key": secret_key})))
    answer = ask(pool, "POST", REFRESH_URI, {"refreshToken": session.refresh})
    again = Session(contract.check_signed_in(answer))
    assert again.claims["amr"] == ["apikey"]
    assert again.sid == session.sid


def test_a_revoked_key_takes_its_sessions_with_it(pool, ctl, secret_key,
                                                  session, person):
    from conftest import key_id
    other = ctl("api-key", "create", "--scope", "secret", "--user",
                person.email)
    opened = [Session(contract.check_signed_in(
        ask(pool, "GET", SESSION, headers={"x-api-key": key})))
        for key in (secret_key, other)]
    ctl("api-key", "revoke", key_id(secret_key))
    assert [lives(pool, one) for one in opened] == [False, True]
    assert lives(pool, session)
    contract.check_refused(
        ask(pool, "GET", SESSION, headers={"x-api-key": secret_key}), 401,
        "UNAUTHORISED")


def test_a_session_beside_the_key_must_be_the_owners(pool, secret_key, session,
                                                     people, sign_in):
    contract.check_signed_in(ask(pool, "GET", SESSION, headers={
        "x-api-key": secret_key, **session.bearer}))
    other = Session(contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password)))
    contract.check_refused(ask(pool, "GET", SESSION, headers={
        "x-api-key": secret_key, **other.bearer}), 401, "UNAUTHORISED")


def test_only_a_secret_key_opens_one(pool, start_pool, keys, session):
    for used in (pool, start_pool(client_auth="optional")):
        contract.check_refused(ask(used, "GET", SESSION), 401, "UNAUTHORISED")
    for headers in (session.bearer, session.cookie):
        contract.check_refused(ask(pool, "GET", SESSION, headers=headers), 401,
                               "UNAUTHORISED")
    for more in ({}, session.bearer):
        contract.check_refused(
            ask(pool, "GET", SESSION, headers={"x-api-key": keys.publishable,
                                               **more}), 403, "FORBIDDEN")
    for name in ("revoked", "expired", "forged"):
        contract.check_refused(
            ask(pool, "GET", SESSION,
                headers={"x-api-key": getattr(keys, name)}), 401,
            "UNAUTHORISED")


@pytest.mark.parametrize("status, code", [
    ("unconfirmed", "USER_NOT_CONFIRMED"),
    ("force-change-password", "FORCE_CHANGE_PASSWORD"),
    ("reset-required", "PASSWORD_RESET_REQUIRED"),
    ("external-provider", "SSO_ACCOUNT"),
    ("disabled", "FORBIDDEN"),
])
def test_status_of_the_owner(pool, ctl, person, secret_key, status, code):
    ctl("user", "set-status", person.email, status)
    contract.check_refused(
        ask(pool, "GET", SESSION, headers={"x-api-key": secret_key}), 401,
        code)


# ---- PUT /auth/session: a browser keeps one ----------------------------------

def keep(pool, session, headers, **more):
    return ask(pool, "PUT", SESSION, {"refreshToken": session.refresh, **more},
               headers)


def test_cookies_for_a_token(pool, session, keys):
    clients = ({"x-api-key": keys.publishable}, session.bearer)
    for headers in clients:
        answer = keep(pool, session, headers)
        check_done(answer)
        found = contract.cookies(answer)
        assert found[REFRESH][0] == session.refresh
        assert found[REFRESH][1]["path"] == "/v2/auth"
        assert found[ACCESS][1]["path"] == "/"
        kept = {"Cookie": f"{ACCESS}={found[ACCESS][0]}"}
        body = contract.json_body(ask(pool, "GET", ME, headers=kept))
        assert body["sub"] == session.sub
    check_done(ask(pool, "PUT", session.query(SESSION),
                   {"refreshToken": session.refresh}))


def test_a_key_keeps_the_sessions_of_its_owner(pool, ctl, session, secret_key,
                                               keys, people, cluster):
    """As beside an access token: whoever a key belongs to, it speaks for nobody
    else."""
    def row():
        return cluster.ask("SELECT token_hash, rotated_at, ended_at FROM "
                           "postern.sessions WHERE sid = %s", session.sid)

    cluster.ask("UPDATE postern.sessions SET rotated_at = now() - "
                "interval '1 hour' WHERE sid = %s", session.sid)
    before = row()
    bobs = [ctl("api-key", "create", "--scope", scope, "--user",
                people.bob.email) for scope in ("secret", "publishable")]
    for key in (keys.secret, *bobs):
        answer = keep(pool, session, {"x-api-key": key})
        contract.check_refused(answer, 401, "UNAUTHORISED")
        event = pool.request_event(answer.header("X-Request-Id"))
        assert event["outcome"] == "two_sessions"
    assert row() == before
    # A front end's key belongs to nobody, as a rule, and is for everybody.
    for key in (secret_key, keys.publishable):
        check_done(keep(pool, session, {"x-api-key": key}))
        check_done(keep(pool, session, {"x-api-key": key, **session.bearer}))


def test_keeping_does_not_rotate(pool, session, keys, cluster):
    """The frame that it is done in may be loaded again."""
    cluster.ask("UPDATE postern.sessions SET rotated_at = now() - "
                "interval '1 hour' WHERE sid = %s", session.sid)
    for _ in range(2):
        answer = keep(pool, session, session.bearer)
        assert contract.cookies(answer)[REFRESH][0] == session.refresh
    assert cluster.ask("SELECT generation FROM postern.sessions WHERE sid = %s",
                       session.sid) == [(0,)]


def test_keeping_an_old_token_ends_the_session(pool, session, keys, cluster):
    def let_age():
        cluster.ask("UPDATE postern.sessions SET rotated_at = now() - "
                    "interval '1 hour' WHERE sid = %s", session.sid)
    let_age()
    assert lives(pool, session)
    let_age()
    contract.check_refused(keep(pool, session, session.bearer), 401,
                           "INVALID_SESSION_TOKEN")
    assert cluster.ask("SELECT ended_why FROM postern.sessions WHERE sid = %s",
                       session.sid) == [(2,)]


@pytest.mark.parametrize("url", [
    APP, APP + "/", APP + "/a?b=c#d", APP + "?x", APP + "#x",
    "HTTPS://App.Test/", "http://localhost:3000/x", APP + "/" + "x" * 880,
])
def test_and_on_to_an_allowed_origin(pool, session, url):
    answer = keep(pool, session, session.bearer, redirectUrl=url)
    assert answer.status == 303, answer
    assert answer.header("Location") == url
    assert answer.body == b""
    assert len(contract.cookies(answer)) == 2


@pytest.mark.parametrize("url", [
    "", "/", "/v2", "//app.test/", "app.test", "https:app.test",
    "https:/app.test/", "http://app.test/", "https://app.test:443/",
    "https://app.test:8443/", "https://app.test.evil.test/",
    "https://evil.test/?https://app.test/", "https://evil.test/https://app.test",
    "https://app.test@evil.test/", "https://u:p@app.test/",
    "https://app.test\\@evil.test/", "\\\\app.test", "https://app.test\\",
    "https://app.test./", "https://app.test:/", "https://app.test:0443/",
    "https://app.test:443@evil.test/", "https://app.test%2f@evil.test/",
    "https://evil.test\\@app.test/", "///app.test", "https:///app.test/",
    "https://.app.test/", "https://[app.test]/", "https://xn--app.test/",
    " https://app.test/", "https://app.test /", "https://app.test\t/",
    "https://app.test/\r\nSet-Cookie: a=b", "https://app.test/\u0000",
    "https://app.test/\u00e4", "https://\uff41pp.test/", "javascript:alert(1)",
    "data:text/html,x", "https://", "http://localhost/",
    "http://localhost:30000/", APP + "/" + "x" * 900,
])
def test_and_on_to_nowhere_else(pool, session, cluster, url):
    answer = keep(pool, session, session.bearer, redirectUrl=url)
    contract.check_refused(answer, 400, "BODY_VALIDATION_FAILED")
    assert set(json.loads(answer.body)["detail"]) == {"redirectUrl"}


def test_without_allowed_origins_it_leads_nowhere(start_pool, session):
    pool = start_pool()
    contract.check_refused(keep(pool, session, session.bearer,
                                redirectUrl=APP), 400,
                           "BODY_VALIDATION_FAILED")


@pytest.mark.parametrize("body, code", [
    ({}, "BODY_VALIDATION_FAILED"),
    ({"refreshToken": None}, "BODY_VALIDATION_FAILED"),
    ({"refreshToken": 1}, "BODY_VALIDATION_FAILED"),
    ([], "BODY_VALIDATION_FAILED"),
    (b"{", "INVALID_OR_MALFORMED_JSON"),
    (None, "INVALID_INPUT"),
])
def test_bodies_that_keep_nothing(pool, session, body, code):
    headers = {**session.bearer, **session.cookie}
    contract.check_refused(ask(pool, "PUT", SESSION, body, headers), 400, code)


def test_who_may_keep_one(pool, start_pool, session, person, sign_in, keys):
    contract.check_refused(keep(pool, session, {}), 401, "UNAUTHORISED")
    contract.check_refused(keep(pool, session, session.cookie), 401,
                           "UNAUTHORISED")
    check_done(keep(start_pool(client_auth="optional"), session, {}))
    # A session id of one session, a token of another.
    other = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    contract.check_refused(keep(pool, session, other.bearer), 401,
                           "UNAUTHORISED")
    assert lives(pool, session)
    contract.check_refused(ask(pool, "PUT", SESSION, {
        "refreshToken": "x" + session.refresh[1:]},
        {"x-api-key": keys.publishable}), 401, "INVALID_SESSION_TOKEN")


# ---- POST /auth/sign-out -----------------------------------------------------

def ways_to_show(session):
    """(uri, headers, does a browser's page do so)"""
    return [(SIGN_OUT, session.bearer), (session.query(SIGN_OUT), {}),
            (SIGN_OUT, {**session.cookie, **OWN_PAGE})]


@pytest.mark.parametrize("way", [0, 1, 2])
def test_sign_out(pool, session, open_session, person, cluster, way):
    other = open_session()
    uri, headers = ways_to_show(session)[way]
    check_done(ask(pool, "POST", uri, headers=headers))
    assert not lives(pool, session)
    assert lives(pool, other)
    assert audit(cluster, person) == [(session.sid, None, "192.0.2.7")]
    assert cluster.ask("SELECT ended_why FROM postern.sessions WHERE sid = %s",
                       session.sid) == [(1,)]
    # Twice is as good as once.
    check_done(ask(pool, "POST", uri, headers=headers))
    assert len(audit(cluster, person)) == 1


@pytest.mark.parametrize("scope, left", [
    (None, [False, True, True]),
    ("this", [False, True, True]),
    ("others", [True, False, False]),
    ("all", [False, False, False]),
])
def test_scopes(pool, open_session, person, cluster, people, sign_in, scope,
                left):
    sessions = [open_session() for _ in range(3)]
    stranger = Session(contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password)))
    for _ in range(2):
        check_done(ask(pool, "POST", SIGN_OUT, {"scope": scope},
                       sessions[0].bearer))
    assert [lives(pool, one) for one in sessions] == left
    assert lives(pool, stranger)
    assert audit(cluster, person) == [
        (sessions[0].sid, scope if scope in ("others", "all") else None,
         "192.0.2.7")]


def test_many_sessions_end_at_once(pool, session, cluster, person):
    cluster.ask(
        "INSERT INTO postern.sessions (user_id, sid, token_hash, created_at, "
        "rotated_at, expires_at) SELECT %s, gen_random_uuid(), token_hash, "
        "created_at, rotated_at, expires_at FROM postern.sessions, "
        "generate_series(1, 1000) WHERE sid = %s", person.user_id, session.sid)
    check_done(ask(pool, "POST", SIGN_OUT, {"scope": "all"}, session.bearer))
    assert cluster.ask("SELECT count(*) FROM postern.sessions WHERE user_id = "
                       "%s AND ended_at IS NULL", person.user_id) == [(0,)]


def test_cookies_are_cleared_as_they_were_set(pool, person, sign_in):
    for https, names in ((False, {ACCESS, REFRESH}), (
            True, {f"__Host-{ACCESS}", f"__Secure-{REFRESH}"})):
        first = sign_in(pool, person.email, person.password, https=https)
        given = contract.cookies(first)
        session = Session(contract.check_signed_in(first))
        for headers in (session.bearer, {"Cookie": "; ".join(
                f"{name}={value}" for name, (value, _) in given.items())}):
            answer = ask(pool, "POST", SIGN_OUT, headers={**headers,
                                                          **OWN_PAGE},
                         https=https)
            check_done(answer)
            taken = contract.cookies(answer)
            # Which device this is outlives its sessions.
            assert {name for name in given if "device" not in name} == names
            assert set(taken) == names == cleared(answer)
            for name in names:
                assert {key: value for key, value in taken[name][1].items()
                        if key != "max-age"} == \
                    {key: value for key, value in given[name][1].items()
                     if key != "max-age"}


def test_cookies_stay_when_the_others_go(pool, session):
    answer = ask(pool, "POST", SIGN_OUT, {"scope": "others"},
                 {**session.cookie, **OWN_PAGE})
    check_done(answer)
    assert not answer.header_all("Set-Cookie")


def test_with_an_expired_access_token(pool, expired):
    """Whoever comes back after lunch can leave."""
    contract.check_refused(ask(pool, "POST", SIGN_OUT, headers=expired.bearer),
                           401, "SESSION_EXPIRED")
    for _ in range(2):
        answer = ask(pool, "POST", SIGN_OUT, headers={**expired.cookie,
                                                      **OWN_PAGE})
        check_done(answer)
        assert cleared(answer) == {ACCESS, REFRESH}
    assert not lives(pool, expired)


def ended_why(cluster, session):
    [found] = cluster.ask("SELECT ended_why FROM postern.sessions "
                          "WHERE sid = %s", session.sid)
    return found[0]


def revoke(room, pool, settings):
    """What has signed until now is good for nothing any more."""
    ctl = Ctl(write_settings(room / "settings", settings))
    [key] = ctl.json("key", "list")["keys"]
    ctl("key", "new", "--sign-in-seconds", "0")
    ctl("key", "revoke", key["kid"])


def change_setting(name):
    def change(room, pool, settings):
        write_settings(pool.settings_file,
                       {**settings, name: "https://another.test"})
        pool.reload(settings["workers"])
    return change


@pytest.mark.parametrize("change", [
    revoke, change_setting("issuer"), change_setting("audience")],
    ids=["key", "issuer", "audience"])
def test_with_an_access_token_that_is_good_no_more(
        start_pool, settings, room, person, sign_in, cluster, change):
    """A browser knows nothing of keys and issuers; its refresh token is as genuine
    as before, and so is the wish to leave."""
    own = {**settings, "key_dir": room / "keys"}
    Ctl(write_settings(room / "settings", own))("key", "new")
    pool = start_pool(key_dir=own["key_dir"])
    by_cookie, by_body, by_bearer = (Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password))) for _ in range(3))
    change(room, pool, own)
    for session in (by_cookie, by_body, by_bearer):
        contract.check_refused(
            ask(pool, "GET", ME, headers=session.bearer), 401,
            "INVALID_SESSION_TOKEN")

    answer = ask(pool, "POST", SIGN_OUT, headers={**by_cookie.cookie,
                                                  **OWN_PAGE})
    check_done(answer)
    assert cleared(answer) == {ACCESS, REFRESH}
    check_done(ask(pool, "POST", SIGN_OUT, {"refreshToken": by_body.refresh},
                   by_body.bearer))
    contract.check_refused(
        ask(pool, "POST", SIGN_OUT, headers=by_bearer.bearer), 401,
        "INVALID_SESSION_TOKEN")
    assert [ended_why(cluster, one) for one in (
        by_cookie, by_body, by_bearer)] == [1, 1, None]


def test_with_the_refresh_token_alone(pool, open_session, expired):
    by_cookie, by_body = open_session(), open_session()
    check_done(ask(pool, "POST", SIGN_OUT, headers={
        "Cookie": f"{REFRESH}={by_cookie.refresh}", **OWN_PAGE}))
    check_done(ask(pool, "POST", SIGN_OUT, {"refreshToken": by_body.refresh}))
    check_done(ask(pool, "POST", SIGN_OUT, {"refreshToken": expired.refresh},
                   expired.bearer))
    for session in (by_cookie, by_body, expired):
        assert not lives(pool, session)


def test_with_an_old_refresh_token(pool, session, cluster):
    """It is good for nothing else, but it has been this session's."""
    cluster.ask("UPDATE postern.sessions SET generation = 7, token_hash = "
                "sha256('x') WHERE sid = %s", session.sid)
    check_done(ask(pool, "POST", SIGN_OUT, {"refreshToken": session.refresh}))
    assert cluster.ask("SELECT ended_why FROM postern.sessions WHERE sid = %s",
                       session.sid) == [(1,)]


def bad_access(session):
    """Ways to show a session whose access token is none: a refresh token has to
    do."""
    rubbish = {"Authorization": "Bearer rubbish"}
    return [
        (SIGN_OUT, rubbish), (f"{SIGN_OUT}?sessionId=rubbish", {}),
        (SIGN_OUT, {"Cookie": f"{ACCESS}=rubbish", **OWN_PAGE}),
        (SIGN_OUT, {"Cookie": f"{ACCESS}=a; {ACCESS}=b", **OWN_PAGE}),
        (SIGN_OUT, {**rubbish, "Cookie": f"{ACCESS}={session.access}"}),
        (session.query(SIGN_OUT), rubbish),
        (f"{SIGN_OUT}?sessionId=rubbish", session.bearer),
        (SIGN_OUT, {**session.bearer, "Cookie": f"{ACCESS}=a; {ACCESS}=b"}),
    ]


@pytest.mark.parametrize("way", range(8))
def test_a_refresh_token_beside_rubbish(pool, open_session, way):
    session, other = open_session(), open_session()
    uri, headers = bad_access(session)[way]
    shows_access = way >= 4
    for token, code in (("rubbish", "INVALID_SESSION_TOKEN"),
                        (None, "INVALID_SESSION_TOKEN"),
                        # A good access token is not outvoted.
                        (shows_access and other.refresh, "UNAUTHORISED")):
        if token is not False:
            answer = ask(pool, "POST", uri, {"refreshToken": token}, headers)
            assert answer.status == 401
            assert contract.json_body(answer)["errorCode"] == code
    assert lives(pool, session) and lives(pool, other)
    check_done(ask(pool, "POST", uri, {"refreshToken": session.refresh},
                   headers))
    assert not lives(pool, session)
    assert lives(pool, other)


def with_refresh_cookie(session, headers):
    """Headers with this session's refresh token in the cookie, too."""
    before = f"{headers['Cookie']}; " if "Cookie" in headers else ""
    return {**headers, **OWN_PAGE,
            "Cookie": f"{before}{REFRESH}={session.refresh}"}


@pytest.mark.parametrize("scope", ["this", "others", "all"])
def test_tokens_of_two_sessions(pool, open_session, people, sign_in, scope):
    """Which of them is meant, nobody can tell; and no cookie is lost that may still
    be of use."""
    session, mine = open_session(), open_session()
    bobs = Session(contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password)))
    for other in (mine, bobs):
        for uri, headers in ways_to_show(session):
            if "Cookie" in headers:
                headers = {**OWN_PAGE, "Cookie": f"{ACCESS}={session.access}"}
            body = {"scope": scope}
            contract.check_refused(
                ask(pool, "POST", uri, body,
                    with_refresh_cookie(other, headers)), 401, "UNAUTHORISED")
            for beside in (headers, with_refresh_cookie(session, headers)):
                answer = ask(pool, "POST", uri,
                             {**body, "refreshToken": other.refresh}, beside)
                assert answer.status == 401, answer
                assert contract.json_body(answer)["errorCode"] == \
                    "UNAUTHORISED"
                if beside is not headers:
                    assert not cleared(answer)
        # Two refresh tokens are two, also without an access token.
        contract.check_refused(
            ask(pool, "POST", SIGN_OUT, {
                "scope": scope, "refreshToken": other.refresh},
                with_refresh_cookie(session, {})), 401, "UNAUTHORISED")
    assert all(lives(pool, one) for one in (session, mine, bobs))


def test_tokens_of_one_session(pool, open_session):
    """Shown twice is as good as once; and a refresh token that is none says nothing
    beside a good access token."""
    for way in range(3):
        for tokens in (lambda one: ("rubbish", one.refresh),
                       lambda one: (one.refresh, "rubbish"),
                       lambda one: (one.refresh, one.refresh)):
            session = open_session()
            uri, headers = ways_to_show(session)[way]
            body, cookie = tokens(session)
            check_done(ask(pool, "POST", uri, {"refreshToken": body}, {
                **headers, **OWN_PAGE,
                "Cookie": f"{ACCESS}={session.access}; {REFRESH}={cookie}"}))
            assert not lives(pool, session)


def test_a_forged_token_costs_nobody_the_cookies(pool, session):
    """Nothing has ended: the browser can still leave."""
    answer = ask(pool, "POST", SIGN_OUT, {"refreshToken": "rubbish"},
                 with_refresh_cookie(session, {}))
    contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
    answer = ask(pool, "POST", SIGN_OUT, headers={**session.cookie,
                                                  **OWN_PAGE})
    check_done(answer)
    assert cleared(answer) == {ACCESS, REFRESH}


def test_nothing_to_sign_out_of(pool):
    for headers in ({}, OWN_PAGE, {"Cookie": "a=b", **OWN_PAGE}):
        answer = ask(pool, "POST", SIGN_OUT, headers=headers)
        assert answer.status == 401
        assert contract.json_body(answer)["errorCode"] == "UNAUTHORISED"


def test_rubbish_is_taken_away(pool):
    """A page cannot remove these cookies; so they go, although they are nobody's."""
    for name in (ACCESS, REFRESH):
        answer = ask(pool, "POST", SIGN_OUT, headers={
            "Cookie": f"{name}=rubbish", **OWN_PAGE})
        assert answer.status == 401
        assert contract.json_body(answer)["errorCode"] == \
            "INVALID_SESSION_TOKEN"
        assert cleared(answer) == {ACCESS, REFRESH}


@pytest.mark.parametrize("headers", [
    OTHER_PAGE, {}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}])
def test_nobody_elses_page_signs_out_by_cookie(pool, session, headers):
    for cookie in (session.cookie, {"Cookie": f"{ACCESS}={session.access}"},
                   {"Cookie": f"{REFRESH}={session.refresh}"}):
        for scope in ("this", "all"):
            contract.check_refused(
                ask(pool, "POST", SIGN_OUT, {"scope": scope},
                    {**cookie, **headers}), 403, "FORBIDDEN")
    assert lives(pool, session)


def test_nobody_elses_page_takes_cookies_away(pool, session, open_session):
    """A form that shows a session of its author's: it may end that one, but the
    cookies of whoever sends it stay."""
    answer = ask(pool, "POST", session.query(SIGN_OUT), headers=OTHER_PAGE)
    check_done(answer)
    assert not answer.header_all("Set-Cookie")
    for uri in (f"{SIGN_OUT}?sessionId=rubbish", SIGN_OUT):
        answer = ask(pool, "POST", uri, headers=OTHER_PAGE)
        contract.check_refused(answer, 401, answer and json.loads(
            answer.body)["errorCode"])


def test_an_allowed_page_signs_out(pool, session):
    answer = ask(pool, "POST", SIGN_OUT, headers={
        **session.cookie, "Origin": APP, "Sec-Fetch-Site": "same-site"})
    check_done(answer)
    assert cleared(answer) == {ACCESS, REFRESH}
    assert not lives(pool, session)


@pytest.mark.parametrize("body, code", [
    ({"scope": "everything"}, "BODY_VALIDATION_FAILED"),
    ({"scope": ""}, "BODY_VALIDATION_FAILED"),
    ({"scope": "all\u0000"}, "BODY_VALIDATION_FAILED"),
    ({"scope": "ALL"}, "BODY_VALIDATION_FAILED"),
    ({"scope": 1}, "BODY_VALIDATION_FAILED"),
    ({"scope": ["all"]}, "BODY_VALIDATION_FAILED"),
    (["all"], "BODY_VALIDATION_FAILED"),
    ({"refreshToken": 5}, "BODY_VALIDATION_FAILED"),
    ({"refreshToken": ["x"]}, "BODY_VALIDATION_FAILED"),
    ({"refreshToken": {}, "scope": "all"}, "BODY_VALIDATION_FAILED"),
    (b"scope=all", "INVALID_OR_MALFORMED_JSON"),
])
def test_bodies_of_sign_out(pool, session, expired, body, code):
    """Whatever is shown beside them."""
    for uri, headers in [*ways_to_show(session), *ways_to_show(expired),
                         (SIGN_OUT, with_refresh_cookie(session, {})),
                         (SIGN_OUT, OWN_PAGE)]:
        answer = ask(pool, "POST", uri, body, headers)
        contract.check_refused(answer, 400, code)
    assert lives(pool, session)


@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded"])
def test_a_form_signs_nobody_out(pool, session, kind):
    contract.check_refused(
        ask(pool, "POST", SIGN_OUT, b'{"scope":"all"}', {
            "Content-Type": kind, **session.cookie, **OWN_PAGE}), 400,
        "INVALID_INPUT")
    assert lives(pool, session)


# ---- GET and DELETE /auth/sessions -------------------------------------------

def listed(pool, session):
    answer = ask(pool, "GET", SESSIONS, headers=session.bearer)
    assert answer.status == 200, answer
    body = contract.json_body(answer)
    assert set(body) == {"sessions"}
    return body["sessions"]


def test_list(pool, open_session, person, cluster):
    import time
    before = int(time.time())
    first = open_session(headers={"User-Agent": "Phone/1"})
    second = open_session(headers={"User-Agent": "B\u00fcro/2"},
                          REMOTE_ADDR="2001:db8::1")
    third = open_session(headers={"User-Agent": ""})
    found = listed(pool, first)
    assert [one["id"] for one in found] == [first.sid, third.sid, second.sid]
    assert [one["current"] for one in found] == [True, False, False]
    assert [one["device"] for one in found] == ["Phone/1", None, "B\u00fcro/2"]
    assert [one["address"] for one in found] == ["192.0.2.7", "192.0.2.7",
                                                 "2001:db8::1"]
    for one in found:
        assert set(one) == {"id", "current", "createdAt", "refreshedAt",
                            "expiresAt", "address", "device"}
        assert before <= one["createdAt"] == one["refreshedAt"] <= time.time()
        assert one["expiresAt"] - one["createdAt"] == 30 * 86400


def test_list_shows_what_lives(pool, open_session, cluster, people, sign_in):
    session = open_session()
    over = [open_session() for _ in range(3)]
    for one, change in zip(over, (
            "ended_at = now(), ended_why = 1", "expires_at = now()",
            "rotated_at = now() - interval '14 days'")):
        cluster.ask(f"UPDATE postern.sessions SET {change} WHERE sid = %s",
                    one.sid)
    sign_in(pool, people.bob.email, people.bob.password)
    assert [one["id"] for one in listed(pool, session)] == [session.sid]
    for one in over:
        contract.check_refused(ask(pool, "GET", SESSIONS, headers=one.bearer),
                               401, "INVALID_SESSION_TOKEN")


def test_a_long_list_begins_with_the_current_one(pool, session, cluster,
                                                 person):
    cluster.ask(
        "INSERT INTO postern.sessions (user_id, sid, token_hash, created_at, "
        "rotated_at, expires_at) SELECT %s, gen_random_uuid(), token_hash, "
        "created_at, rotated_at, expires_at FROM postern.sessions, "
        "generate_series(1, 150) WHERE sid = %s", person.user_id, session.sid)
    found = listed(pool, session)
    assert len(found) == 100
    assert found[0]["id"] == session.sid and found[0]["current"]


@pytest.mark.parametrize("method, uri", [
    ("GET", SESSIONS), ("DELETE", f"{SESSIONS}/{'0' * 8}-0000-0000-0000-"
                        f"{'0' * 12}")])
def test_who_may_see_and_end(pool, keys, session, method, uri):
    contract.check_refused(ask(pool, method, uri), 401, "UNAUTHORISED")
    for key in (keys.publishable, keys.secret):
        contract.check_refused(
            ask(pool, method, uri, headers={"x-api-key": key}), 401,
            "UNAUTHORISED")
    contract.check_refused(
        ask(pool, method, uri, headers={"Authorization": "Bearer x"}), 401,
        "INVALID_SESSION_TOKEN")
    # A refresh token is no access token.
    contract.check_refused(
        ask(pool, method, uri, headers={
            "Authorization": f"Bearer {session.refresh}"}), 401,
        "INVALID_SESSION_TOKEN")


def test_end_another(pool, open_session, person, cluster):
    session, other, third = (open_session() for _ in range(3))
    for _ in range(2):
        answer = ask(pool, "DELETE", f"{SESSIONS}/{other.sid}",
                     headers={**session.bearer, **OWN_PAGE})
        check_done(answer)
        assert not answer.header_all("Set-Cookie")
    assert [lives(pool, one) for one in (session, other, third)] == [
        True, False, True]
    assert audit(cluster, person) == [(other.sid, None, "192.0.2.7")]


def test_end_the_current_one(pool, session):
    answer = ask(pool, "DELETE", f"{SESSIONS}/{session.sid.upper()}",
                 headers={**session.cookie, **OWN_PAGE})
    check_done(answer)
    assert cleared(answer) == {ACCESS, REFRESH}
    assert not lives(pool, session)
    contract.check_refused(
        ask(pool, "DELETE", f"{SESSIONS}/{session.sid}",
            headers={**session.cookie, **OWN_PAGE}), 401,
        "INVALID_SESSION_TOKEN")


def test_nobody_elses_page_ends_one(pool, session):
    for headers in (OTHER_PAGE, {}):
        contract.check_refused(
            ask(pool, "DELETE", f"{SESSIONS}/{session.sid}",
                headers={**session.cookie, **headers}), 403, "FORBIDDEN")
    assert lives(pool, session)


def test_somebody_elses_session(pool, session, people, sign_in):
    other = Session(contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password)))
    unknown = "01890000-0000-7000-8000-000000000000"
    for sid in (other.sid, unknown):
        contract.check_refused(ask(pool, "DELETE", f"{SESSIONS}/{sid}",
                                   headers=session.bearer), 404, "NOT_FOUND")
    assert lives(pool, other)


@pytest.mark.parametrize("name", [
    "x", "1", "current", "0" * 36, "{01890000-0000-7000-8000-000000000000}",
    "01890000-0000-7000-8000-00000000000", "01890000000070008000000000000000",
    "01890000-0000-7000-8000-0000000000000", "%61", "*", "-"])
def test_what_is_no_name_of_a_session(pool, session, name):
    contract.check_refused(ask(pool, "DELETE", f"{SESSIONS}/{name}",
                               headers=session.bearer), 400,
                           "PATH_VALIDATION_FAILED")


@pytest.mark.parametrize("method, uri, status", [
    ("DELETE", SESSIONS, 405), ("POST", SESSIONS, 405), ("GET", SIGN_OUT, 405),
    ("DELETE", SESSION, 405), ("GET", f"{SESSIONS}/x", 405),
    ("DELETE", f"{SESSIONS}/", 404), ("DELETE", f"{SESSIONS}/x/y", 404),
    ("GET", f"{SESSION}/x", 404), ("GET", f"{SESSIONS}x", 404),
])
def test_addresses(pool, session, method, uri, status):
    answer = ask(pool, method, uri, headers=session.bearer)
    contract.check_refused(answer, status, {
        404: "ENDPOINT_NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}[status])
