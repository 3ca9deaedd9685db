"""Parent and workers as the system sees them."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import threading
import time

import pytest

from harness import clock, contract, fastcgi, process, tree
from harness.load import Load
from harness.postern import Unit, write_settings
from harness.sessions import Session

HEALTH = "/v2/auth/health"

only_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def status(pid):
    """/proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


def limits(pid):
    """{name: soft limit} of /proc/PID/limits."""
    with open(f"/proc/{pid}/limits") as file:
        return {line[:26].strip(): line[26:47].strip()
                for line in file.readlines()[1:]}


# ---- confinement -------------------------------------------------------------

def has_filter():
    """Was the program built with libseccomp, and no sanitizer?"""
    done = process.run(["ldd", tree.POSTERN], check=True)
    return b"libseccomp" in done.stdout and not tree.SANITIZED


def test_workers_are_confined(pool):
    for worker in workers_of(pool):
        process.wait_until("a filter of system calls", lambda: status(worker)[
            "Seccomp"] == ("2" if has_filter() else "0"))
        seen = status(worker)
        assert seen["NoNewPrivs"] == "1"
        assert limits(worker)["Max core file size"] == "0"
        room = limits(worker)["Max address space"]
        if not tree.SANITIZED:
            assert int(room) <= int(seen["VmSize"].split()[0]) * 1024 + \
                (400 << 20)
    assert status(pool.pid)["NoNewPrivs"] == "1"


# A pool that never was root's, which would be hidden for that reason alone.
AS_ANOTHER = """
user=$1 sock=$2 settings=$3; shift 3
chown "$user" "$settings" || exit
exec spawn-fcgi -n -s "$sock" -u "$user" -- "$@" --config "$settings"
"""


@pytest.fixture
def of_another(room, settings, start_pool):
    """A pool that another user runs, when we are root; gives the user, too."""
    if os.getuid() != 0:
        return start_pool(), pwd.getpwuid(os.getuid())
    user = pwd.getpwnam("www-data")
    shutil.copytree(settings["key_dir"], room / "keys")
    for path in [room / "keys", *(room / "keys").iterdir()]:
        os.chown(path, user.pw_uid, user.pw_gid)
    return start_pool(["sh", "-c", AS_ANOTHER, "-", user.pw_name, "{sock}",
                       "{settings}", tree.POSTERN], key_dir=room / "keys",
                      user=""), user


def owner(pid):
    """Of what the system tells of a process; root, when nobody may look into it."""
    return os.stat(f"/proc/{pid}/environ").st_uid


def test_nobody_of_the_same_user_looks_into_it(of_another, room):
    pool, user = of_another
    for pid in [pool.pid, *workers_of(pool)]:
        assert status(pid)["Uid"].split() == [str(user.pw_uid)] * 4
        assert owner(pid) == 0
    # Any other program of that user can be.
    become = ["setpriv", "--reuid", str(user.pw_uid)] if os.getuid() == 0 else []
    other = process.Process([*become, "sleep", "600"], room / "log")
    process.wait_until("another program", lambda: status(other.pid)[
        "Name"] == "sleep")
    assert owner(other.pid) == user.pw_uid
    other.stop()


def test_filter_can_be_switched_off(start_pool):
    pool = start_pool(seccomp="off")
    for worker in pool.workers():
        assert status(worker)["Seccomp"] == "0"


# ---- whose processes they are ------------------------------------------------

@only_root
def test_root_must_name_a_user(room, settings, ctl):
    config = write_settings(room / "settings", {**settings, "user": ""})
    done = process.run([tree.POSTERN, "--config", config, "--listen",
                        f"unix:{room}/sock"])
    assert done.returncode == 1
    assert b"as root" in done.stderr
    assert not (room / "sock").exists()


@only_root
def test_user_that_is_not_there(room, settings, ctl):
    config = write_settings(room / "settings",
                            {**settings, "user": "no-such-user"})
    done = process.run([tree.POSTERN, "--config", config, "--listen",
                        f"unix:{room}/sock"])
    assert done.returncode == 1
    assert b"no-such-user" in done.stderr


