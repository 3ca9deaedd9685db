"""401: who is refused, in which words, and what cannot be told apart."""

import statistics
import time

import pytest

from conftest import SIGN_IN
from harness import contract, fastcgi


def without_request_id(answer):
    return [(name, value) for name, value in answer.headers
            if name.lower() != "x-request-id"]


def attempts(people):
    """The three that nobody may tell apart."""
    return {
        "wrong": (people.alice.email, "not " + people.alice.password),
        "unknown": ("nobody@example.test", "any password"),
        "passwordless": (people.passwordless.email, "any password"),
    }


def test_no_enumeration_by_answer(pool, people, sign_in):
    answers = {name: sign_in(pool, *attempt)
               for name, attempt in attempts(people).items()}
    for answer in answers.values():
        contract.check_refused(answer, 401, "INVALID_CREDENTIALS")
    ids = {answer.header("X-Request-Id") for answer in answers.values()}
    assert len(ids) == 3
    first = answers["wrong"]
    for answer in answers.values():
        assert answer.body == first.body
        assert without_request_id(answer) == without_request_id(first)
        assert len(answer.output) == len(first.output)


def test_status_is_not_told_to_who_lacks_the_password(pool, people, sign_in):
    first = sign_in(pool, *attempts(people)["unknown"])
    for name in ("unconfirmed", "force_change", "reset", "external",
                 "disabled"):
        person = getattr(people, name)
        answer = sign_in(pool, person.email, "not " + person.password)
        assert answer.body == first.body, name
        assert without_request_id(answer) == without_request_id(first), name


@pytest.mark.timeout(600)
def test_no_enumeration_by_time(start_pool, people, sign_in, ctl):
    """Equal work: with a hash long enough to stand out of the noise, each of the
    three takes about as long.  (N=2^13: some 60 ms.)"""
    pool = start_pool(scrypt_log2_n=13, workers=1)
    # The stored verifier must have the cost of the settings, as it has after
    # the first sign-in.
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    times = {name: [] for name in attempts(people)}
    for _ in range(9):
        for name, attempt in attempts(people).items():
            start = time.perf_counter()
            sign_in(pool, *attempt)
            times[name].append(time.perf_counter() - start)
    middle = {name: statistics.median(seen) for name, seen in times.items()}
    for name in ("unknown", "passwordless"):
        assert 0.6 < middle[name] / middle["wrong"] < 1.67, middle


@pytest.mark.parametrize("name, code", [
    ("unconfirmed", "USER_NOT_CONFIRMED"),
    ("force_change", "FORCE_CHANGE_PASSWORD"),
    ("reset", "PASSWORD_RESET_REQUIRED"),
    ("external", "SSO_ACCOUNT"),
    ("disabled", "FORBIDDEN"),
])
def test_status_after_the_right_password(pool, people, sign_in, cluster, name,
                                         code):
    person = getattr(people, name)
    contract.check_refused(sign_in(pool, person.email, person.password), 401,
                           code)
    assert cluster.ask("SELECT count(*) FROM postern.sessions "
                       "WHERE user_id = %s", person.user_id) == [(0,)]


def test_password_that_is_too_old(start_pool, new_person, sign_in, cluster):
    person = new_person()
    pool = start_pool(password_max_age_days=30)
    contract.check_signed_in(sign_in(pool, person.email, person.password))
    cluster.ask("UPDATE postern.logins SET pw_changed_at = now() - "
                "interval '31 days' WHERE user_id = %s", person.user_id)
    contract.check_refused(sign_in(pool, person.email, person.password), 401,
                           "PASSWORD_EXPIRED")
    contract.check_refused(sign_in(pool, person.email, "wrong"), 401,
                           "INVALID_CREDENTIALS")


def test_changed_status_and_password_count_at_once(pool, new_person, sign_in,
                                                   ctl):
    person = new_person()
    contract.check_signed_in(sign_in(pool, person.email, person.password))
    ctl("user", "set-status", person.email, "disabled")
    contract.check_refused(sign_in(pool, person.email, person.password), 401,
                           "FORBIDDEN")
    ctl("user", "set-status", person.email, "confirmed")
    ctl("user", "set-password", person.email, "--password-stdin",
        stdin=b"another long password\n")
    contract.check_refused(sign_in(pool, person.email, person.password), 401,
                           "INVALID_CREDENTIALS")
    contract.check_signed_in(
        sign_in(pool, person.email, "another long password"))


@pytest.mark.parametrize("email", [
    "somebody@corp.test", "Somebody@CORP.test", "a@partner.TEST"])
def test_single_sign_on_is_told_by_the_domain_alone(pool, sign_in, email):
    contract.check_refused(sign_in(pool, email, "any password"), 401,
                           "SSO_ACCOUNT")


@pytest.mark.parametrize("email", [
    "a@sub.corp.test", "a@notcorp.test", "corp.test@example.test"])
def test_other_domains_are_not_single_sign_on(pool, sign_in, email):
    contract.check_refused(sign_in(pool, email, "any password"), 401,
                           "INVALID_CREDENTIALS")


# ---- the client --------------------------------------------------------------

@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("name", [
    None, "revoked", "expired", "forged", "nonsense", "empty", "other_owner"])
def test_bad_api_key(pool, start_pool, people, sign_in, keys, name, optional):
    """A key that is shown must be good, also where none is needed."""
    if optional:
        pool = start_pool(client_auth="optional")
    api_key = {
        None: None, "nonsense": "pk.abc.def", "empty": "",
        "other_owner": "sk" + keys.publishable[2:],
    }.get(name) if name in (None, "nonsense", "empty", "other_owner") \
        else getattr(keys, name)
    answer = sign_in(pool, people.alice.email, people.alice.password,
                     api_key=api_key)
    if optional and api_key is None:
        contract.check_signed_in(answer)
    else:
        contract.check_refused(answer, 401, "UNAUTHORISED")


@pytest.mark.parametrize("scope", ["publishable", "secret"])
def test_either_scope_may_sign_in(pool, people, sign_in, keys, scope):
    contract.check_signed_in(
        sign_in(pool, people.bob.email, people.bob.password,
                api_key=getattr(keys, scope)))


def test_revoked_key_stops_at_once(pool, people, sign_in, ctl):
    """Also in a worker that remembers having seen it good."""
    from conftest import key_id
    api_key = ctl("api-key", "create", "--scope", "publishable")
    for _ in range(4):  # both workers have seen it
        contract.check_signed_in(
            sign_in(pool, people.alice.email, people.alice.password, api_key))
    ctl("api-key", "revoke", key_id(api_key))
    for _ in range(4):
        contract.check_refused(
            sign_in(pool, people.alice.email, people.alice.password, api_key),
            401, "UNAUTHORISED")


def test_client_is_asked_for_before_the_body_is_looked_at(pool):
    answer = fastcgi.ask(pool.address, "POST", SIGN_IN, "{",
                         {"Content-Type": "application/json"})
    contract.check_refused(answer, 401, "UNAUTHORISED")


@pytest.mark.parametrize("header", [
    {"Authorization": "Bearer nonsense"},
    {"Authorization": "Bearer a.b.c"},
])
def test_bad_session_id(pool, people, sign_in, header):
    contract.check_refused(
        sign_in(pool, people.alice.email, people.alice.password,
                api_key=None, headers=header), 401, "INVALID_SESSION_TOKEN")
