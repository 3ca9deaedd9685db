"""How often somebody may be wrong: by account, by device, by address."""

import hashlib
import json
import math
import os
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from conftest import SIGN_IN
from harness import clock, contract, fastcgi, process, prometheus, tree
from harness.postern import Ctl, write_settings

DEVICE = "postern-device"


def wrong(sign_in, pool, email, **more):
    return sign_in(pool, email, "not the password", **more)


def check_throttled(answer):
    """A 429 as promised; the seconds to wait."""
    contract.check_refused(answer, 429, "LIMIT_EXCEEDED")
    return int(answer.header("Retry-After"))


def check_denied(answer):
    contract.check_refused(answer, 401, "INVALID_CREDENTIALS")


def device_of(answer):
    """The header with which a browser shows its device cookie again."""
    value, _ = contract.cookies(answer)[DEVICE]
    return {"Cookie": f"{DEVICE}={value}"}


def metric(pool, name, **labels):
    answer = fastcgi.ask(pool.address, "GET", "/metrics",
                         REMOTE_ADDR="127.0.0.1")
    return prometheus.read(answer.body.decode())[name].value(**labels)


@pytest.fixture(scope="module")
def strict(start_pool_for_session, people, keys):
    """A pool that counts accounts as it does by default."""
    # With a place for every worker, nobody is turned away as one too many.
    return start_pool_for_session(throttle_failures=None, workers=8,
                                  hash_queue=8, hash_deadline_ms=20000)


@pytest.fixture
def person(new_person):
    return new_person()


@pytest.fixture
def hold(cluster):
    """Lengthen the lock that was made last: a second is over soon on a machine
    that is busy, or stands still."""
    def hold():
        cluster.ask(
            "UPDATE postern.throttle SET failed_at = failed_at + interval '1 h' "
            "WHERE failed_at = (SELECT max(failed_at) FROM postern.throttle "
            "WHERE failed_at < now() + interval '10 min')")
    return hold


def locks_over(seconds):
    """How many locks of an account may have ended in this time: 1 s, 2 s, ..."""
    return int(math.log2(seconds + 1))


# ---- by account --------------------------------------------------------------

def test_five_failures_are_free(strict, new_person, sign_in):
    def lock():
        person = new_person()
        for _ in range(5):
            check_denied(wrong(sign_in, strict, person.email))
        assert check_throttled(wrong(sign_in, strict, person.email)) == 1
        # Not even the right password is told from a wrong one.
        check_throttled(sign_in(strict, person.email, person.password))
        return person

    person = clock.in_time(lock, within=1)
    time.sleep(1)
    contract.check_signed_in(sign_in(strict, person.email, person.password))
    # And that forgives what was before.
    for _ in range(5):
        check_denied(wrong(sign_in, strict, person.email))


def lock_again_and_again(strict, person, sign_in):
    """False when a second had gone before it could be said of a lock."""
    for _ in range(4):
        check_denied(wrong(sign_in, strict, person.email))
    for seconds in (1, 2, 4):
        began = time.monotonic()
        check_denied(wrong(sign_in, strict, person.email))
        answer = wrong(sign_in, strict, person.email)
        if time.monotonic() - began >= 1:
            return False
        assert check_throttled(answer) == seconds
        if seconds < 4:
            time.sleep(seconds)
    return True


def test_each_lock_is_longer(strict, new_person, sign_in):
    assert any(lock_again_and_again(strict, new_person(), sign_in)
               for _ in range(10))


def knock(strict, person, sign_in):
    """Until the lock is nearly over; False when it is, to somebody's surprise."""
    for _ in range(4):
        check_denied(wrong(sign_in, strict, person.email))
    began = time.monotonic()
    check_denied(wrong(sign_in, strict, person.email))
    while time.monotonic() - began < 0.8:
        answer = wrong(sign_in, strict, person.email)
        if time.monotonic() - began >= 1:
            return False
        check_throttled(answer)
    time.sleep(0.25)
    return True


def test_knocking_does_not_lengthen_a_lock(strict, new_person, sign_in):
    for _ in range(10):
        person = new_person()
        began = time.monotonic()
        if knock(strict, person, sign_in):
            break
    else:
        pytest.fail("the machine stood still, again and again")
    time.sleep(max(0, began + 1 - time.monotonic()))
    contract.check_signed_in(sign_in(strict, person.email, person.password))