@only_root
def test_root_becomes_the_user(room, settings, start_pool, people, sign_in):
    """With the user's groups, and without a way back."""
    user = pwd.getpwnam("www-data")
    shutil.copytree(settings["key_dir"], room / "keys")
    for path in [room / "keys", *(room / "keys").iterdir()]:
        os.chown(path, user.pw_uid, user.pw_gid)
    pool = start_pool(user="www-data", key_dir=room / "keys",
                      log=room / "postern.log")
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    for pid in [pool.pid, *pool.workers()]:
        seen = status(pid)
        assert seen["Uid"].split() == [str(user.pw_uid)] * 4
        assert seen["Gid"].split() == [str(user.pw_gid)] * 4
        groups = os.getgrouplist("www-data", user.pw_gid)
        assert sorted(map(int, seen["Groups"].split())) == sorted(groups)
        assert int(seen["CapEff"], 16) == int(seen["CapPrm"], 16) == 0
    # The log is the user's, who will open it again.
    assert (room / "postern.log").stat().st_uid == user.pw_uid


@only_root
@pytest.mark.parametrize("there", [True, False], ids=["file", "nothing"])
def test_log_that_is_a_link(room, settings, start_pool, there):
    """The user owns the log's directory and has put a link there: root neither
    writes to what it leads to, nor gives it away, nor makes it."""
    user = pwd.getpwnam("www-data")
    target = room / "of-root"
    if there:
        target.write_text("root's\n")
        target.chmod(0o600)
    place = room / "log-directory"
    place.mkdir()
    os.chown(place, user.pw_uid, user.pw_gid)
    (place / "postern.log").symlink_to(target)
    config = write_settings(room / "settings", {
        **settings, "user": "www-data", "log": place / "postern.log"})
    done = process.run([tree.POSTERN, "--config", config, "--listen",
                        f"unix:{room}/sock"])
    assert done.returncode == 1
    assert b"could not open the log" in done.stderr
    assert target.exists() == there
    if there:
        assert target.read_text() == "root's\n"
        assert target.stat().st_uid == 0


@pytest.mark.skipif(os.getuid() == 0, reason="root can")
def test_only_root_can_become_another(start_pool):
    pool = start_pool(user="root")
    assert "only root can become" in pool.log()
    assert fastcgi.ask(pool.address, "GET", HEALTH).status == 200


# ---- load --------------------------------------------------------------------

def health_of(pool):
    return lambda: fastcgi.ask(pool.address, "GET", HEALTH)


def workers_of(pool, count=2):
    """The ids of its workers, once there are so many."""
    process.wait_until(f"{count} workers",
                       lambda: len(pool.workers()) == count)
    return set(pool.workers())


def reload(pool, workers=2):
    workers_of(pool)
    pool.reload(workers)
    workers_of(pool, workers)


def reload_in_vain(pool):
    """SIGHUP with something wrong; returns what was logged."""
    workers = workers_of(pool)
    before = len(pool.log())
    pool.hang_up()
    process.wait_until("a refusal", lambda: "nothing was reloaded" in
                       pool.log()[before:])
    assert set(pool.workers()) == workers
    assert fastcgi.ask(pool.address, "GET", HEALTH).status == 200
    return pool.log()[before:]


# ---- SIGHUP ------------------------------------------------------------------

def test_reload_under_load_loses_nothing(start_pool):
    pool = start_pool()
    with Load(health_of(pool)) as load:
        for _ in range(5):
            load.wait_for_more()
            reload(pool)
        load.wait_for_more()
    assert not load.other_than(200)
    assert pool.process.is_running()
    assert len(pool.events("start")) == 6
    assert pool.events("start")[-1]["taken_over"] == 2
    assert " died" not in pool.log()


def test_two_reloads_at_once(start_pool):
    pool = start_pool()
    with Load(health_of(pool)) as load:
        for _ in range(20):
            pool.hang_up()
            time.sleep(0.02)
        reload(pool)
        load.wait_for_more()
    assert not load.other_than(200)
    assert " died" not in pool.log()


# Who is told to stop is a moment late in seeing to it.
SLOW_TO_STOP = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <time.h>

