"""The gate: more sign-ins than can be hashed, and deaths among those who hash."""

import concurrent.futures
import json
import os
import re
import secrets
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import contract, fastcgi, process, prometheus, tree
from harness.postern import write_settings

SIGN_IN = "/v2/auth/sign-in"

# Clock ticks of the processor that nothing but a hash takes.
BUSY = 20 if not tree.SANITIZED else 60

# A quarter of a second and more, on one core: somebody always waits.
SLOW = {"scrypt_log2_n": 16, "scrypt_p": 3, "hash_slots": 1,
        "hash_deadline_ms": 80000, "request_deadline_ms": 90000}


def stranger(number):
    """Nobody's address: costs what a new hash would."""
    return f"stranger{number}@example.test"


def all_at_once(count, ask):
    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        return list(threads.map(ask, range(count)))


def head_and_body(keys, email):
    body = json.dumps({"email": email, "password": "x"}).encode()
    return fastcgi.request_params("POST", SIGN_IN, body, {
        "Content-Type": "application/json",
        "X-Api-Key": keys.publishable}), body


def outcomes(pool):
    return [event.get("outcome") for event in pool.events("request")]


# ---- too many ----------------------------------------------------------------

def test_more_than_there_are_places(start_pool, sign_in):
    """They are told so at once, and whoever costs nothing is served."""
    pool = start_pool(workers=8, hash_queue=2, **SLOW)
    ends = {}  # status: when the first answer with it was there
    served_first = threading.Event()

    def ask(number):
        if number == 12:
            return look()
        answer = sign_in(pool, stranger(number), "x", timeout=90)
        ends.setdefault(answer.status, time.monotonic())
        if answer.status == 401:
            served_first.set()
        return answer

    def look():
        """As long as the first hash takes."""
        while True:
            answer = fastcgi.ask(pool.address, "GET", "/v2/auth/health")
            ends.setdefault(answer.status, time.monotonic())
            if served_first.is_set():
                return answer

    *signed, health = all_at_once(13, ask)
    assert health.status == 200
    served = [answer for answer in signed if answer.status == 401]
    refused = [answer for answer in signed if answer.status == 503]
    assert len(served) >= 2 and refused
    assert len(served) + len(refused) == 12
    for answer in refused:
        contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert int(answer.header("Retry-After")) > 0
    process.wait_until("twelve log lines",
                       lambda: outcomes(pool).count("busy") == len(refused))
    # Neither stood behind a hash.
    assert ends[503] < ends[401] and ends[200] < ends[401]


def test_deadline(start_pool, sign_in):
    pool = start_pool(workers=8, hash_queue=8, hash_lanes=1,
                      **SLOW | {"hash_deadline_ms": 100})
    statuses = set()
    for _ in range(5):  # they may come one after the other
        statuses |= {answer.status for answer in all_at_once(
            8, lambda i: sign_in(pool, stranger(i), "x"))}
        if statuses >= {401, 503}:
            break
    assert statuses == {401, 503}
    assert "busy" in outcomes(pool)


def test_nobody_waits_for_the_answer(start_pool, keys, sign_in):
    """A hash is not computed for a web server that has hung up."""
    pool = start_pool(workers=8, hash_queue=8, hash_lanes=1,
                      **SLOW | {"scrypt_p": 8 if not tree.SANITIZED else 3})

    def places_taken():
        text = fastcgi.ask(pool.address, "GET", "/metrics",
                           REMOTE_ADDR="127.0.0.1").body.decode()
        return prometheus.read(text)["postern_hash_places_taken"].total()

    def third_hangs_up():
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            others = []
            for i in range(2):
                others.append(threads.submit(sign_in, pool, stranger(i), "x",
                                             timeout=90))
                # Else a worker may let in both, one behind the other.
                process.wait_until("the slot and the first place in line to "
                                   "be taken", lambda: places_taken() == i + 1)
            pairs, body = head_and_body(keys, stranger(2))
            with fastcgi.Connection(pool.address) as connection:
                connection.begin()
                connection.params(pairs)
                connection.stdin(body)
                process.wait_until("the third place",
                                   lambda: places_taken() == 3)
            assert all(one.result().status == 401 for one in others)
        process.wait_until("an empty gate", lambda: places_taken() == 0)
        return "abandoned" in outcomes(pool)

    # On a busy machine its turn may come before it has hung up.
    assert any(third_hangs_up() for _ in range(4))


# ---- who never reaches it ----------------------------------------------------

def number(pool, name, **labels):
    text = fastcgi.ask(pool.address, "GET", "/metrics",
                       REMOTE_ADDR="127.0.0.1").body.decode()
    return prometheus.read(text)[name].value(**labels)