def test_known_and_unknown_are_answered_alike(strict, new_person, sign_in):
    def talk(make):
        def attempt():
            email = make()
            answers = [wrong(sign_in, strict, email) for _ in range(8)]
            assert [answer.status for answer in answers] == \
                [401] * 5 + [429] * 3
            return [(answer.status, answer.body, sorted(
                header for header in answer.headers
                if header[0] != "X-Request-Id")) for answer in answers]
        return clock.in_time(attempt, within=1)

    known = talk(lambda: new_person().email)
    assert talk(
        lambda: f"nobody-{secrets.token_hex(6)}@example.test") == known
    assert talk(lambda: new_person(password=False).email) == known
    assert talk(lambda: new_person(status="disabled").email) == known


def test_either_case_is_one_account(strict, person, sign_in, hold):
    for change in (str.upper, str.lower, str.title, str.swapcase, str.upper):
        check_denied(wrong(sign_in, strict, change(person.email)))
    hold()
    check_throttled(wrong(sign_in, strict, person.email))


def test_others_are_not_locked(strict, new_person, sign_in):
    one, other = new_person(), new_person()
    for _ in range(6):
        wrong(sign_in, strict, one.email)
    contract.check_signed_in(sign_in(strict, other.email, other.password))


@pytest.mark.parametrize("status", ["disabled", "unconfirmed"])
def test_a_right_password_is_no_failure(strict, new_person, sign_in, status):
    """Whatever else forbids the account."""
    person = new_person(status=status)
    for _ in range(3):
        for _ in range(4):
            check_denied(wrong(sign_in, strict, person.email))
        assert sign_in(strict, person.email, person.password).status == 401


def test_single_sign_on_is_not_counted(start_pool, person, sign_in, cluster):
    """Of no account and no address, and the database does not hear of it."""
    pool = start_pool(throttle_failures=1, throttle_address_burst=2,
                      throttle_address_rate=1, workers=1)
    contract.check_signed_in(sign_in(pool, person.email, person.password))
    rows = cluster.ask("SELECT count(*) FROM postern.audit_events")
    statements = metric(pool, "postern_db_statements_total", result="ok")
    for _ in range(8):
        contract.check_refused(sign_in(pool, "ann@corp.test", "x"), 401,
                               "SSO_ACCOUNT")
    assert metric(pool, "postern_db_statements_total",
                  result="ok") == statements
    assert cluster.ask("SELECT count(*) FROM postern.audit_events") == rows
    contract.check_signed_in(sign_in(pool, person.email, person.password))


def test_what_is_no_attempt_is_not_counted(strict, person, sign_in):
    for _ in range(8):
        assert sign_in(strict, person.email, "").status == 400
        assert sign_in(strict, person.email, "x" * 5000).status == 400
        assert sign_in(strict, person.email, "x", api_key=None).status == 401
    contract.check_signed_in(sign_in(strict, person.email, person.password))


def test_throttled_and_invalid_requests_are_not_hashed(start_pool, person,
                                                       sign_in, keys, hold):
    pool = start_pool(throttle_failures=1, throttle_address_burst=3,
                      throttle_address_rate=1)

    def count():
        return [metric(pool, "postern_hashes_total"),
                *(metric(pool, "postern_hash_refused_total", reason=reason)
                  for reason in ("full", "late", "gone", "failed"))]

    check_denied(wrong(sign_in, pool, person.email))
    hold()
    before = count()
    assert before[0] == 1
    for email, password in ((person.email, ""), (person.email, "x" * 5000),
                            ("nobody", "x"), ("", "x")):
        assert sign_in(pool, email, password).status == 400
    for key in (None, "x", keys.forged, keys.revoked, keys.expired):
        assert sign_in(pool, person.email, "x", api_key=key).status == 401
    assert sign_in(pool, "ann@corp.test", "x").status == 401
    for _ in range(4):
        check_throttled(sign_in(pool, person.email, person.password))
    assert [metric(pool, "postern_throttled_total", by=by)
            for by in ("account", "address")] == [2, 2]
    assert count() == before


