"""GET /metrics: right in form, true in its numbers, and not for everybody."""

import json
import os
import shutil
import signal
import time
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


def test_a_refused_statement_is_seen(own_cluster, start_pool):
    """The database is there, and says no."""
    pool = start_pool(**own_cluster.postern)
    own_cluster.ask("REVOKE ALL ON postern.logins FROM postern_service")
    before = read(pool)["postern_db_statements_total"].value(result="failed")
    answer = fastcgi.ask(
        pool.address, "POST", SIGN_IN, json.dumps(
            {"email": "alice@example.test", "password": "x"}),
        {"Content-Type": "application/json",
         "X-Api-Key": own_cluster.api_key})
    assert answer.status == 500
    after = read(pool)["postern_db_statements_total"].value(result="failed")
    assert after - before == 1


# ---- refresh -----------------------------------------------------------------

def refresh(pool, token):
    return fastcgi.ask(pool.address, "POST", "/v2/auth/refresh",
                       json.dumps({"refreshToken": token}),
                       {"Content-Type": "application/json"})


def test_refreshes_are_counted_by_result(start_pool, people, sign_in):
    """The third use of a token that was replaced before its parent's grace was
    over tells that there is a copy."""
    pool = start_pool(refresh_grace_seconds=0)
    token = json.loads(sign_in(pool, people.alice.email,
                               people.alice.password).body)["refreshToken"]
    assert refresh(pool, token).status == 200
    assert refresh(pool, token).status == 401
    assert refresh(pool, token).status == 401
    assert refresh(pool, token[:-4] + "AAAA").status == 401
    found = read(pool)["postern_refreshes_total"]
    assert {dict(labels)["result"]: number for (_, labels), number
            in found.samples.items() if number} == {
        "rotated": 1, "reused": 1, "over": 1, "invalid": 1}


# ---- hashing -----------------------------------------------------------------

# Half a second and more, on one core, alone in its lanes.
SLOW = {"scrypt_log2_n": 16, "scrypt_p": 4, "hash_slots": 1, "hash_lanes": 1,
        "workers": 8, "hash_deadline_ms": 80000, "request_deadline_ms": 90000}
# Six who come at once have come before the first of them is done.
SLOWER = {**SLOW, "scrypt_p": 8}


def strangers(pool, sign_in, many, count):
    return [many.submit(sign_in, pool, f"stranger{i}@example.test", "x",
                        timeout=90) for i in range(count)]


def refused(pool):
    found = read(pool)["postern_hash_refused_total"]
    return {dict(labels)["reason"]: number
            for (_, labels), number in found.samples.items() if number}


def places_taken(pool):
    return read(pool)["postern_hash_places_taken"].total()


@pytest.mark.parametrize("engine", ["auto", "libscrypt"])
def test_hashes_are_timed(start_pool, people, sign_in, engine):
    pool = start_pool(hash_engine=engine)
    before = read(pool)
    for i in range(5):
        sign_in(pool, f"stranger{i}@example.test", "x")
    sign_in(pool, "somebody@corp.test", "x")  # not hashed at all
    after = read(pool)
    assert after["postern_hashes_total"].total() - \
        before["postern_hashes_total"].total() == 5
    for name in ("postern_hash_wait_seconds", "postern_hash_run_seconds"):
        assert after[name].value(name + "_count") - \
            before[name].value(name + "_count") == 5
    took = "postern_hash_run_seconds_sum"
    assert 0.0005 < after["postern_hash_run_seconds"].value(took) < 10
    assert after["postern_hash_queue"].total() == 0
    assert after["postern_hash_slots_busy"].total() == 0