@contextmanager
def standing_still(pool, sign_in):
    """The one slot is taken, and a place, by a hash that does not end."""
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        slow = threads.submit(sign_in, pool, stranger(0), "x", timeout=90)
        process.wait_until("somebody to hash", lambda: number(
            pool, "postern_hash_slots_busy") == 1)
        # It may begin to compute a moment after that.
        process.wait_until("its work", lambda: processor_time(
            busiest(pool)) >= 2)
        hasher = busiest(pool)
        os.kill(hasher, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(hasher, signal.SIGCONT)
        assert slow.result().status == 401


def test_who_is_locked_takes_no_place(start_pool, sign_in, cluster):
    """Neither while the database is asked about it nor after."""
    pool = start_pool(workers=6, hash_queue=2, throttle_failures=1,
                      throttle_lock_seconds=900, **SLOW)
    email = f"locked-{secrets.token_hex(6)}@example.test"
    cluster.ask("DELETE FROM postern.throttle")
    assert sign_in(pool, email, "x", timeout=90).status == 401
    cluster.ask("UPDATE postern.throttle SET failed_at = failed_at + "
                "interval '1 h'")
    hashed = number(pool, "postern_hashes_total")
    with standing_still(pool, sign_in), \
            concurrent.futures.ThreadPoolExecutor(3) as threads:
        with cluster.held("throttle"):
            locked = [threads.submit(sign_in, pool, email, "x")
                      for _ in range(3)]
            cluster.wait_for_waiters(3)
            assert number(pool, "postern_hash_places_taken") == 1
        for one in locked:
            contract.check_refused(one.result(), 429, "LIMIT_EXCEEDED")
        assert number(pool, "postern_hash_places_taken") == 1
        assert number(pool, "postern_hash_refused_total", reason="full") == 0
        assert number(pool, "postern_hashes_total") == hashed


def test_a_full_gate_keeps_others_from_the_database(start_pool, sign_in, cluster):
    pool = start_pool(workers=6, hash_queue=1, **SLOW)

    def asked():
        return cluster.log().count("FROM postern.logins WHERE login_key = $1")

    with standing_still(pool, sign_in):
        before = asked()
        assert before > 0
        for i in range(1, 6):
            contract.check_refused(sign_in(pool, stranger(i), "x"), 503,
                                   "SERVICE_UNAVAILABLE")
        assert number(pool, "postern_hash_refused_total", reason="full") == 5
        assert asked() == before


# ---- deaths ------------------------------------------------------------------

def processor_time(pid):
    """What it has used; -1 when it is no more."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return -1
    return int(fields[11]) + int(fields[12])


def busiest(pool):
    """The worker that computes: it has used the most of the processor."""
    return max(pool.workers(), key=processor_time)


def test_the_one_who_computes_dies(start_pool, sign_in):
    """Its own request is lost; those that it computed for get their answers."""
    pool = start_pool(workers=8, hash_queue=8, **SLOW)
    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        asked = []
        for i in range(6):
            asked.append(threads.submit(sign_in, pool, stranger(i), "x",
                                        timeout=90))
            # Else a worker may let in two, and both end with it.
            process.wait_until("it at the gate", lambda: number(
                pool, "postern_hash_places_taken") + number(
                    pool, "postern_hashes_total") > i)
        for _ in range(2):
            time.sleep(0.25)
            os.kill(busiest(pool), signal.SIGKILL)
        answers = [one.result() for one in asked]
    statuses = [answer.status if answer.whole_head else None
                for answer in answers]
    assert statuses.count(401) >= 4
    assert set(statuses) <= {401, None}
    process.wait_until("eight workers", lambda: len(pool.workers()) == 8)
    assert sign_in(pool, stranger(7), "x", timeout=90).status == 401


# ---- settings ----------------------------------------------------------------

def start_event(pool):
    [event] = process.wait_until("the first line",
                                 lambda: pool.events("start"))
    return event


def test_what_is_said_at_the_start(start_pool):
    event = start_event(start_pool(workers=4, hash_slots=2, hash_lanes=2,
                                   hash_other_mib=5))
    assert event["hash_slots"] == 2
    assert event["hash_lanes"] == 2
    assert event["hash_queue"] == 3
    assert event["hash_engine"] in ("avx512", "avx2", "portable")
    # Two slots of two lanes of 1 MiB, and two of 5 MiB for other hashes.
    assert event["hash_other_mib"] == 5
    assert event["memory_mib"] - 4 >= event["hash_mib"] >= 14


def test_by_libscrypt(start_pool, new_person, sign_in):
    pool = start_pool(hash_engine="libscrypt")
    person = new_person()
    assert start_event(pool)["hash_engine"] == "libscrypt"
    assert sign_in(pool, person.email, person.password).status == 200
    contract.check_refused(sign_in(pool, person.email, "x"), 401,
                           "INVALID_CREDENTIALS")


# Put before libscrypt: the same with one bit wrong, so that the lanes differ from
# it.
WRONG_LIBSCRYPT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

typedef int scrypt(const uint8_t *, size_t, const uint8_t *, size_t, uint64_t,
    uint32_t, uint32_t, uint8_t *, size_t);

int
libscrypt_scrypt(const uint8_t *password, size_t size, const uint8_t *salt,
    size_t salt_size, uint64_t n, uint32_t r, uint32_t p, uint8_t *key,
    size_t key_size)
{
	int result = ((scrypt *)dlsym(RTLD_NEXT, "libscrypt_scrypt"))(password,
	    size, salt, salt_size, n, r, p, key, key_size);

	key[0] ^= 1;
	return result;
}
"""


@pytest.fixture
def disagreement(room):
    """An environment in which libscrypt and the lanes do not agree."""
    return process.preloaded(room, WRONG_LIBSCRYPT)


def test_libscrypt_takes_over(start_pool, sign_in, disagreement):
    pool = start_pool(options={"env": disagreement})
    assert start_event(pool)["hash_engine"] == "libscrypt"
    [said] = [event["message"] for event in pool.events()
              if event["level"] == "warning"]
    assert "the lanes do not compute what libscrypt computes" in said
    assert sign_in(pool, stranger(0), "x").status == 401


def test_lanes_that_are_wrong_do_not_start(room, settings, disagreement):
    config = write_settings(room / "settings",
                            {**settings, "hash_engine": "lanes"})
    done = process.run([tree.POSTERN, "--config", config, "--listen",
                        f"unix:{room}/sock"], env=disagreement)
    assert done.returncode == 1
    assert "the lanes do not compute what libscrypt computes" \
        in done.stderr.decode()
    assert not (room / "sock").exists()


def test_too_little_memory(room, settings):
    config = write_settings(room / "settings", {
        **settings, "hash_lanes": 4, "hash_slots": 2, "scrypt_log2_n": 15,
        "memory_limit_mib": 200})
    done = process.run([tree.POSTERN, "--config", config, "--listen",
                        f"unix:{room}/sock"])
    assert done.returncode == 1
    said = done.stderr.decode()
    assert re.search(r"hashing may take \d+ MiB .* there are 200 MiB", said)
    assert "hash_slots" in said
    assert not (room / "sock").exists()


def test_redone_with_the_setting(start_pool, new_person, sign_in, cluster):
    pool = start_pool(scrypt_log2_n=11, scrypt_p=2)
    person = new_person()
    assert sign_in(pool, person.email, person.password).status == 200
    [(verifier,)] = cluster.ask(
        "SELECT pw_hash FROM postern.logins WHERE user_id = %s",
        person.user_id)
    assert verifier.startswith("$s1$0b0802$")
    assert sign_in(pool, person.email, person.password).status == 200


def arenas_of(pid):
    """KiB in memory of what is shared and large."""
    text = open(f"/proc/{pid}/smaps").read()
    return sum(int(rss) for size, rss in re.findall(
        r"/dev/zero.*\nSize: +(\d+) kB\n(?:.*\n)*?Rss: +(\d+) kB", text)
        if int(size) > 8192)


def test_memory_is_given_back(start_pool, sign_in):
    pool = start_pool(workers=1, hash_idle_seconds=0, hash_slots=1,
                      scrypt_log2_n=14)
    assert sign_in(pool, stranger(0), "x").status == 401
    process.wait_until("the memory back", lambda: all(
        arenas_of(pid) == 0 for pid in [pool.pid, *pool.workers()]))
    assert sign_in(pool, stranger(0), "x").status == 401


# ---- processes that are nobody's children ------------------------------------

@pytest.fixture
def shared_memory():
    """No more than these names is left of a test's gates, and none with arenas."""
    before = {entry.name for entry in os.scandir("/dev/shm")}
    yield
    for entry in os.scandir("/dev/shm"):
        if entry.name.startswith("postern-") and entry.name not in before:
            assert entry.stat().st_blocks * 512 < 4 << 20
            os.unlink(entry)


def cgi_environment(config, pairs):
    return process.clean_environment(
        POSTERN_CONFIG=config, **{name: value for name, value in pairs})


def test_cgi_processes_share_one_gate(room, settings, keys, people,
                                      shared_memory):
    """Found by name; what they computed in does not stay."""
    config = write_settings(room / "settings", {
        **settings, "hash_slots": 1, "scrypt_log2_n": 14})
    pairs, body = head_and_body(keys, stranger(0))

    def ask(_number):
        return fastcgi.Answer(process.run(
            [tree.POSTERN], stdin=body, check=True,
            env=cgi_environment(config, pairs)).stdout)

    answers = all_at_once(6, ask)
    assert [answer.status for answer in answers] == [401] * 6


def ask_cgi(room, settings, keys, prefix=(), **more):
    """(answer or None, what the log says) of a process of its own."""
    log = room / "log"
    log.unlink(missing_ok=True)
    config = write_settings(room / "settings", {
        **settings, "hash_slots": 1, "scrypt_log2_n": 14, "log": log, **more})
    pairs, body = head_and_body(keys, stranger(0))
    done = process.run([*prefix, tree.POSTERN], stdin=body,
                       env=cgi_environment(config, pairs))
    assert (done.returncode == 0) == bool(done.stdout)
    return (fastcgi.Answer(done.stdout) if done.stdout else None,
            log.read_text() if log.exists() else "")


@pytest.mark.skipif(tree.SANITIZED,
                    reason="without the filter no process leaves the name behind")
def test_somebody_else_was_first(room, settings, keys, people, own_folder):
    """With a file of the name, which is told with its owner; another folder is the
    way out."""
    if os.geteuid() != 0:
        pytest.skip("only root may give a file to somebody else")
    answer, _ = ask_cgi(room, settings, keys, shared_dir=own_folder)
    assert answer.status == 401
    taken, = own_folder.iterdir()
    os.chown(taken, 65534, -1)

    answer, log = ask_cgi(room, settings, keys, shared_dir=own_folder)
    assert answer is None
    assert f'\\"{taken}\\": it belongs to user 65534, not to 0: have it ' \
        "removed, or set shared_dir" in log
    # A sticky folder of all, whose files the kernel protects.
    own_folder.chmod(0o1777)
    answer, log = ask_cgi(room, settings, keys, shared_dir=own_folder)
    assert answer is None and "it belongs to user 65534" in log

    own_folder.chmod(0o700)
    (own_folder / "mine").mkdir(mode=0o700)
    answer, _ = ask_cgi(room, settings, keys, shared_dir=own_folder / "mine")
    assert answer.status == 401


def test_a_folder_that_will_not_do(room, settings, keys, people, own_folder):
    for folder, why in ((room, "not in memory"),
                        (own_folder / "nowhere", "No such file")):
        answer, log = ask_cgi(room, settings, keys, shared_dir=folder)
        assert answer is None and why in log
    own_folder.chmod(0o777)
    answer, log = ask_cgi(room, settings, keys, shared_dir=own_folder)
    assert answer is None and "others may remove files" in log


def test_too_little_room(room, settings, keys, people):
    """Docker's 64 MiB: how much it takes is told, and what to do."""
    prefix = ["unshare", "--mount", "sh", "-c",
              'mount -t tmpfs -o size=64m,mode=1777 none /dev/shm && exec "$@"',
              "-"]
    if process.run([*prefix, "true"]).returncode != 0:
        pytest.skip("a small /dev/shm takes root, and more than a chroot")
    large = {"scrypt_log2_n": 15, "hash_slots": 2, "hash_lanes": 4,
             "hash_engine": "lanes"}
    answer, log = ask_cgi(room, settings, keys, prefix, **large)
    assert answer is None
    assert re.search(r"hashing takes 2\d\d MiB, and its file system has room for "
                     r"6\d MiB: make that larger \(Docker: --shm-size\), or lower "
                     "hash_slots, hash_lanes or the cost of a hash", log)
    answer, _ = ask_cgi(room, settings, keys, prefix,
                        **{**large, "hash_slots": 1, "hash_lanes": 1})
    assert answer.status == 401


def test_one_of_them_dies(room, settings, keys, people, shared_memory):
    """In the middle of the hashes of all the others."""
    config = write_settings(room / "settings", {
        **settings, **SLOW, "scrypt_p": 16 if not tree.SANITIZED else 4,
        "log": room / "log"})
    started = []
    for number in range(4):
        pairs, body = head_and_body(keys, stranger(number))
        (room / f"body{number}").write_bytes(body)
        with open(room / f"body{number}", "rb") as stdin:
            started.append(process.Process(
                [tree.POSTERN], room / f"answer{number}", stdin=stdin,
                env=cgi_environment(config, pairs)))
    process.wait_until("one to be busy", lambda: max(
        processor_time(one.pid) for one in started) >= BUSY)
    busy = max(started, key=lambda one: processor_time(one.pid))
    os.kill(busy.pid, signal.SIGKILL)
    statuses = [one.wait(90) for one in started]
    assert sorted(statuses) == [-signal.SIGKILL, 0, 0, 0]
    answers = [fastcgi.Answer(Path(one.log).read_bytes()) for one in started
               if one is not busy]
    assert [answer.status for answer in answers] == [401] * 3