def test_off(start_pool, person, sign_in, cluster):
    pool = start_pool(throttle_failures=0)
    before = cluster.ask("SELECT count(*) FROM postern.throttle")
    for _ in range(12):
        check_denied(wrong(sign_in, pool, person.email))
    contract.check_signed_in(sign_in(pool, person.email, person.password))
    assert cluster.ask("SELECT count(*) FROM postern.throttle") == before


def reload_with(pool, **changes):
    pool.change(**changes)
    pool.reload(len(pool.workers()))


def test_settings_are_reloaded(start_pool, person, sign_in, hold):
    pool = start_pool(throttle_failures=0)
    for _ in range(3):
        check_denied(wrong(sign_in, pool, person.email))
    reload_with(pool, throttle_failures=1)
    check_denied(wrong(sign_in, pool, person.email))
    hold()
    check_throttled(wrong(sign_in, pool, person.email))


def test_the_longest_lock_is_reloaded(start_pool, person, sign_in, cluster):
    def wait():
        cluster.ask("UPDATE postern.throttle SET failures = 11, "
                    "failed_at = now()")
        return check_throttled(wrong(sign_in, pool, person.email))

    cluster.ask("DELETE FROM postern.throttle")
    pool = start_pool(throttle_failures=5, throttle_lock_seconds=60)
    check_denied(wrong(sign_in, pool, person.email))
    assert 30 < wait() <= 60
    reload_with(pool, throttle_lock_seconds=20)
    assert 0 < wait() <= 20


def test_the_quiet_time_is_reloaded(start_pool, person, sign_in, cluster):
    def failures_after_an_hour():
        cluster.ask("UPDATE postern.throttle SET failures = 3, "
                    "failed_at = now() - interval '1 h'")
        check_denied(wrong(sign_in, pool, person.email))
        return cluster.ask("SELECT failures FROM postern.throttle")

    cluster.ask("DELETE FROM postern.throttle")
    pool = start_pool(throttle_failures=5, throttle_quiet_seconds=7200)
    check_denied(wrong(sign_in, pool, person.email))
    assert failures_after_an_hour() == [(4,)]
    reload_with(pool, throttle_quiet_seconds=1800)
    assert failures_after_an_hour() == [(1,)]


def test_limits_by_address_are_reloaded(start_pool, sign_in):
    def fail(times):
        for i in range(times):
            check_denied(wrong(sign_in, pool, f"nobody{i}@example.test"))

    pool = start_pool(throttle_address_rate=0, throttle_address_burst=2)
    fail(6)
    reload_with(pool, throttle_address_rate=1)
    fail(2)
    assert 30 < check_throttled(
        wrong(sign_in, pool, "nobody@example.test")) <= 60
    reload_with(pool, throttle_address_rate=2, throttle_address_burst=4)
    fail(4)
    assert 0 < check_throttled(
        wrong(sign_in, pool, "nobody@example.test")) <= 30


def test_the_life_of_device_cookies_is_reloaded(start_pool, person, sign_in):
    def life():
        cookies = contract.cookies(
            sign_in(pool, person.email, person.password))
        return DEVICE in cookies and int(cookies[DEVICE][1]["max-age"])

    pool = start_pool(device_cookie_days=30)
    assert life() == 30 * 86400
    reload_with(pool, device_cookie_days=7)
    assert life() == 7 * 86400
    reload_with(pool, device_cookie_days=0)
    assert life() is False


def test_a_sign_in_still_takes_two_round_trips(start_pool, person, sign_in):
    pool = start_pool(throttle_failures=5, workers=1)
    name = "postern_db_statements_total"
    contract.check_signed_in(sign_in(pool, person.email, person.password))
    for answer, statements in ((wrong, 2), (sign_in, 2)):
        before = metric(pool, name, result="ok")
        if answer is wrong:
            check_denied(wrong(sign_in, pool, person.email))
        else:
            contract.check_signed_in(
                sign_in(pool, person.email, person.password))
        assert metric(pool, name, result="ok") - before == statements


# ---- side by side ------------------------------------------------------------

