"""postern.fcgi --status: what running pools do, for a person at a terminal."""

import concurrent.futures
import json
import os
import pwd
import re
import shutil
import signal
import threading

import pytest

from conftest import SIGN_IN
from harness import clock, fastcgi, process, tree

BOARDS = "/dev/shm/postern-board-"


def status(*arguments, **options):
    return process.run([tree.POSTERN, *arguments, "--status"], **options)


def show(pool):
    done = status("--listen", f"unix:{pool.address}", check=True)
    assert done.stderr == b""
    text = done.stdout.decode("ascii")
    for line in text.splitlines():
        assert len(line) < 80, line
    return text


def workers(text):
    """[(process, state, what it answers)] of the table."""
    return [(int(pid), state, what.strip()) for pid, state, what in re.findall(
        r"(?m)^ +(\d+)  (\w+) +(?:[\d.]+ \w+ ?)+ +\d+(.*)$", text)]


def gone(pool):
    """What is said when nobody listens there."""
    done = status("--listen", f"unix:{pool.address}")
    assert done.returncode == 1 and done.stdout == b""
    return done.stderr.decode()


def test_an_idle_pool(start_pool, people, sign_in):
    pool = start_pool(workers=3)
    process.wait_until("idle workers", lambda: "3 idle" in show(pool))
    text = show(pool)
    head = re.match(r"postern\.fcgi (\S+): process (\d+) of (\S+)\n", text)
    version = process.run([tree.POSTERN, "--version"], check=True)
    assert head[1] == version.stdout.decode().split()[1]
    assert int(head[2]) == pool.pid
    assert head[3] == "root" if os.getuid() == 0 else head[3]
    assert f"\nlistens at  unix:{pool.address}\n" in text
    assert re.search(r"\nruns for    \d+\.\d s\n", text)
    assert re.search(r"\npasswords   0 of \d+ slots busy, 0 of \d+ places "
                     r"taken, 0 waiting", text)
    assert "warning" not in text and "wanted" not in text
    assert {pid for pid, _, _ in workers(text)} == set(pool.workers())
    assert {(state, what) for _, state, what in workers(text)} == {
        ("idle", "")}


def test_what_was_counted(start_pool, people, sign_in):
    pool = start_pool(hash_deadline_ms=20000, db_timeout_ms=20000)
    assert [sign_in(pool, people.alice.email, password, timeout=60).status
            for password in (people.alice.password, "wrong", "wrong")] == [
        200, 401, 401]
    text = process.wait_until("all of it", lambda: (
        lambda text: "3 hashed" in text and
        "\nanswers     1 with 200, 2 with 401\n" in text and text)(show(pool)))
    assert "\nsign-ins    1 signed_in, 2 denied\n" in text
    assert "\nrefreshes   none\n" in text
    assert people.alice.email not in text


def test_while_everybody_is_busy(start_pool, people, sign_in):
    """When no worker is free to answer anything at all."""
    pool = start_pool(workers=4, hash_queue=4, hash_slots=1, hash_lanes=1,
                      scrypt_log2_n=14, scrypt_p=4, hash_deadline_ms=20000)
    seen = threading.Event()

    def keep_asking(number):
        """Numbers of the gate are up to a second old: so for a while."""
        while not seen.is_set():
            answer = sign_in(pool, f"n{number}@example.test", "x", timeout=60)
            assert answer.status == 401

    def full():
        text = show(pool)
        return text if "\nworkers     4 busy\n" in text and \
            "1 of 1 slots busy, 4 of 4 places taken, 3 waiting" in text \
            else None

    with concurrent.futures.ThreadPoolExecutor(4) as many:
        asking = [many.submit(keep_asking, i) for i in range(4)]
        try:
            text = process.wait_until("a full house", full)
            assert min(clock.timed(show, pool)[1].running
                       for _ in range(3)) < 1
        finally:
            seen.set()
        for one in asking:
            one.result()
    assert {(state, what) for _, state, what in workers(text)} == {
        ("busy", "POST /auth/sign-in")}
    process.wait_until("them to be idle", lambda: "4 idle" in show(pool))


def test_a_parent_that_hangs(start_pool, people):
    pool = start_pool()
    show(pool)
    os.kill(pool.pid, signal.SIGSTOP)
    try:
        process.wait_until("a warning", lambda: re.search(
            r"\nwarning     the parent has not looked after its workers for "
            r"\d", show(pool)), every=0.2)
    finally:
        os.kill(pool.pid, signal.SIGCONT)
    process.wait_until("no warning", lambda: "warning" not in show(pool))


def test_deaths_are_told(start_pool, people):
    pool = start_pool(workers=2)
    os.kill(pool.workers()[0], signal.SIGKILL)
    process.wait_until("a death", lambda: "ended       1 died\n" in show(pool))


