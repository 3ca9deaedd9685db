"""Who may come in: API keys, access tokens by header, query and cookie, and what
contradicts each other."""

import pytest

from conftest import SIGN_IN
from harness import contract
from harness.sessions import ACCESS, Session, ask

ME = "/v2/users/me"


@pytest.fixture(scope="module")
def alice(pool, people, sign_in):
    return Session(contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password)))


@pytest.fixture(scope="module")
def alice_elsewhere(pool, people, sign_in):
    return Session(contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password)))


@pytest.fixture(scope="module")
def bob(pool, people, sign_in):
    return Session(contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password)))


def check_is(answer, person, method):
    assert answer.status == 200, answer
    assert contract.json_body(answer) == {
        "sub": person.user_id, "authenticationMethod": method,
        "email": person.email, "userStatus": "CONFIRMED"}


# ---- each way in -------------------------------------------------------------

def test_bearer(pool, people, alice):
    check_is(ask(pool, "GET", ME, headers=alice.bearer), people.alice, "token")


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "Bearer   "])
def test_bearer_is_a_word_in_any_case(pool, people, alice, scheme):
    check_is(ask(pool, "GET", ME, headers={
        "Authorization": scheme + alice.access}), people.alice, "token")


def test_query(pool, people, alice):
    check_is(ask(pool, "GET", alice.query(ME)), people.alice, "token")


def test_cookie(pool, people, alice):
    check_is(ask(pool, "GET", ME, headers=alice.cookie), people.alice, "token")


def test_secret_key(pool, people, keys):
    check_is(ask(pool, "GET", ME, headers={"x-api-key": keys.secret}),
             people.alice, "apiKey")


def test_session_beside_a_key(pool, people, keys, alice, bob):
    for key in (keys.publishable, keys.secret):
        check_is(ask(pool, "GET", ME, headers={"x-api-key": key,
                                               **alice.bearer}),
                 people.alice, "token")
    check_is(ask(pool, "GET", ME, headers={"x-api-key": keys.publishable,
                                           **bob.cookie}),
             people.bob, "token")


def test_all_ways_at_once_agree(pool, people, keys, alice):
    check_is(ask(pool, "GET", alice.query(ME), headers={
        "x-api-key": keys.secret, **alice.bearer, **alice.cookie}),
        people.alice, "token")


def test_any_client_may_sign_in(pool, people, alice, bob):
    """A session id is a client like an API key."""
    body = {"email": people.bob.email, "password": people.bob.password}
    contract.check_signed_in(ask(pool, "POST", SIGN_IN, body, alice.bearer))
    contract.check_signed_in(ask(pool, "POST", alice.query(SIGN_IN), body))


def test_a_cookie_is_no_client(pool, people, alice):
    """It says who sits there, not which program asks."""
    contract.check_refused(ask(pool, "POST", SIGN_IN, {
        "email": people.alice.email, "password": people.alice.password},
        alice.cookie), 401, "UNAUTHORISED")


# ---- refusals ----------------------------------------------------------------

def test_nothing(pool, start_pool):
    contract.check_refused(ask(pool, "GET", ME), 401, "UNAUTHORISED")
    optional = start_pool(client_auth="optional")
    contract.check_refused(ask(optional, "GET", ME), 401, "UNAUTHORISED")


def test_publishable_key_is_nobody(pool, keys):
    contract.check_refused(
        ask(pool, "GET", ME, headers={"x-api-key": keys.publishable}), 403,
        "FORBIDDEN")


@pytest.mark.parametrize("name", ["revoked", "expired", "forged"])
def test_bad_key(pool, keys, alice, name):
    for more in ({}, alice.bearer):
        contract.check_refused(
            ask(pool, "GET", ME, headers={"x-api-key": getattr(keys, name),
                                          **more}), 401, "UNAUTHORISED")


def damaged(token):
    """A token with its signature's first character changed."""
    head, claims, signature = token.split(".")
    return ".".join((head, claims,
                     ("A" if signature[0] != "A" else "B") + signature[1:]))


def ways(token):
    """(uri, headers) for each way to show a token."""
    return [(ME, {"Authorization": f"Bearer {token}"}),
            (f"{ME}?sessionId={token}", {}),
            (ME, {"Cookie": f"{ACCESS}={token}"})]


def test_damaged_tokens(pool, alice):
    for token in (damaged(alice.access), "nonsense", "a.b.c", alice.refresh,
                  alice.access[:-1], alice.access + "A"):
        for uri, headers in ways(token):
            contract.check_refused(ask(pool, "GET", uri, headers=headers), 401,
                                   "INVALID_SESSION_TOKEN")


def test_expired_tokens(pool, expired):
    for uri, headers in ways(expired.access):
        contract.check_refused(ask(pool, "GET", uri, headers=headers), 401,
                               "SESSION_EXPIRED")


def test_empty_tokens(pool):
    for headers in ({"Authorization": "Bearer "}, {"Cookie": f"{ACCESS}="}):
        contract.check_refused(ask(pool, "GET", ME, headers=headers), 401,
                               "INVALID_SESSION_TOKEN")
    contract.check_refused(ask(pool, "GET", f"{ME}?sessionId="), 400,
                           "QUERY_VALIDATION_FAILED")


def test_two_sessions_contradict_each_other(pool, alice, alice_elsewhere, bob):
    for other in (alice_elsewhere, bob):
        for uri, headers in (
                (other.query(ME), alice.bearer),
                (other.query(ME), alice.cookie),
                (ME, {**other.bearer, **alice.cookie})):
            contract.check_refused(ask(pool, "GET", uri, headers=headers), 401,
                                   "UNAUTHORISED")