int
sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit)
{
	int (*real)(const sigset_t *, siginfo_t *, const struct timespec *) =
	    dlsym(RTLD_NEXT, "sigtimedwait");
	int number = real(set, info, limit);

	if (number == SIGTERM)
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	return number;
}
"""


def test_stop_right_behind_a_reload(start_pool, room):
    """Told so while the new program is tried, and found good."""
    pool = start_pool(options={"env": process.preloaded(room, SLOW_TO_STOP)})
    workers = workers_of(pool)
    pool.hang_up()
    process.wait_until("a trial", lambda: set(process.children(pool.pid)) -
                       workers, every=0.001)
    pool.process.signal(signal.SIGTERM)
    assert pool.process.wait() == 0


def test_sigusr2_is_for_workers_alone(start_pool):
    pool = start_pool()
    workers = workers_of(pool)
    os.kill(pool.process.pid, signal.SIGUSR2)
    for _ in range(10):
        assert fastcgi.ask(pool.address, "GET", HEALTH).status == 200
        time.sleep(0.1)
    assert set(pool.workers()) == workers and pool.process.is_running()


def test_reload_takes_new_settings(start_pool):
    pool = start_pool()
    pool.change(base_path="/other", workers=3)
    reload(pool, workers=3)
    assert fastcgi.ask(pool.address, "GET", "/other/auth/health").status == 200
    assert fastcgi.ask(pool.address, "GET", HEALTH).status == 404


def test_socket_stays_and_is_removed_at_the_end(start_pool):
    pool = start_pool()
    inode = os.stat(pool.address).st_ino
    reload(pool)
    assert os.stat(pool.address).st_ino == inode
    assert pool.stop() == 0
    assert not os.path.exists(pool.address)


# A hash of this cost takes a second or two.
SLOW = {"scrypt_log2_n": 16, "scrypt_p": 16}


def busy_one(pool):
    """The one worker that answers something."""
    text = process.run([tree.POSTERN, "--listen", f"unix:{pool.address}",
                        "--status"], check=True).stdout.decode()
    found = re.findall(r"(?m)^ +(\d+)  busy ", text)
    return int(found[0]) if len(found) == 1 else None


def test_request_in_flight_ends_with_the_old_worker(start_pool, sign_in):
    pool = start_pool(**SLOW)
    old = workers_of(pool)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(
        sign_in(pool, "nobody@example.test", "a password", timeout=60)))
    asking.start()
    hashing = process.wait_until("a busy worker", lambda: busy_one(pool))
    os.kill(hashing, signal.SIGSTOP)  # so that it is not done too soon
    try:
        pool.hang_up()
        process.wait_until("all but one to leave", lambda: old & set(
            pool.workers()) == {hashing})
        assert not answers
    finally:
        os.kill(hashing, signal.SIGCONT)
    asking.join(60)
    assert answers[0].status == 401
    process.wait_until("the last to leave",
                       lambda: not old & set(pool.workers()))


@pytest.mark.parametrize("name, value, words", [
    ("workers", "none", "workers"),
    ("key_dir", "/no/such/directory", "/no/such/directory"),
    ("log", "/no/such/directory/log", "/no/such/directory/log"),
    ("scrypt_log2_n", "9", "scrypt_log2_n"),
    ("socket_users", "nobody-of-this-name", "nobody-of-this-name"),
])
def test_bad_settings_change_nothing(start_pool, name, value, words):
    pool = start_pool()
    pool.change(**{name: value})
    said = reload_in_vain(pool)
    assert words in said


def test_settings_of_the_start_stay(start_pool):
    pool = start_pool()
    pool.change(listen_mode="0600")
    reload(pool)
    assert os.stat(pool.address).st_mode & 0o777 == 0o660


@pytest.fixture
def copied(room, start_pool):
    """A pool whose program may be replaced."""
    program = room / "postern.fcgi"
    shutil.copy(tree.POSTERN, program)
    pool = start_pool(command=[program, "--config", "{settings}", "--listen",
                               "unix:{sock}"])
    pool.program = program
    return pool


def replace(program, content, mode=0o755):
    """As an installer does: another file under the same name."""
    new = program.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(mode)
    new.rename(program)


def test_reload_becomes_the_new_program(copied):
    replace(copied.program, tree.POSTERN.read_bytes())
    new = os.stat(copied.program).st_ino
    assert os.stat(f"/proc/{copied.pid}/exe").st_ino != new
    with Load(health_of(copied)) as load:
        load.wait_for_more()
        reload(copied)
        load.wait_for_more()
    assert not load.other_than(200)
    for pid in [copied.pid, *copied.workers()]:
        assert os.stat(f"/proc/{pid}/exe").st_ino == new


@pytest.mark.parametrize("content, mode", [
    (b"no program at all", 0o755),
    (b"#!/bin/sh\necho broken >&2\nexit 1\n", 0o755),
    (b"#!/bin/sh\nkill -SEGV $$\n", 0o755),
    (b"", 0o644),
    (None, None),
], ids=["no-program", "fails", "crashes", "not-executable", "gone"])
def test_broken_program_changes_nothing(copied, content, mode):
    if content is None:
        copied.program.unlink()
    else:
        replace(copied.program, content, mode)
    with Load(health_of(copied)) as load:
        reload_in_vain(copied)
        load.wait_for_more()
    assert not load.other_than(200)
    # Mended, it is taken.
    replace(copied.program, tree.POSTERN.read_bytes())
    reload(copied)


def test_program_that_hangs_is_given_up(copied):
    replace(copied.program, b"#!/bin/sh\nexec sleep 600\n")
    copied.hang_up()
    time.sleep(0.5)
    # A request and a stop do not wait for it.
    assert fastcgi.ask(copied.address, "GET", HEALTH).status == 200
    assert copied.stop() == 0


def test_trial_by_hand(room, settings, ctl):
    config = write_settings(room / "settings", settings)
    done = process.run([tree.POSTERN, "--config", config, "--test"])
    assert done.returncode == 0 and b"in order" in done.stdout
    config = write_settings(room / "settings",
                            {**settings, "key_dir": room / "none"})
    done = process.run([tree.POSTERN, "--config", config, "--test"])
    assert done.returncode == 1 and b"none" in done.stderr
    assert not done.stdout


# ---- SIGTERM -----------------------------------------------------------------

def test_stop_serves_those_who_wait(start_pool):
    """Whoever got through to the socket before it went is answered."""
    pool = start_pool(workers=2)
    with Load(health_of(pool), clients=16) as load:
        load.wait_for_more(50)
        assert pool.stop() == 0
        process.wait_until("them to meet nobody", lambda:
                           "FileNotFoundError" in load.answers)
    # The socket's file is away, or was a moment after it was looked for: that, and
    # nothing else, is what they meet.
    assert not load.other_than(200, "FileNotFoundError",
                               "ConnectionRefusedError")
    assert 200 in load.answers and "FileNotFoundError" in load.answers


def test_stop_as_soon_as_it_listens(room, settings, ctl):
    """It ends in order, and leaves no socket behind."""
    config = write_settings(room / "settings", settings)
    sock = room / "sock"
    for number in range(20):
        one = process.Process([tree.POSTERN, "--config", config, "--listen",
                               f"unix:{sock}"], room / f"log{number}")
        process.wait_until("the socket", sock.exists, every=0)
        assert one.stop() == 0, one.output()
        assert not sock.exists()


def test_restart_under_systemds_socket_loses_nothing(room, settings, ctl):
    """Who comes between two lives of the program waits at the socket."""
    with Unit(room, settings) as unit:
        with Load(health_of(unit)) as load:
            for _ in range(3):
                load.wait_for_more()
                assert unit.process.stop() == 0
                unit.start()
            load.wait_for_more()
        assert not load.other_than(200)
        assert unit.process.stop() == 0


# ---- deaths ------------------------------------------------------------------

def test_killed_worker_is_replaced_at_once(start_pool):
    pool = start_pool(workers=2)
    time.sleep(1.1)  # it is no longer young
    victim = min(workers_of(pool))
    os.kill(victim, signal.SIGKILL)
    process.wait_until("a new worker", lambda: len(pool.workers()) == 2 and
                       victim not in pool.workers())
    [line] = [event["message"] for event in pool.events()
              if "died" in event.get("message", "")]
    assert re.search(rf"worker {victim} died: SIGKILL, [1-9]\d*\.", line)
    assert "the next worker is started in" not in pool.log()


def test_workers_follow_a_killed_parent(start_pool):
    """They serve whoever got through to the socket, and let nobody else in."""
    pool = start_pool(workers=2)
    workers = workers_of(pool)
    with Load(health_of(pool), clients=16) as load:
        load.wait_for_more(50)
        os.kill(pool.pid, signal.SIGKILL)
        pool.process.wait()
        process.wait_until("the workers' end", lambda: not any(
            process.is_alive(worker) for worker in workers))
        load.wait_for_more()
    assert not load.other_than(200, "ConnectionRefusedError")


def held(stack, cluster, session):
    """Who ends this session waits for its row; gives who holds that."""
    rival = stack.enter_context(contextlib.closing(cluster.connect()))
    rival.autocommit = False
    rival.cursor().execute("SELECT FROM postern.sessions WHERE sid = %s"
                           " FOR UPDATE", [session.sid])
    return rival


def guest_of(stack, pool):
    """A connection that a worker has let in, while nothing else was to do."""
    guest = stack.enter_context(fastcgi.Connection(pool.address))
    guest.begin()
    assert fastcgi.ask(pool.address, "GET", HEALTH).status == 200
    return guest


def is_anybody_held(cluster):
    return cluster.ask("SELECT 1 FROM pg_locks WHERE NOT granted")


def test_without_a_parent_nobody_waits_for_ever(start_pool, cluster, sign_in,
                                                new_person):
    """What a worker has let in has the time of one request together."""
    person = new_person()

    def once():
        pool = start_pool(workers=1, standby="never", db_timeout_ms=2500,
                          io_timeout_ms=2500, hash_deadline_ms=2500,
                          request_deadline_ms=2600)
        [worker] = workers_of(pool, 1)
        sessions = [Session(contract.check_signed_in(sign_in(
            pool, person.email, person.password))) for _ in range(6)]
        with contextlib.ExitStack() as stack:
            rivals = [held(stack, cluster, one) for one in sessions]
            guests = [guest_of(stack, pool) for _ in sessions]
            for guest, session in zip(guests, sessions):
                guest.params(fastcgi.request_params(
                    "POST", "/v2/auth/sign-out", b"{}",
                    {"Content-Type": "application/json", **session.bearer}))
                guest.stdin(b"{}")
            process.wait_until("one to wait", lambda: is_anybody_held(cluster))
            os.kill(pool.pid, signal.SIGKILL)
            pool.process.wait()
            for rival in rivals:  # one after the other
                process.wait_until("the next", lambda: is_anybody_held(cluster)
                                   or not process.is_alive(worker))
                time.sleep(1.5)
                rival.rollback()
            answers = [guest.answer() for guest in guests]
        assert {one.status for one in answers if one.ended} == {204}
        assert 1 < sum(one.ended for one in answers) < len(answers)
        assert not process.is_alive(worker)
    clock.in_time(once)


def test_worker_killed_while_it_hashes(start_pool, new_person, sign_in):
    """Its client gets no answer, all others do, now and later."""
    person = new_person()
    pool = start_pool(workers=4, scrypt_log2_n=14, scrypt_p=8)

    def ask():
        return sign_in(pool, person.email, "wrong")

    with Load(ask, clients=4) as load:
        for _ in range(5):
            time.sleep(0.2)
            os.kill(pool.workers()[0], signal.SIGKILL)
    # What is cut off has no status line, which reads as 200.
    assert set(load.other_than(401, 429, 503)) <= {200}
    process.wait_until("four workers", lambda: len(pool.workers()) == 4)
    answer = sign_in(pool, person.email, person.password)
    assert answer.status in (200, 429), answer


def test_deaths_in_a_row_are_slowed_and_explained(start_pool):
    pool = start_pool(workers=2)
    killed = set()

    def kill_all():
        for worker in pool.workers():
            with contextlib.suppress(ProcessLookupError):  # again
                os.kill(worker, signal.SIGKILL)
            killed.add(worker)
        return "is started in 400 ms" in pool.log() or \
            not pool.process.is_running()

    process.wait_until("slowness", kill_all, every=0.02)
    log = pool.log()
    assert "died: SIGKILL, 0." in log
    assert "the next worker is started in 100 ms" in log
    assert "the next worker is started in 400 ms" in log
    assert len(killed) < 40
    if pool.process.is_running():
        process.wait_until("an answer", lambda: len(pool.workers()) == 2)
    else:
        assert "giving up" in log


# ---- workers that do not do as they are told ---------------------------------

SHORT = {"request_deadline_ms": 2000, "io_timeout_ms": 1900,
         "db_timeout_ms": 1900, "hash_deadline_ms": 1900}

# From the deadline, or the word to leave, to the end of one that stands still: the
# second that it is given, and what the parent may be late.
PATIENCE = 1 + 3


@contextlib.contextmanager
def standing_still(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def gone_within(seconds, pid):
    process.wait_until("its end", lambda: not process.is_alive(pid), seconds)


def test_who_stands_still_in_a_request_is_ended(start_pool, keys):
    """Its client is not left waiting, and another takes its place."""
    pool = start_pool(**SLOW, **SHORT)
    workers = workers_of(pool)
    body = b'{"email": "nobody@example.test", "password": "a password"}'
    with fastcgi.Connection(pool.address) as connection:
        connection.begin()
        connection.params(fastcgi.request_params(
            "POST", "/v2/auth/sign-in", body, {
                "Content-Type": "application/json",
                "X-Api-Key": keys.publishable}))
        connection.stdin(body)
        hashing = process.wait_until("a busy worker", lambda: busy_one(pool))
        with standing_still(hashing), Load(health_of(pool)) as load:
            gone_within(2 + PATIENCE, hashing)
            answer = connection.answer()
            assert not answer.ended and not answer.output
            assert hashing not in workers_of(pool)
            load.wait_for_more()
        assert not load.other_than(200)
    log = pool.log()
    assert (f"worker {hashing} has been busy for more than request_deadline_ms"
            " (2000) and is ended") in log
    assert f"worker {hashing} died: SIGKILL" in log
    [kept] = workers - {hashing}
    assert kept in pool.workers()


def test_who_does_not_leave_at_a_reload_is_killed(start_pool):
    pool = start_pool(**SHORT)
    deaf = min(workers_of(pool))
    with standing_still(deaf), Load(health_of(pool)) as load:
        pool.hang_up()
        process.wait_until("the next program", lambda: len(
            pool.events("start")) == 2)
        gone_within(2 + PATIENCE, deaf)
        load.wait_for_more()
    assert not load.other_than(200)
    assert f"worker {deaf} does not leave and is killed" in pool.log()
    assert f"worker {deaf} died: SIGKILL" in pool.log()
    assert len(workers_of(pool)) == 2


@pytest.mark.parametrize("changes, times", [(SHORT, 1), ({}, 2)],
                         ids=["once", "twice"])
def test_who_does_not_leave_at_the_end_is_killed(start_pool, changes, times):
    """After request_deadline_ms; or a second after somebody has said it again."""
    pool = start_pool(**changes)
    deaf, other = workers_of(pool)
    with standing_still(deaf):
        os.kill(pool.pid, signal.SIGTERM)
        gone_within(process.LONG, other)
        if times == 2:
            assert pool.process.is_running() and process.is_alive(deaf)
            os.kill(pool.pid, signal.SIGTERM)
        assert pool.process.wait(2 + PATIENCE) == 0
        gone_within(1, deaf)
    assert f"worker {deaf} died: SIGKILL" in pool.log()
    assert not os.path.exists(pool.address)


def test_shortage_of_workers_is_told_once(start_pool, sign_in):
    pool = start_pool(**SLOW)
    with Load(lambda: sign_in(pool, "nobody@example.test", "a password")):
        process.wait_until("the warning",
                           lambda: "all 2 workers" in pool.log())
        time.sleep(2.5)
    assert pool.log().count("all 2 workers") == 1