def test_guesses_side_by_side_gain_nothing(strict, person, sign_in, hold):
    """Each of them reads the count before any failure is written."""
    began = time.monotonic()
    with ThreadPoolExecutor(32) as many:
        answers = list(many.map(
            lambda _: wrong(sign_in, strict, person.email), range(128)))
    most = 5 + locks_over(time.monotonic() - began)
    statuses = [answer.status for answer in answers]
    assert 5 <= statuses.count(401) <= most
    assert statuses.count(429) == 128 - statuses.count(401)
    wrong(sign_in, strict, person.email)  # in case the lock is just over
    hold()
    check_throttled(sign_in(strict, person.email, person.password))


def test_a_right_guess_among_many_is_not_told(strict, new_person, sign_in):
    """Once five were told that they are wrong, it is as wrong as the rest."""
    for _ in range(4):
        person = new_person()
        for _ in range(4):
            check_denied(wrong(sign_in, strict, person.email))
        passwords = ["wrong"] * 20 + [person.password] + ["wrong"] * 10
        began = time.monotonic()
        with ThreadPoolExecutor(16) as many:
            answers = list(many.map(lambda password: sign_in(
                strict, person.email, password), passwords))
        told = [answer.status for answer in answers
                if answer.status != 429]
        over = locks_over(time.monotonic() - began)
        # One more failure, or the right one before it and five after that.
        assert told.count(401) <= over + (6 if 200 in told else 1)
        assert told.count(200) <= 1


@pytest.mark.parametrize("password, table", [
    ("wrong", "audit_events"), (None, "sessions")], ids=["wrong", "right"])
def test_a_lock_that_was_made_meanwhile(strict, person, sign_in, cluster,
                                        password, table):
    """Is told with its end, whatever the password."""
    cluster.ask("DELETE FROM postern.throttle")
    check_denied(wrong(sign_in, strict, person.email))
    with ThreadPoolExecutor() as threads:
        with cluster.held(table):
            asked = threads.submit(sign_in, strict, person.email,
                                   password or person.password)
            cluster.wait_for_waiters(1)
            # The eleventh failure locks for 64 s.
            cluster.ask("UPDATE postern.throttle SET failures = 11, "
                        "failed_at = now()")
        assert 30 < check_throttled(asked.result()) <= 64
    check_throttled(sign_in(strict, person.email, person.password))


def test_honest_sign_ins_side_by_side(strict, person, sign_in):
    """One user's many programs do not lock each other out."""
    with ThreadPoolExecutor(32) as many:
        for answer in many.map(lambda _: sign_in(
                strict, person.email, person.password), range(96)):
            contract.check_signed_in(answer)


# ---- by device ---------------------------------------------------------------

def test_nobody_locks_the_owner_out(strict, person, sign_in, hold):
    first = sign_in(strict, person.email, person.password)
    for _ in range(5):
        check_denied(wrong(sign_in, strict, person.email))
    hold()
    check_throttled(sign_in(strict, person.email, person.password))
    again = sign_in(strict, person.email, person.password,
                    headers=device_of(first))
    contract.check_signed_in(again)
    # The owner's success does not open the door to the others.
    check_throttled(sign_in(strict, person.email, person.password))
    # The cookie is a new one, and the old one serves as well.
    assert device_of(again) != device_of(first)
    contract.check_signed_in(sign_in(strict, person.email, person.password,
                                     headers=device_of(again)))


def test_a_device_has_a_count_of_its_own(strict, new_person, sign_in):
    def lock():
        person = new_person()
        device = device_of(sign_in(strict, person.email, person.password))
        for _ in range(5):
            check_denied(wrong(sign_in, strict, person.email, headers=device))
        assert check_throttled(sign_in(strict, person.email, person.password,
                                       headers=device)) == 1
        return person

    person = clock.in_time(lock, within=1)
    # It has locked itself, and nobody else.
    for _ in range(5):
        check_denied(wrong(sign_in, strict, person.email))


def test_a_device_cookie_is_for_its_account(strict, new_person, sign_in, hold):
    one, other = new_person(), new_person()
    device = device_of(sign_in(strict, one.email, one.password))
    for _ in range(5):
        check_denied(wrong(sign_in, strict, other.email, headers=device))
    hold()
    check_throttled(wrong(sign_in, strict, other.email))
    # None of that was counted for its own account.
    for _ in range(5):
        check_denied(wrong(sign_in, strict, one.email, headers=device))


