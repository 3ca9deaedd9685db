"""src/web/openapi.json against the program: it is what is served, and each refusal
in it is one that happens.  (That every other answer is as it says is seen to by
the harness, in all tests.)"""

import json
from types import SimpleNamespace

import pytest

from harness import fastcgi, openapi
from harness.sessions import Session

OPENAPI = "/v2/openapi.json"


# ---- as it is served -----------------------------------------------------------

def test_served_as_it_stands_in_the_sources(lighttpd):
    answer = lighttpd.fetch("GET", OPENAPI)
    assert answer.status == 200
    assert answer.json() == openapi.DOCUMENT


def test_may_be_kept(pool):
    answer = fastcgi.ask(pool.address, "GET", OPENAPI)
    assert answer.header("Cache-Control") == "public, max-age=3600"
    tag = answer.header("ETag")
    again = fastcgi.ask(pool.address, "GET", OPENAPI,
                        headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert again.header("ETag") == tag


@pytest.mark.parametrize("base", ["/login/v2", ""])
def test_paths_are_those_of_the_place(start_pool, base):
    pool = start_pool(base_path=base)
    answer = fastcgi.ask(pool.address, "GET", base + "/openapi.json")
    assert answer.status == 200
    assert set(json.loads(answer.body)["paths"]) == {
        path.replace("/v2", base, 1) for path in openapi.DOCUMENT["paths"]}


# ---- each refusal ----------------------------------------------------------------

# A defect of ours, which cannot be had on purpose.
DEFECTS = {"INTERNAL"}

REFUSALS = [
    pytest.param(method, path, int(status), name,
                 id=f"{method} {path} {status} {name}")
    for method, path, operation in openapi.operations()
    for status, response in operation["responses"].items()
    for name in openapi.refusals(response) if name not in DEFECTS]


@pytest.fixture(scope="module")
def away(start_pool_for_session):
    """A pool whose database is away."""
    return start_pool_for_session(
        database="host=/nonexistent user=postern_service", db_timeout_ms=200,
        check="strict")


@pytest.fixture(scope="module")
def disabled_key(ctl, people):
    """An API key of somebody who is disabled."""
    return ctl("api-key", "create", "--scope", "secret", "--user",
               people.disabled.email)


@pytest.fixture
def ways(pool, away, keys, people, expired, disabled_key, new_person, cluster):
    """How to be refused: what is other than in a good request."""
    def signing_in(person, password=None):
        return {"body": {"email": person.email,
                         "password": password or person.password}}

    def too_old():
        person = new_person()
        cluster.ask("UPDATE postern.logins SET pw_changed_at = 'epoch' "
                    "WHERE user_id = %s", person.user_id)
        return signing_in(person)

    return {
        "REQUEST_INVALID": lambda: {"more": {"CONTENT_LENGTH": "9999"}},
        "BODY_TOO_LARGE": lambda: {"body": b" " * 20000},
        "NO_BODY": lambda: {"body": b""},
        "NOT_JSON_TYPE": lambda: {"headers": {"Content-Type": "text/plain"}},
        "MALFORMED_JSON": lambda: {"body": b"{"},
        "BODY_INVALID": lambda: {"body": []},
        "INCOMPLETE_CREDENTIALS": lambda: {"body": {}},
        "QUERY_INVALID": lambda: {"query": "?sessionId="},
        "UNAUTHORISED": lambda: {"client": {}},
        "SESSION_TOKEN": lambda: {"client": {"Authorization": "Bearer a.b.c"}},
        "SESSION_EXPIRED": lambda: {"client": expired.bearer},
        "CREDENTIALS": lambda: signing_in(people.alice, "wrong"),
        "SSO_ACCOUNT": lambda: signing_in(SimpleNamespace(
            email="somebody@corp.test", password="x")),
        "NOT_CONFIRMED": lambda: signing_in(people.unconfirmed),
        "FORCE_CHANGE_PASSWORD": lambda: signing_in(people.force_change),
        "RESET_REQUIRED": lambda: signing_in(people.reset),
        "PASSWORD_EXPIRED": lambda: {**too_old(), "settings": {
            "password_max_age_days": 30}},
        "DISABLED": lambda: {**signing_in(people.disabled),
                             "client": {"x-api-key": disabled_key}},
        "FORBIDDEN": lambda: {"client": {"x-api-key": keys.publishable}},
        "NO_SUCH_ADDRESS": lambda: {"more": {"REMOTE_ADDR": "192.0.2.9"}},
        "UNAVAILABLE": lambda: {"pool": away},
    }


@pytest.fixture(scope="module")
def signed_in(pool, people, sign_in):
    return Session(json.loads(sign_in(pool, people.alice.email,
                                      people.alice.password).body))


@pytest.mark.parametrize("method, path, status, name", REFUSALS)
def test_each_refusal_happens(pool, keys, people, signed_in, start_pool, ways,
                              method, path, status, name):
    change = ways[name]()
    takes_key = {"apiKeyAuth": []} in \
        openapi.DOCUMENT["paths"][path][method.lower()].get(
            "security", openapi.DOCUMENT["security"])
    client = change.get("client", {"x-api-key": keys.secret} if takes_key
                        else signed_in.bearer)
    body = change.get("body", {"email": people.alice.email,
                               "password": people.alice.password}
                      if method in ("POST", "PUT") else b"")
    if "settings" in change:
        pool = start_pool(**change["settings"])
    answer = fastcgi.ask(
        change.get("pool", pool).address, method,
        path + change.get("query", ""),
        body if isinstance(body, bytes) else json.dumps(body),
        {**client, "Content-Type": "application/json",
         **change.get("headers", {})}, **change.get("more", {}))
    assert answer.status == status, answer
    refusal = json.loads(answer.body)
    refusal.pop("detail", None)
    assert refusal == openapi.refusals(
        openapi.response_of(method, path, status))[name]
