"""A flood of sign-ins: who is refused, how long that takes, and who is not to
notice any of it."""

import collections
import concurrent.futures
import json
import threading
import time

from harness import clock, contract, fastcgi, process, prometheus, tree
from harness.clock import timed
from harness.lighttpd import to_socket
from harness.sessions import Session

SIGN_IN = "/v2/auth/sign-in"
HEALTH = "/v2/auth/health"

# One core hashes, one hash after the other, each for a tenth of a second.
NARROW = {"scrypt_log2_n": 14, "scrypt_p": 3, "hash_slots": 1, "hash_lanes": 1}

BACK = 5 if not tree.SANITIZED else 15


def all_at_once(count, ask):
    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        return list(threads.map(ask, range(count)))


def outcomes(pool):
    return collections.Counter(event.get("outcome") for event
                               in pool.events("request"))


# ---- refusals take their time ------------------------------------------------

def test_refusals_wait_side_by_side(start_pool, sign_in):
    """More of them than workers: they wait, and no worker with them."""
    pool = start_pool(workers=4, hash_queue=1, refusal_ms=3000, **NARROW)

    def ask(number):
        if number == 0:
            process.wait_until("refusals that wait", lambda: outcomes(pool)[
                "busy"] > 12)
            return timed(fastcgi.ask, pool.address, "GET", HEALTH)
        return timed(sign_in, pool, f"nobody{number}@example.test", "x")

    (health, took), *signed = all_at_once(25, ask)
    assert health.status == 200 and took.running < 1.5
    refused = [(answer, took) for answer, took in signed
               if answer.status == 503]
    assert len(refused) > 12
    for answer, took in refused:
        contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert took.real >= 2.99
        assert took.running < (7 if not tree.SANITIZED else 12)
    assert {answer.status for answer, _ in signed} <= {401, 503}


def test_who_waits_is_counted(start_pool, sign_in):
    """What is held back is seen by an operator, and the log says so."""
    pool = start_pool(workers=4, hash_queue=1, refusal_ms=10000, **NARROW)

    def held():
        return prometheus.read(fastcgi.ask(
            pool.address, "GET", "/metrics", REMOTE_ADDR="127.0.0.1",
            timeout=20).body.decode())["postern_answers_held"].total()

    assert held() == 0
    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(sign_in, pool, f"n{i}@example.test", "x",
                                timeout=30) for i in range(12)]
        process.wait_until("all of them to be dealt with", lambda: len(
            [event for event in pool.events("request")
             if "/sign-in" in event["path"]]) == 12, 9)
        waiting = [event for event in pool.events("request")
                   if event.get("outcome") == "busy"]
        assert held() == len(waiting) > 0
        shown = process.run([tree.POSTERN, "--status", "--listen",
                             f"unix:{pool.address}"], check=True).stdout
        assert f"{len(waiting)} held back\n" in shown.decode()
        assert all(0 < event["held_ms"] <= 10000 for event in waiting)
        assert not [event for event in pool.events("request")
                    if event.get("outcome") != "busy" and "held_ms" in event]
        assert pool.stop() == 0
        assert {one.result().status for one in asked} <= {401, 503}


def test_a_throttled_one_takes_as_long(start_pool, sign_in):
    pool = start_pool(throttle_failures=1, refusal_ms=400)
    statuses = []
    for _ in range(3):
        answer, took = timed(sign_in, pool, "throttled@example.test", "x")
        statuses.append(answer.status)
        assert took.real >= 0.39 or answer.status == 401
    assert 429 in statuses


def test_nobody_is_forgotten_at_the_end(start_pool, sign_in):
    """Who waits for a refusal has it when the service stops."""
    pool = start_pool(workers=4, hash_queue=1, refusal_ms=10000, **NARROW)
    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(timed, sign_in, pool, f"n{i}@example.test", "x")
                 for i in range(12)]
        process.wait_until("all of them to be dealt with", lambda: sum(
            outcomes(pool).values()) == 12)
        assert outcomes(pool)["busy"]
        assert not any(one.done() and one.result()[0].status == 503
                       for one in asked)
        assert pool.stop() == 0
        answers = [one.result() for one in asked]
    assert {answer.status for answer, _ in answers} <= {401, 503}
    for answer, took in answers:
        if answer.status == 503:
            contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
            assert took.running < 9


# ---- 256 at once -------------------------------------------------------------

class Crowd:
    """Clients that sign in again and again, whatever the answer is, until a
    moment, and until there are so many of each; every answer is held against the
    contract."""

    def __init__(self, server, person, api_key, count, seconds, wanted):
        self.server = server
        self.body = json.dumps({"email": person.email,
                                "password": person.password}).encode()
        self.headers = {"Content-Type": "application/json",
                        "X-Api-Key": api_key}
        self.end = clock.running() + seconds
        self.wanted = wanted
        self.statuses = collections.Counter()
        self.opened = []
        self.faults = []
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def is_over(self):
        now = clock.running()
        return now >= self.end and (self.statuses >= self.wanted or
                                    now >= self.end + 30)

    def run(self):
        while not self.is_over():
            try:
                self.ask()
            except Exception as fault:
                self.faults.append(fault)
                return

    def ask(self):
        answer = self.server.fetch("POST", SIGN_IN, self.body, self.headers,
                                   timeout=60)
        self.statuses[answer.status] += 1
        if answer.status == 200:
            body = contract.check_signed_in(answer)
            self.opened.append(Session(body).sid)
        elif answer.status == 429:
            contract.check_refused(answer, 429, "LIMIT_EXCEEDED")
        else:
            contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
            assert int(answer.header("Retry-After")) > 0

    def wait(self):
        for thread in self.threads:
            thread.join(max(1, self.end + 90 - clock.running()))
            assert not thread.is_alive(), "somebody waits for ever"
        assert not self.faults, self.faults[:3]


def test_256_at_once(start_pool, start_lighttpd, people, keys, cluster,
                     sign_in):
    """Through lighttpd's Unix socket, for six seconds: each answer is a 200 or a
    clean refusal, who checks a session is served meanwhile, nobody's session is
    lost, and when it is over, it is over."""
    pool = start_pool(workers=12, hash_queue=8, hash_deadline_ms=1000,
                      refusal_ms=1000, **NARROW)
    server = start_lighttpd(to_socket(pool.address))
    alice = people.alice
    session = Session(contract.check_signed_in(
        sign_in(pool, alice.email, alice.password)))
    workers = pool.workers()

    wanted = collections.Counter({200: 6, 503: 257})
    crowd = Crowd(server, alice, keys.publishable, 256, 6, wanted)
    time.sleep(1)
    checks = [timed(server.fetch, "GET", "/v2/auth/check",
                    headers=session.bearer) for _ in range(15)]
    crowd.wait()
    over = clock.running()

    assert {answer.status for answer, _ in checks} == {204}
    # Most of it are this crowd's own threads.
    assert sorted(took.running for _, took in checks)[7] < 2
    assert set(crowd.statuses) <= {200, 429, 503}
    assert crowd.statuses >= wanted
    kept = {str(sid) for (sid,) in cluster.ask(
        "SELECT sid FROM postern.sessions WHERE sid = ANY(%s::uuid[])",
        crowd.opened)}
    assert kept == set(crowd.opened) and len(kept) == crowd.statuses[200]

    for _ in range(3):
        process.wait_until("a sign-in", lambda: sign_in(
            pool, alice.email, alice.password).status == 200, BACK)
    assert clock.running() - over < BACK
    assert pool.workers() == workers