@pytest.mark.parametrize("spoil", [
    lambda cookie: cookie[:-1], lambda cookie: cookie + "A",
    lambda cookie: cookie.replace("=", "=A", 1),
    lambda cookie: cookie.replace(DEVICE, "__Host-" + DEVICE),
    lambda cookie: DEVICE + "=", lambda cookie: DEVICE + "=" + "x" * 79,
    lambda cookie: cookie + "; " + DEVICE + "=other",
], ids=["cut", "longer", "changed", "renamed", "empty", "invented", "twice"])
def test_no_other_cookie_helps(strict, person, sign_in, spoil, hold):
    device = device_of(sign_in(strict, person.email, person.password))
    spoilt = {"Cookie": spoil(device["Cookie"])}
    for _ in range(5):
        check_denied(wrong(sign_in, strict, person.email, headers=spoilt))
    hold()
    check_throttled(sign_in(strict, person.email, person.password,
                            headers=spoilt))
    check_throttled(sign_in(strict, person.email, person.password))


def test_device_cookie_is_kept_for_long(strict, person, sign_in):
    answer = sign_in(strict, person.email, person.password, https=True)
    value, attributes = contract.cookies(answer)["__Host-" + DEVICE]
    assert int(attributes["max-age"]) == 365 * 86400
    assert person.email not in value


def test_without_device_cookies(start_pool, strict, person, sign_in, hold):
    pool = start_pool(throttle_failures=5, device_cookie_days=0)
    device = device_of(sign_in(strict, person.email, person.password))
    answer = sign_in(pool, person.email, person.password, headers=device)
    contract.check_signed_in(answer)
    assert DEVICE not in contract.cookies(answer)
    for _ in range(5):
        check_denied(wrong(sign_in, pool, person.email))
    hold()
    check_throttled(sign_in(pool, person.email, person.password,
                            headers=device))


# ---- what the table tells ----------------------------------------------------

def test_the_table_tells_nobody(strict, person, sign_in, cluster):
    cluster.ask("DELETE FROM postern.throttle")
    for email in (person.email, "nobody-else@example.test"):
        check_denied(wrong(sign_in, strict, email))
    rows = cluster.ask("SELECT * FROM postern.throttle")
    assert len(rows) == 2
    for row in rows:
        assert len(row) == 3
        digest = bytes(row[0])
        for email in (person.email, "nobody-else@example.test"):
            assert digest != hashlib.sha256(email.encode()).digest()


# ---- by address --------------------------------------------------------------

@pytest.fixture
def narrow(start_pool):
    """Three failures at once, and one more each minute."""
    return start_pool(workers=4, hash_queue=4, throttle_address_burst=3,
                      throttle_address_rate=1)


def test_an_address_that_fails_is_refused(start_pool, people, sign_in):
    """Three failures at once, and one more each second."""
    pool = start_pool(workers=4, hash_queue=4, throttle_address_burst=3,
                      throttle_address_rate=60)
    unused = (f"192.0.2.{number}" for number in range(10, 100))

    def lock():
        here = {"REMOTE_ADDR": next(unused)}
        for i in range(3):
            check_denied(wrong(sign_in, pool, f"nobody{i}@example.test", **here))
        assert check_throttled(
            wrong(sign_in, pool, "nobody@example.test", **here)) == 1
        # Whoever it is, and whatever the password.
        check_throttled(sign_in(pool, people.alice.email,
                                people.alice.password, **here))
        return here

    here = clock.in_time(lock, within=1)
    # Another address is not concerned.
    contract.check_signed_in(sign_in(pool, people.alice.email,
                                     people.alice.password))
    time.sleep(1)
    contract.check_signed_in(sign_in(pool, people.alice.email,
                                     people.alice.password, **here))


def test_sign_ins_that_succeed_cost_an_address_nothing(narrow, people,
                                                       sign_in):
    with ThreadPoolExecutor(8) as many:
        for answer in many.map(lambda _: sign_in(
                narrow, people.alice.email, people.alice.password), range(24)):
            contract.check_signed_in(answer)


