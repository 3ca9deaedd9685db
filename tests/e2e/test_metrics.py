"""GET /metrics: right in form, true in its numbers, and not for everybody."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import SIGN_IN
from harness import contract, fastcgi, process, prometheus, tree

LOOPBACK = {"REMOTE_ADDR": "127.0.0.1"}
TYPE = "text/plain; version=0.0.4; charset=utf-8"


def ask(pool, **variables):
    return fastcgi.ask(pool.address, "GET", "/metrics",
                       **{**LOOPBACK, **variables})


def read(pool):
    answer = ask(pool)
    assert answer.status == 200
    assert answer.header("Content-Type") == TYPE
    assert answer.header("Cache-Control") == "no-store"
    return prometheus.read(answer.body.decode())


@pytest.fixture
def own_pool(start_pool, people, keys):
    """A pool whose numbers nobody else changes."""
    return start_pool()


def test_promtool_has_no_complaint(own_pool, people, sign_in):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed")
    sign_in(own_pool, people.alice.email, people.alice.password)
    text = ask(own_pool).body
    done = process.run(["promtool", "check", "metrics"], stdin=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_requests_are_counted_by_address_and_status(own_pool, people, sign_in):
    before = read(own_pool)["postern_http_requests_total"]
    for password in (people.alice.password, "wrong", "wrong"):
        sign_in(own_pool, people.alice.email, password)
    fastcgi.ask(own_pool.address, "GET", SIGN_IN)
    fastcgi.ask(own_pool.address, "GET", "/v2/nowhere")
    fastcgi.ask(own_pool.address, "GET", "//")
    after = read(own_pool)["postern_http_requests_total"]

    def grown(method, address, status):
        labels = {"method": method, "address": address, "status": str(status)}
        return after.value(**labels) - before.value(**labels)

    assert grown("POST", "/auth/sign-in", 200) == 1
    assert grown("POST", "/auth/sign-in", 401) == 2
    assert grown("other", "other", 405) == 1
    assert grown("other", "other", 404) == 1
    assert grown("other", "other", 400) == 1
    assert grown("GET", "/metrics", 200) == 1
    assert after.total() - before.total() == 7


def test_no_client_can_make_a_series(own_pool):
    """Not by its path, method or any header."""
    def series():
        return {key for family in read(own_pool).values()
                for key in family.samples}

    fastcgi.ask(own_pool.address, "GET", "/v2/first")
    before = series()
    for path in ("/v2/a", '/v2/"b"', "/v2/auth/sign-in/", "/metrics/x"):
        fastcgi.ask(own_pool.address, "GET", path, headers={"X-Api-Key": "x"})
    for method in ("FOO", 'G"ET', "get"):
        fastcgi.ask(own_pool.address, method, "/v2/a")
    assert series() - before <= {
        key for key in series() if dict(key[1]).get("address") == "/metrics"}


def test_sign_ins_are_counted_by_result(own_pool, people, sign_in):
    before = read(own_pool)["postern_sign_ins_total"]
    sign_in(own_pool, people.alice.email, people.alice.password)
    sign_in(own_pool, people.disabled.email, people.disabled.password)
    sign_in(own_pool, "nobody@example.test", "x")
    sign_in(own_pool, "somebody@corp.test", "x")
    after = read(own_pool)["postern_sign_ins_total"]
    grown = {result: after.value(result=result) - before.value(result=result)
             for result in ("signed_in", "denied", "disabled", "sso_account",
                            "failed")}
    assert grown == {"signed_in": 1, "denied": 1, "disabled": 1,
                     "sso_account": 1, "failed": 0}


def test_statements_are_counted_and_timed(own_pool, people, sign_in):
    before = read(own_pool)
    sign_in(own_pool, people.alice.email, people.alice.password)
    after = read(own_pool)
    done = "postern_db_statements_total"
    took = "postern_db_statement_duration_seconds"
    number = after[done].value(result="ok") - before[done].value(result="ok")
    assert number >= 2
    assert after[took].value(took + "_count") - \
        before[took].value(took + "_count") == number


def test_a_database_that_is_away_is_seen(start_pool, settings, people, keys,
                                         sign_in):
    pool = start_pool(database="host=/nowhere", db_timeout_ms=200)
    contract.check_refused(sign_in(pool, people.alice.email, "x"), 503,
                           "SERVICE_UNAVAILABLE")
    found = read(pool)
    assert found["postern_db_statements_total"].value(result="unavailable") > 0
    assert found["postern_http_requests_total"].value(
        method="POST", address="/auth/sign-in", status="503") == 1


def test_workers_count_together(start_pool, people, keys):
    """Every request of every worker is in the numbers of each of them."""
    pool = start_pool(workers=4)
    with ThreadPoolExecutor(8) as many:
        list(many.map(lambda _: fastcgi.ask(pool.address, "GET",
                                            "/v2/auth/health"), range(200)))
    found = read(pool)
    assert found["postern_http_requests_total"].value(
        method="GET", address="/auth/health", status="200") >= 200
    workers = found["postern_workers"]
    assert workers.total() == 4
    # The one that answers is busy, and the others have nothing to do.
    process.wait_until("idle workers", lambda: read(pool)[
        "postern_workers"].value(state="idle") == 3)
    assert read(pool)["postern_workers"].value(state="busy") == 1


def test_numbers_outlive_a_worker(start_pool, people, keys):
    pool = start_pool(workers=1, max_requests=5)
    for _ in range(12):
        fastcgi.ask(pool.address, "GET", "/v2/auth/health")
    assert read(pool)["postern_http_requests_total"].value(
        method="GET", address="/auth/health", status="200") >= 12


@pytest.mark.parametrize("address, allowed", [
    ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True),
    ("::ffff:127.0.0.1", True), ("192.0.2.7", False), ("::2", False),
    ("10.0.0.1", False), ("::ffff:10.0.0.1", False),
])
def test_only_loopback_may_read(pool, address, allowed):
    answer = ask(pool, REMOTE_ADDR=address)
    if allowed:
        assert answer.status == 200
        return
    contract.check_refused(answer, 404, "ENDPOINT_NOT_FOUND")
    nowhere = fastcgi.ask(pool.address, "GET", "/metric", REMOTE_ADDR=address)
    assert answer.body == nowhere.body


def test_a_list_of_networks_may_read(start_pool, people, keys):
    pool = start_pool(metrics_allow="192.0.2.0/25, 2001:db8::/32")
    for address, status in (("192.0.2.127", 200), ("192.0.2.128", 404),
                            ("2001:db8:ffff::1", 200), ("2001:db9::1", 404),
                            ("127.0.0.1", 404)):
        assert ask(pool, REMOTE_ADDR=address).status == status, address


def test_no_header_makes_a_client_local(pool):
    answer = fastcgi.ask(pool.address, "GET", "/metrics", headers={
        "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1",
        "X-Real-IP": "127.0.0.1"})
    assert answer.status == 404


def test_base_path_does_not_move_it(start_pool, people, keys):
    pool = start_pool(base_path="/elsewhere")
    assert ask(pool).status == 200
    assert fastcgi.ask(pool.address, "GET", "/elsewhere/metrics",
                       **LOOPBACK).status == 404


def test_as_plain_cgi(pool, people):
    """The numbers of the one process, which counted nothing yet."""
    done = process.run([tree.POSTERN], env=process.clean_environment(
        REQUEST_METHOD="GET", REQUEST_URI="/metrics", REMOTE_ADDR="127.0.0.1",
        POSTERN_CONFIG=pool.settings_file), check=True)
    answer = fastcgi.Answer(done.stdout)
    assert answer.status == 200
    found = prometheus.read(answer.body.decode())
    assert "postern_workers" not in found
    assert found["postern_http_requests_total"].total() == 0


def test_nothing_secret_is_in_it(own_pool, people, keys, sign_in):
    body = json.loads(sign_in(own_pool, people.alice.email,
                              people.alice.password).body)
    text = ask(own_pool).body.decode()
    for secret in (people.alice.email, people.alice.password,
                   keys.publishable, body["accessToken"], "192.0.2.7"):
        assert secret not in text