def test_no_pool(start_pool, people):
    pool = start_pool()
    show(pool)
    pool.stop()
    assert gone(pool) == f"no pool runs at unix:{pool.address}\n"
    assert not os.path.exists(f"{BOARDS}{pool.pid}")


def test_a_pool_that_was_killed(start_pool, people, runtime):
    """It leaves a file behind, until another pool of this user starts."""
    pool = start_pool()
    os.kill(pool.pid, signal.SIGKILL)
    pool.process.wait()
    assert "no pool runs" in gone(pool)
    assert os.path.exists(f"{BOARDS}{pool.pid}")
    show(start_pool())
    assert not os.path.exists(f"{BOARDS}{pool.pid}")


def test_after_a_reload(start_pool, people):
    pool = start_pool(workers=2)
    old = set(pool.workers())
    pool.reload()

    def renewed():
        text = status("--listen", f"unix:{pool.address}").stdout.decode()
        found = {pid for pid, _, _ in workers(text)}
        return len(found) == 2 and not found & old and \
            "of the program before" not in text and text
    text = process.wait_until("new workers", renewed)
    assert f"process {pool.pid} of" in text


def test_all_pools(start_pool, people):
    pools = [start_pool(), start_pool()]
    text = status(check=True).stdout.decode()
    for pool in pools:
        assert f": process {pool.pid} of " in text
        assert f"\nlistens at  unix:{pool.address}\n" in text
    assert "\n\n\n" not in text and not text.startswith("\n")


def test_settings_are_not_needed(start_pool, people):
    """They may be what is wrong."""
    pool = start_pool()
    done = status("--listen", f"unix:{pool.address}", check=True,
                  env=process.clean_environment(POSTERN_CONFIG="/nowhere",
                                                POSTERN_WORKERS="no number"))
    assert f"process {pool.pid} of".encode() in done.stdout


def test_another_version(start_pool, people):
    pool = start_pool()
    with open(f"{BOARDS}{pool.pid}", "r+b") as board:
        assert board.read(14) == b"postern board\0"
        board.seek(16)
        board.write(b"99.1\0")
    done = status()
    said = done.stdout.decode()
    assert f"process {pool.pid} of " in said
    assert " is postern.fcgi 99.1, and this is " in said


@pytest.mark.parametrize("spoil", ["short", "empty", "noise", "huge"])
def test_a_board_that_is_none(start_pool, people, spoil):
    """Whoever is the service's user can write what he likes."""
    pool = start_pool()
    path = f"{BOARDS}{pool.pid}"
    size = os.path.getsize(path)
    with open(path, "r+b") as board:
        if spoil == "noise":
            board.write(os.urandom(size))
        elif spoil == "huge":
            os.truncate(path, 1 << 33)
    if spoil in ("short", "empty"):
        # Cut, its own workers would die of a page that is not there.
        os.kill(pool.pid, signal.SIGSTOP)
        for pid in pool.workers():
            os.kill(pid, signal.SIGSTOP)
        os.truncate(path, 100 if spoil == "short" else 0)
    done = status()
    assert f"process {pool.pid} of".encode() not in done.stdout
    assert done.returncode in (0, 1)
    os.truncate(path, size)
    for pid in [*pool.workers(), pool.pid]:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(os.getuid() != 0, reason="not started as root")
def test_other_users(start_pool, people):
    """They are told that there is a pool, and nothing of it."""
    pool = start_pool()
    assert os.stat(f"{BOARDS}{pool.pid}").st_mode & 0o777 == 0o600
    done = status(user="nobody", group="nogroup", extra_groups=[])
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.decode() == (
        "no pool of this user runs, but there is one of another: root may "
        "look at it\n")


@pytest.mark.skipif(os.getuid() != 0, reason="not started as root")
def test_the_user_of_the_service(start_pool, people, room, settings):
    """Whom the pool became may look at it, and root sees whose it is."""
    nobody = pwd.getpwnam("nobody")
    shutil.copytree(settings["key_dir"], room / "keys")
    for path in [room / "keys", *(room / "keys").iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    pool = start_pool(user="nobody", key_dir=room / "keys")
    assert f"process {pool.pid} of nobody\n" in show(pool)
    done = status(user="nobody", group="nogroup", extra_groups=[], check=True)
    assert f"process {pool.pid} of nobody\n" in done.stdout.decode()


def test_nothing_of_a_person_is_in_the_board(start_pool, people, keys,
                                             sign_in):
    pool = start_pool()
    body = json.loads(sign_in(pool, people.alice.email,
                              people.alice.password).body)
    fastcgi.ask(pool.address, "POST", SIGN_IN, "{}", {
        "Content-Type": "application/json", "X-Api-Key": keys.publishable})
    with open(f"{BOARDS}{pool.pid}", "rb") as file:
        board = file.read()
    for secret in (people.alice.email, people.alice.password,
                   keys.publishable, body["accessToken"], "192.0.2.7"):
        assert secret.encode() not in board