def test_ipv6_clients_count_by_their_network(narrow, people, sign_in):
    for i in range(3):
        check_denied(wrong(sign_in, narrow, f"nobody{i}@example.test",
                           REMOTE_ADDR=f"2001:db8:1:2::{i}"))
    check_throttled(wrong(sign_in, narrow, "nobody@example.test",
                          REMOTE_ADDR="2001:db8:1:2:ffff::1"))
    check_denied(wrong(sign_in, narrow, "nobody@example.test",
                       REMOTE_ADDR="2001:db8:1:3::1"))


def test_knocking_at_a_locked_account_costs(start_pool, person, sign_in, hold):
    pool = start_pool(throttle_failures=1, throttle_lock_seconds=60,
                      throttle_address_burst=3, throttle_address_rate=1)
    check_denied(wrong(sign_in, pool, person.email))
    hold()
    check_throttled(wrong(sign_in, pool, person.email))
    check_throttled(wrong(sign_in, pool, person.email))
    # By now it is the address that is refused, for a minute.
    assert check_throttled(wrong(sign_in, pool, "other@example.test")) > 30


def test_workers_share_the_buckets(start_pool, people, sign_in):
    pool = start_pool(workers=6, hash_queue=6, throttle_address_burst=10,
                      throttle_address_rate=1)
    with ThreadPoolExecutor(12) as many:
        answers = list(many.map(lambda i: wrong(
            sign_in, pool, f"nobody{i}@example.test"), range(60)))
    denied = sum(answer.status == 401 for answer in answers)
    # Those who were on their way when it ran out: one a worker at most.
    assert 10 <= denied <= 15


def test_an_operator_sees_addresses_and_releases_them(narrow, people, sign_in):
    def refused():
        said = process.run([tree.POSTERN, "--status", "--listen",
                            f"unix:{narrow.address}"], check=True).stdout
        return re.search(r"(?m)^addresses +(.*)$", said.decode()).group(1)

    assert refused() == "none"
    for address in ("192.0.2.7", "192.0.2.8", "2001:db8::1"):
        for i in range(3 if address != "192.0.2.8" else 2):
            check_denied(wrong(sign_in, narrow, f"nobody{i}@example.test",
                               REMOTE_ADDR=address))
    process.wait_until("two addresses",
                       lambda: refused() == "2 refused at present")
    check_throttled(sign_in(narrow, people.alice.email, people.alice.password))
    narrow.reload()
    contract.check_signed_in(
        sign_in(narrow, people.alice.email, people.alice.password))
    process.wait_until("none", lambda: refused() == "none")


# ---- by address, in processes that are nobody's children ---------------------