def test_a_key_contradicts_another_persons_session(pool, keys, bob):
    for uri, headers in ((ME, bob.bearer), (bob.query(ME), {}),
                         (ME, bob.cookie)):
        contract.check_refused(
            ask(pool, "GET", uri, headers={"x-api-key": keys.secret,
                                           **headers}), 401, "UNAUTHORISED")


def test_a_bad_token_is_not_outvoted(pool, alice, expired):
    for token, code in ((damaged(alice.access), "INVALID_SESSION_TOKEN"),
                        (expired.access, "SESSION_EXPIRED")):
        for uri, headers in ways(token):
            if "Authorization" not in headers:
                headers = {**alice.bearer, **headers}
            else:
                headers = {**headers, **alice.cookie}
            contract.check_refused(ask(pool, "GET", uri, headers=headers), 401,
                                   code)


def test_two_sessions_contradict_each_other_beside_a_bad_token(pool, alice, bob,
                                                              expired):
    for token in (damaged(alice.access), expired.access):
        contract.check_refused(ask(pool, "GET", bob.query(ME), headers={
            "Authorization": f"Bearer {token}", **alice.cookie}), 401,
            "UNAUTHORISED")


@pytest.mark.parametrize("cookie, status, code", [
    ("{a}; {a}", 200, None),
    ("x=1; {a}; y=2", 200, None),
    ("{a}, y=2", 200, None),
    ("{a}; {b}", 401, "INVALID_SESSION_TOKEN"),
    ("{a}; postern-access=", 401, "INVALID_SESSION_TOKEN"),
    ("x=1, {a}", 401, "INVALID_SESSION_TOKEN"),
    ("__Host-{a}", 401, "UNAUTHORISED"),
    ("x=1", 401, "UNAUTHORISED"),
])
def test_cookie_lines(pool, alice, bob, cookie, status, code):
    line = cookie.format(a=f"{ACCESS}={alice.access}",
                         b=f"{ACCESS}={bob.access}")
    answer = ask(pool, "GET", ME, headers={"Cookie": line})
    if code is None:
        assert answer.status == status
    else:
        contract.check_refused(answer, status, code)


def test_two_cookie_lines(pool, alice, bob):
    """nginx hands each over as a param of its own."""
    def lines(*values):
        return [("Cookie", value) for value in values]

    from harness import fastcgi
    mine, other = (f"{ACCESS}={one.access}" for one in (alice, bob))
    assert fastcgi.ask(pool.address, "GET", ME,
                       headers=lines("x=1", mine)).status == 200
    contract.check_refused(
        fastcgi.ask(pool.address, "GET", ME, headers=lines(mine, other)), 401,
        "INVALID_SESSION_TOKEN")


def test_over_https_only_the_protected_name_counts(pool, people, alice):
    check_is(ask(pool, "GET", ME, headers={
        "Cookie": f"__Host-{ACCESS}={alice.access}"}, https=True),
        people.alice, "token")
    contract.check_refused(
        ask(pool, "GET", ME, headers=alice.cookie, https=True), 401,
        "UNAUTHORISED")


# ---- what the database says --------------------------------------------------

@pytest.mark.parametrize("status, word", [
    ("unconfirmed", "UNCONFIRMED"),
    ("force-change-password", "FORCE_CHANGE_PASSWORD"),
    ("reset-required", "RESET_REQUIRED"),
    ("external-provider", "EXTERNAL_PROVIDER"),
])
def test_status_of_a_keys_owner(pool, new_person, ctl, status, word):
    person = new_person(status=status)
    key = ctl("api-key", "create", "--scope", "secret", "--user", person.email)
    answer = ask(pool, "GET", ME, headers={"x-api-key": key})
    assert contract.json_body(answer)["userStatus"] == word


def test_disabled_owner(pool, new_person, ctl):
    person = new_person(status="disabled")
    key = ctl("api-key", "create", "--scope", "secret", "--user", person.email)
    contract.check_refused(ask(pool, "GET", ME, headers={"x-api-key": key}),
                           401, "FORBIDDEN")


def test_ended_session(pool, new_person, sign_in, ctl):
    """An access token lives on for a while; who it is, nobody tells any more."""
    person = new_person()
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    check_is(ask(pool, "GET", ME, headers=session.bearer), person, "token")
    ctl("session", "revoke", session.sid)
    contract.check_refused(ask(pool, "GET", ME, headers=session.bearer), 401,
                           "INVALID_SESSION_TOKEN")


def test_deleted_person(pool, new_person, sign_in, ctl):
    person = new_person()
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    ctl("user", "delete", person.email, "--yes")
    contract.check_refused(ask(pool, "GET", ME, headers=session.bearer), 401,
                           "INVALID_SESSION_TOKEN")


def test_a_keys_use_is_noted_at_most_hourly(pool, people, ctl, cluster):
    """Read by people; so one write an hour is enough."""
    from conftest import key_id
    key = ctl("api-key", "create", "--scope", "secret", "--user",
              people.alice.email)

    def last_used():
        [(at,)] = cluster.ask("SELECT last_used_at FROM postern.api_keys "
                              "WHERE key_id = %s", key_id(key))
        return at

    def set_back(interval):
        cluster.ask("UPDATE postern.api_keys SET last_used_at = now() - "
                    "%s::interval WHERE key_id = %s", interval, key_id(key))
        return last_used()

    def use():
        assert ask(pool, "GET", ME,
                   headers={"x-api-key": key}).status == 200

    assert last_used() is None
    use()
    first = last_used()
    assert first is not None
    use()
    assert last_used() == first
    noted = set_back("59 minutes")
    use()
    assert last_used() == noted
    noted = set_back("61 minutes")
    use()
    assert last_used() > noted