def test_the_queue_is_seen(start_pool, people, sign_in):
    """One computes and two wait; of six, three find no place."""
    pool = start_pool(**SLOWER, hash_queue=3)
    with ThreadPoolExecutor(6) as many:
        asked = []
        for i in range(6):
            asked += strangers(pool, sign_in, many, 1)
            # Else a worker may let in two, and the second waits for the first.
            process.wait_until("it at the gate", lambda: places_taken(
                pool) + refused(pool).get("full", 0) > i, every=0.005)
        found = process.wait_until("a queue of two", lambda: (
            lambda now: now["postern_hash_queue"].total() == 2 and now)(
                read(pool)), every=0.005)
        assert found["postern_hash_slots_busy"].total() == 1
        assert found["postern_hash_slots"].total() == 1
        assert found["postern_hash_places_taken"].total() == 3
        assert found["postern_hash_places"].total() == 3
        statuses = [one.result().status for one in asked]
    busy = statuses.count(503)
    assert busy == 3 and statuses.count(401) == 3
    assert refused(pool) == {"full": busy}
    after = read(pool)
    assert after["postern_sign_ins_total"].value(result="busy") == busy
    assert after["postern_hash_queue"].total() == 0
    # Those who waited did so for as long as the first one ran, and longer.
    waited = after["postern_hash_wait_seconds"].value(
        "postern_hash_wait_seconds_sum")
    ran = after["postern_hash_run_seconds"].value(
        "postern_hash_run_seconds_sum")
    assert waited > ran / 3


def test_who_comes_too_late_is_counted(start_pool, people, sign_in):
    pool = start_pool(**{**SLOW, "hash_deadline_ms": 100}, hash_queue=8)
    statuses = []
    for _ in range(5):  # they may come one after the other
        with ThreadPoolExecutor(4) as many:
            statuses += [one.result().status
                         for one in strangers(pool, sign_in, many, 4)]
        if statuses.count(503) >= 2:
            break
    assert refused(pool) == {"late": statuses.count(503)}
    assert statuses.count(503) >= 2


def test_who_left_is_counted(start_pool, people, keys, sign_in):
    pool = start_pool(**SLOWER, hash_queue=8)
    body = json.dumps({"email": "x@example.test", "password": "x"}).encode()
    with ThreadPoolExecutor(2) as many:
        asked = strangers(pool, sign_in, many, 2)
        process.wait_until("a queue", lambda: places_taken(pool) == 2)
        with fastcgi.Connection(pool.address) as connection:
            connection.begin()
            connection.params(fastcgi.request_params("POST", SIGN_IN, body, {
                "Content-Type": "application/json",
                "X-Api-Key": keys.publishable}))
            connection.stdin(body)
            process.wait_until("it to stand in line",
                               lambda: places_taken(pool) == 3)
        process.wait_until("it to be noticed", lambda: refused(pool))
        assert [one.result().status for one in asked] == [401] * 2
    assert refused(pool) == {"gone": 1}


# ---- workers -----------------------------------------------------------------

def ends(pool):
    found = read(pool)["postern_worker_ends_total"]
    return [found.value(how=how) for how in ("left", "died", "overdue")]


def test_ends_of_workers_are_counted(start_pool, people, sign_in):
    pool = start_pool(workers=2, max_requests=10)
    assert ends(pool) == [0, 0, 0]
    os.kill(pool.workers()[0], signal.SIGKILL)
    process.wait_until("a death", lambda: ends(pool)[1] == 1)
    for _ in range(25):
        fastcgi.ask(pool.address, "GET", "/v2/auth/health")
    left, died, overdue = process.wait_until(
        "workers to leave", lambda: ends(pool)[0] >= 2 and ends(pool))
    assert (died, overdue) == (1, 0)


def test_ends_of_workers_over_the_deadline(start_pool, people, sign_in):
    """A hash takes longer than a request may."""
    pool = start_pool(workers=2, request_deadline_ms=500, io_timeout_ms=400,
                      db_timeout_ms=400, hash_deadline_ms=400, scrypt_log2_n=16,
                      scrypt_p=16, hash_slots=1, hash_lanes=1)

    def overdue():
        """None when the one who is asked is, too: the machine stood still."""
        answer = ask(pool)
        return prometheus.read(answer.body.decode())[
            "postern_worker_ends_total"].value(how="overdue") \
            if answer.ended else None

    for _ in range(5):  # the database may be what is too slow
        sign_in(pool, "nobody@example.test", "x")
        if "is ended" in pool.log():
            break
    process.wait_until("one over the deadline", overdue)


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

    def states():
        now = read(pool)["postern_workers"]
        return now.value(state="idle"), now.value(state="busy")
    process.wait_until("idle workers", lambda: states() == (3, 1))


def test_when_it_was_started(own_pool):
    now = time.time()
    assert now - 60 < read(own_pool)["postern_start_time_seconds"].total() <= now


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