class Cgi:
    """One process a request, whose only memory is what it shares by name."""

    def __init__(self, room, settings, keys, folder):
        self.config = write_settings(room / "settings", {
            **settings, "throttle_address_burst": 3, "throttle_address_rate": 1,
            "shared_dir": folder, "log": room / "log"})
        self.log_file = room / "log"
        self.api_key = keys.publishable
        self.folder = folder

    def run(self, email, password, **more):
        body = json.dumps({"email": email, "password": password}).encode()
        pairs = fastcgi.request_params("POST", SIGN_IN, body, {
            "Content-Type": "application/json", "X-Api-Key": self.api_key},
            **more)
        return process.run([tree.POSTERN], stdin=body,
                           env=process.clean_environment(
                               POSTERN_CONFIG=self.config, **dict(pairs)))

    def ask(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.returncode == 0, done
        return fastcgi.Answer(done.stdout)

    def refused(self):
        """What the log says when there is no answer."""
        before = len(self.log_file.read_text())
        done = self.run("nobody@example.test", "x")
        assert done.returncode != 0 and done.stdout == b""
        return self.log_file.read_text()[before:]

    def table(self):
        """The file of the buckets."""
        [path] = self.folder.glob("postern-*-addresses-*")
        return path


@pytest.fixture
def cgi(room, settings, keys, people, own_folder):
    return Cgi(room, settings, keys, own_folder)


def test_cgi_processes_share_the_buckets(cgi, people):
    alice = people.alice
    for i in range(3):
        check_denied(cgi.ask(f"nobody{i}@example.test", "x"))
    assert 30 < check_throttled(cgi.ask("nobody@example.test", "x")) <= 60
    check_throttled(cgi.ask(alice.email, alice.password))
    contract.check_signed_in(cgi.ask(alice.email, alice.password,
                                     REMOTE_ADDR="192.0.2.8"))
    # Small, for this user alone, and there is one of it.
    status = cgi.table().stat()
    assert status.st_mode & 0o777 == 0o600 and status.st_size < 300000


def test_an_operator_releases_an_address_of_cgi(cgi):
    """As the manual says: by taking the file away."""
    for i in range(3):
        check_denied(cgi.ask(f"nobody{i}@example.test", "x"))
    check_throttled(cgi.ask("nobody@example.test", "x"))
    cgi.table().unlink()
    check_denied(cgi.ask("nobody@example.test", "x"))


def overwrite(path):
    path.write_bytes(b"\0" * (path.stat().st_size - 1) + b"\1")


def put_a_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("spoil, why", [
    (overwrite, "what is in it is not ours: remove it"),
    (lambda path: os.truncate(path, 1000), "it has another size: remove it"),
    (lambda path: path.chmod(0o666), "it is no file of this user alone"),
    (put_a_link, "it is no file of this user alone"),
    (lambda path: os.chown(path, 65534, -1), "it belongs to user 65534"),
], ids=["content", "size", "mode", "link", "owner"])
def test_buckets_that_are_not_ours(cgi, spoil, why):
    """Nobody signs in past a count that cannot be kept."""
    if why.endswith("65534") and os.geteuid() != 0:
        pytest.skip("only root may give a file to somebody else")
    check_denied(cgi.ask("nobody@example.test", "x"))
    spoil(cgi.table())
    said = cgi.refused()
    assert why in said and str(cgi.table()) in said
    if cgi.table().is_symlink():
        cgi.table().with_name("elsewhere").unlink()
    cgi.table().unlink()
    check_denied(cgi.ask("nobody@example.test", "x"))


# ---- refresh tokens that are none --------------------------------------------

def refresh(pool, token, **options):
    return fastcgi.ask(pool.address, "POST", "/v2/auth/refresh",
                       json.dumps({"refreshToken": token}),
                       {"Content-Type": "application/json"}, **options)


def check_no_token(answer):
    contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")


def test_forged_refresh_tokens(narrow, people, sign_in):
    """Who shares the address notices nothing: neither who refreshes, nor who
    signs in, nor who mistypes."""
    genuine = json.loads(sign_in(narrow, people.alice.email,
                                 people.alice.password).body)["refreshToken"]
    forged = genuine[:-4] + ("AAAA" if genuine[-4:] != "AAAA" else "EAAA")
    for token in (forged, "x", forged):
        check_no_token(refresh(narrow, token))
    for token in (forged, "x", "y" * 300):
        assert 30 < check_throttled(refresh(narrow, token)) <= 60
        assert refresh(narrow, genuine).status == 200
    assert metric(narrow, "postern_throttled_total", by="tokens") == 3
    contract.check_signed_in(sign_in(narrow, people.alice.email,
                                     people.alice.password))
    for i in range(3):
        check_denied(wrong(sign_in, narrow, f"nobody{i}@example.test"))
    check_no_token(refresh(narrow, forged, REMOTE_ADDR="192.0.2.8"))


def test_failed_passwords_keep_nobody_from_refreshing(narrow, people, sign_in):
    genuine = json.loads(sign_in(narrow, people.alice.email,
                                 people.alice.password).body)["refreshToken"]
    for i in range(3):
        check_denied(wrong(sign_in, narrow, f"nobody{i}@example.test"))
    check_throttled(wrong(sign_in, narrow, "nobody@example.test"))
    assert refresh(narrow, genuine).status == 200
    check_no_token(refresh(narrow, "x"))


def test_tabs_of_a_session_that_is_over(narrow, people, sign_in):
    """Each of them learns of it, however many there are."""
    tokens = json.loads(sign_in(narrow, people.alice.email,
                                people.alice.password).body)
    assert fastcgi.ask(narrow.address, "POST", "/v2/auth/sign-out", headers={
        "Authorization": "Bearer " + tokens["accessToken"]}).status == 204
    for _ in range(12):
        check_no_token(refresh(narrow, tokens["refreshToken"]))


# ---- what an operator sees ---------------------------------------------------

def test_it_is_counted_and_logged(start_pool, person, sign_in, keys, hold):
    pool = start_pool(throttle_failures=1, throttle_address_burst=5,
                      throttle_address_rate=1)
    device = device_of(sign_in(pool, person.email, person.password))
    for headers in ({}, device):
        check_denied(wrong(sign_in, pool, person.email, headers=headers))
        hold()
    check_throttled(wrong(sign_in, pool, person.email))
    check_throttled(wrong(sign_in, pool, person.email))
    answer = wrong(sign_in, pool, person.email, headers=device)
    check_throttled(answer)
    check_throttled(wrong(sign_in, pool, person.email))
    assert [metric(pool, "postern_throttled_total", by=by)
            for by in ("account", "device", "address")] == [2, 1, 1]
    assert metric(pool, "postern_sign_ins_total", result="throttled") == 4
    event = pool.request_event(answer.header("X-Request-Id"))
    assert (event["status"], event["outcome"]) == (429, "throttled")
    assert json.dumps(event).find(person.email) == -1


# ---- posternctl --------------------------------------------------------------

def fail(strict, sign_in, email, times):
    for _ in range(times):
        check_denied(wrong(sign_in, strict, email))


@pytest.fixture
def strict_ctl(strict):
    """posternctl with the settings of the strict pool."""
    return Ctl(strict.settings_file)


def test_ctl_shows_and_clears(strict, strict_ctl, person, sign_in, hold):
    shown = strict_ctl.json("throttle", "show", person.email)
    assert shown == {"email": person.email, "failures": 0, "failedAt": None,
                     "lockedUntil": None}
    fail(strict, sign_in, person.email, 4)
    shown = strict_ctl.json("throttle", "show", person.email.upper())
    assert (shown["email"], shown["failures"]) == (person.email, 4)
    assert shown["failedAt"] and shown["lockedUntil"] is None
    fail(strict, sign_in, person.email, 1)
    hold()
    shown = strict_ctl.json("throttle", "show", person.email)
    failed, locked = (datetime.fromisoformat(shown[name].replace("Z", "+00:00"))
                      for name in ("failedAt", "lockedUntil"))
    assert locked - failed == timedelta(seconds=1)
    check_throttled(sign_in(strict, person.email, person.password))

    answer = strict_ctl.json("throttle", "clear", person.email)
    assert answer == {"email": person.email, "failuresForgotten": 5}
    contract.check_signed_in(sign_in(strict, person.email, person.password))
    assert strict_ctl("throttle", "clear", person.email) == \
        f"{person.email}: failures forgotten: 0"


def test_ctl_shows_an_address_that_nobody_has(strict, strict_ctl, sign_in):
    fail(strict, sign_in, "never-seen@example.test", 2)
    said = strict_ctl("throttle", "show", "never-seen@example.test")
    assert re.search(r"^failures in a row +2$", said, re.M)
    assert re.search(r"^locked until +-$", said, re.M)


def test_ctl_lists_counts_in_pages(strict, strict_ctl, sign_in, cluster, hold):
    cluster.ask("DELETE FROM postern.throttle")
    for i in range(5):
        fail(strict, sign_in, f"page{i}@example.test", i + 1)
    hold()
    found, after = [], []
    for _ in range(3):
        page = strict_ctl.json("throttle", "list", "--limit", "2", *after)
        found += page["counts"]
        after = ["--after", page["next"]]
    assert page["next"] is None
    assert sorted(row["failures"] for row in found) == [1, 2, 3, 4, 5]
    assert len({row["digest"] for row in found}) == 5
    assert [row["lockedUntil"] is not None for row in sorted(
        found, key=lambda row: row["failures"])] == [False] * 4 + [True]
    assert "@" not in strict_ctl("throttle", "list")


def test_ctl_needs_the_keys_to_know_an_address(room, strict, settings):
    other = Ctl(write_settings(room / "settings", {
        **settings, "key_dir": room / "no-keys"}))
    for command in ("show", "clear"):
        done = other.run("throttle", command, "ann@example.test", check=False)
        assert done.returncode == 3
        assert b"could not read the keys" in done.stderr
    assert other.run("throttle", "list").returncode == 0
