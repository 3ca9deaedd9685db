"""src/web/openapi.json against the program: it is what is served, and each refusal
in it is one that happens.  (That every other answer is as it says is seen to by
the harness, in all tests.)"""

import json
import shutil
import uuid

import pytest

from harness import fastcgi, openapi
from harness.sessions import OWN_PAGE, Session

OPENAPI = "/v2/openapi.json"


# ---- as it is served ---------------------------------------------------------

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


SCHEMAS = openapi.DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_examples_are_what_they_are_of(name):
    """All but what is a part of another, or has its examples where it is used,
    shows how it looks."""
    if name in ("Session", "Key", "Error"):
        assert "example" not in SCHEMAS[name]
        return
    openapi.validate(SCHEMAS[name]["example"], SCHEMAS[name])


# ---- each refusal ------------------------------------------------------------

# A defect of ours, which cannot be had on purpose.
DEFECTS = {"INTERNAL"}

REFUSALS = [
    pytest.param(method, path, operation, int(status), name,
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


@pytest.fixture
def session(pool, new_person, sign_in):
    person = new_person()
    return Session(json.loads(
        sign_in(pool, person.email, person.password).body))


@pytest.fixture
def good(keys, people, session):
    """A request that an operation does not refuse."""
    def make(operation):
        security = {name for one in operation.get(
            "security", openapi.DOCUMENT["security"]) for name in one}
        request = {"client": {}, "id": session.sid}
        if "refreshCookie" in security:
            request["client"] = {**session.cookie, **OWN_PAGE}
        elif operation["operationId"] == "keepSession":
            request["client"] = {"x-api-key": keys.publishable}
        elif "apiKeyAuth" in security:
            request["client"] = {"x-api-key": keys.secret}
        elif security:
            request["client"] = session.bearer
        request["body"] = {
            "signIn": {"email": people.alice.email,
                       "password": people.alice.password},
            "keepSession": {"refreshToken": session.refresh},
        }.get(operation["operationId"], b"")
        if operation["operationId"] == "metrics":
            request["more"] = {"REMOTE_ADDR": "127.0.0.1"}
        return request
    return make


@pytest.fixture
def ways(away, start_pool, keys, people, new_person, expired, session,
         ctl, cluster, sign_in, settings, room):
    """How to be refused for each reason: what is other than in a good request.
    Of one operation, or of any."""
    def signing_in(person, password=None):
        return {"body": {"email": person.email,
                         "password": password or person.password}}

    def old_password():
        person = new_person()
        cluster.ask("UPDATE postern.logins SET pw_changed_at = now() - "
                    "interval '2 days' WHERE user_id = %s", person.user_id)
        return {**signing_in(person),
                "pool": start_pool(password_max_age_days=1)}

    def key_of(person):
        return {"client": {"x-api-key": ctl(
            "api-key", "create", "--scope", "secret", "--user",
            person.email)}}

    def changed(table, what):
        cluster.ask(f"UPDATE postern.{table} SET {what} WHERE user_id = %s",
                    session.sub)
        return {}

    def throttled():
        strict = start_pool(throttle_failures=1)
        sign_in(strict, "throttled@example.test", "x")
        return {"body": {"email": "throttled@example.test", "password": "x"},
                "pool": strict}

    def forging():
        strict = start_pool(throttle_address_rate=1, throttle_address_burst=1)
        body = {"refreshToken": "a.b"}
        fastcgi.ask(strict.address, "POST", "/v2/auth/refresh",
                    json.dumps(body), {"Content-Type": "application/json"})
        return {"body": body, "pool": strict}

    def without_a_key():
        shutil.copytree(settings["key_dir"], room / "keys")
        (room / "keys/keys.json").write_text('{"keys":[]}')
        return {"pool": start_pool(key_dir=room / "keys")}

    return {
        "REQUEST_INVALID": lambda: {"more": {"CONTENT_LENGTH": "9999"}},
        "BODY_TOO_LARGE": lambda: {"body": b" " * 20000},
        "NO_BODY": lambda: {"body": b""},
        "NOT_JSON_TYPE": lambda: {"body": {}, "type": "text/plain"},
        "MALFORMED_JSON": lambda: {"body": b"{"},
        "BODY_INVALID": lambda: {"body": []},
        "QUERY_INVALID": lambda: {"query": "?sessionId="},
        "UNAUTHORISED": lambda: {"client": {}},
        "SESSION_TOKEN": lambda: {"client": {"Authorization": "Bearer a.b.c"}},
        "SESSION_EXPIRED": lambda: {"client": expired.bearer},
        "DISABLED": lambda: changed("users", "status = 5"),
        "FORBIDDEN": lambda: {"client": {"x-api-key": keys.publishable}},
        "ORIGIN": lambda: {"client": session.cookie},
        "NO_SUCH_ADDRESS": lambda: {"more": {"REMOTE_ADDR": "192.0.2.9"}},
        "NO_SUCH_SESSION": lambda: {"id": str(uuid.uuid4())},
        "PATH_INVALID": lambda: {"id": "no-id"},
        "UNAVAILABLE": lambda: {"pool": away},
        "CONFIGURATION": without_a_key,

        "signIn INCOMPLETE_CREDENTIALS": lambda: {"body": {}},
        "signIn CREDENTIALS": lambda: signing_in(people.alice, "wrong"),
        "signIn SSO_ACCOUNT": lambda: {"body": {
            "email": "somebody@corp.test", "password": "x"}},
        "signIn NOT_CONFIRMED": lambda: signing_in(people.unconfirmed),
        "signIn FORCE_CHANGE_PASSWORD": lambda: signing_in(
            people.force_change),
        "signIn RESET_REQUIRED": lambda: signing_in(people.reset),
        "signIn PASSWORD_EXPIRED": old_password,
        "signIn DISABLED": lambda: signing_in(people.disabled),
        "signIn THROTTLED": throttled,

        "refresh THROTTLED": forging,
        "keepSession THROTTLED": forging,
        "refresh SESSION_TOKEN": lambda: {"body": {"refreshToken": "a.b"}},
        "refresh SESSION_EXPIRED": lambda: changed(
            "sessions", "expires_at = created_at"),

        "openSession SSO_ACCOUNT": lambda: key_of(people.external),
        "openSession NOT_CONFIRMED": lambda: key_of(people.unconfirmed),
        "openSession FORCE_CHANGE_PASSWORD": lambda: key_of(
            people.force_change),
        "openSession RESET_REQUIRED": lambda: key_of(people.reset),
        "openSession DISABLED": lambda: key_of(people.disabled),
        "me DISABLED": lambda: key_of(people.disabled),
        "keepSession SESSION_EXPIRED": lambda: changed(
            "sessions", "expires_at = created_at"),
    }


def send(pool, method, path, request):
    body = request["body"]
    return fastcgi.ask(
        request.get("pool", pool).address, method,
        path.replace("{id}", request["id"]) + request.get("query", ""),
        body if isinstance(body, bytes) else json.dumps(body),
        {**request["client"],
         "Content-Type": request.get("type", "application/json")},
        **request.get("more", {}))


@pytest.mark.parametrize("method, path, operation, status, name", REFUSALS)
def test_each_refusal_happens(pool, good, ways, method, path, operation,
                              status, name):
    way = ways.get(f"{operation['operationId']} {name}") or ways[name]
    answer = send(pool, method, path, {**good(operation), **way()})
    assert answer.status == status, answer
    refusal = json.loads(answer.body)
    refusal.pop("detail", None)
    assert refusal == openapi.refusals(
        operation["responses"][str(status)])[name]


# ---- each answer that is no refusal ------------------------------------------

OTHERS = [
    pytest.param(method, path, operation, int(status),
                 id=f"{method} {path} {status}")
    for method, path, operation in openapi.operations()
    for status, response in operation["responses"].items()
    if not openapi.refusals(response)]


@pytest.mark.parametrize("method, path, operation, status", OTHERS)
def test_each_other_answer_happens(pool, start_pool, good, method, path,
                                   operation, status):
    request = good(operation)
    if status == 303:
        request["body"]["redirectUrl"] = "https://app.test/"
        request["pool"] = start_pool(allowed_origins="https://app.test")
    if status == 304:
        tag = send(pool, method, path, request).header("ETag")
        request["client"] = {"If-None-Match": tag}
    assert send(pool, method, path, request).status == status
