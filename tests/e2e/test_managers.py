"""Those who start and end the program: systemd by its units, lighttpd, spawn-fcgi, and
Apache's mod_fcgid, which has many of it side by side."""

import json
import os
import re
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import SIGN_IN
from harness import contract, deploy, fastcgi, mounts, process, tree
from harness.family import STANDBY, gone, name_of
from harness.load import Load

HEALTH = "/v2/auth/health"

# A third of a second and more, on one core.
SLOW = {"scrypt_log2_n": 15, "scrypt_p": 3, "hash_slots": 1, "hash_lanes": 1,
        "hash_deadline_ms": 20000}


@pytest.fixture(scope="module")
def place(runtime, settings, keys, people):
    place = mounts.Place(runtime / "managers", settings)
    place.mounts = 0
    return place


@pytest.fixture
def mount(place):
    """Start a mount; it is stopped after the test."""
    started = []

    def start(way, **options):
        one = mounts.Mount(way, place, f"{place.mounts}-{way}", **options)
        place.mounts += 1
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


def pools(pid):
    """The parents of Postern's that are below a process; mod_fcgid and lighttpd
    have one between."""
    found = []
    for child in process.children(pid):
        if name_of(child) == "postern.fcgi":
            found.append(child)
        else:
            found += pools(child)
    return found


def ready(mount, count=1):
    """The pools of a mount, once there are so many."""
    return process.wait_until(f"{count} pools", lambda: (
        lambda found: len(found) >= count and found)(
            pools(mount.server.process.pid)))


def health(mount):
    return mount.server.fetch("GET", HEALTH)


def sign_in(mount, keys, email, password):
    return mount.server.post_json(
        SIGN_IN, {"email": email, "password": password},
        {"x-api-key": keys.publishable})


# ---- systemd -----------------------------------------------------------------

@pytest.fixture
def units(room):
    """The units as they stand, for the program that was built."""
    for name in ("postern.service", "postern.socket"):
        text = (tree.TOP / "deploy/systemd" / name).read_text()
        (room / name).write_text(text.replace(mounts.PROGRAM,
                                              str(tree.POSTERN)))
    return room


def analyze(*arguments, **options):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    return process.run(["systemd-analyze", *arguments], **options)


def test_units_are_in_order(units):
    done = analyze("verify", "--man=no", units / "postern.service",
                   units / "postern.socket")
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_the_unit_gives_little_away(units):
    """systemd's own marks: 10 for a unit that says nothing of rights.  What is left
    of ours is that it speaks to the network and to Unix sockets."""
    done = analyze("security", "--offline=true", "--threshold=15",
                   "postern.service", cwd=units)
    assert b"exposure level" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout.decode()[-200:]


@pytest.mark.skipif(tree.SANITIZED, reason="sanitizers make calls of their own")
def test_the_units_system_calls_are_enough(mount, room, keys, people):
    """From the start to the worker's own confinement, a reload and the end."""
    filters = re.findall(
        r"(?m)^SystemCallFilter=(.*)$",
        (tree.TOP / "deploy/systemd/postern.service").read_text())
    assert len(filters) == 2
    confined = shutil.copy(Path(mounts.__file__).parent / "confined.py", room)
    one = mount("systemd", under=[sys.executable, confined, *filters, "--"])
    contract.check_signed_in(sign_in(one, keys, people.alice.email,
                                     people.alice.password))
    [pool] = one.started
    before = set(process.children(pool.pid))
    pool.signal(signal.SIGHUP)
    process.wait_until("new workers", lambda: process.children(pool.pid) and
                       not before & set(process.children(pool.pid)), 20)
    assert health(one).status == 200
    assert pool.stop() == 0
    assert not re.search(r'"level":"(warning|error)"', one.log()), one.log()


# ---- lighttpd and spawn-fcgi -------------------------------------------------

def test_lighttpd_starts_it_again(mount):
    one = mount("lighttpd-bin-path")
    assert health(one).status == 200
    [pool] = ready(one)
    family = [pool, *process.children(pool)]
    os.kill(pool, signal.SIGTERM)
    process.wait_until("service again", lambda: health(one).status == 200, 5)
    gone(family)
    [pool] = ready(one)
    family = [pool, *process.children(pool)]
    one.server.stop()
    gone(family)


def latest_start(mount):
    """As the newest pool has logged it."""
    return [line for line in map(json.loads, mount.log().splitlines())
            if line.get("event") == "start"][-1]


def wait_for_standby(pool):
    process.wait_until("a standby", lambda: STANDBY in map(
        name_of, process.children(pool)))


def kill_parent(mount):
    """Returns the next parent, once it serves."""
    pool = latest_start(mount)["pid"]
    wait_for_standby(pool)
    os.kill(pool, signal.SIGKILL)
    return process.wait_until(
        "another parent", lambda: (
            lambda pid: pid != pool and process.children(pid) and pid)(
                latest_start(mount)["pid"]), 20)


def test_lighttpd_does_not_see_a_parent_die(mount):
    """Whose place its standby takes, again and again; with lighttpd the last of
    them ends."""
    one = mount("lighttpd-bin-path")
    [pool] = ready(one)
    with Load(lambda: health(one), clients=8) as load:
        for _ in range(4):
            load.wait_for_more(50)
            family = [pool, *process.children(pool)]
            pool = kill_parent(one)
            gone([pid for pid in family if pid != pool])
        load.wait_for_more(50)
    assert not load.other_than(200)
    family = [pool, *process.children(pool)]
    one.server.stop()
    gone(family)


@pytest.mark.parametrize("deaths", (0, 1))
def test_lighttpd_is_killed(mount, deaths):
    """Nobody can tell the pool to stop; it does by itself."""
    one = mount("lighttpd-bin-path")
    [pool] = ready(one)
    wait_for_standby(pool)
    for _ in range(deaths):
        pool = kill_parent(one)
    family = [pool, *process.children(pool)]
    os.kill(one.server.process.pid, signal.SIGKILL)
    one.server.process.wait()
    gone(family)


def daemon_of(mount):
    """Its process id, as its file has it."""
    return int((mount.room / "run/pid").read_text())


def init_says(mount, *arguments):
    done = mounts.init_script(mount, *arguments, check=False)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_init_starts_and_ends_it(mount):
    one = mount("spawn-fcgi-daemon")
    assert health(one).status == 200
    pool = daemon_of(one)
    family = [pool, *process.children(pool)]
    assert init_says(one, "status") == (0, "postern runs\n")
    assert init_says(one, "start") == (0, "postern runs already\n")
    assert daemon_of(one) == pool
    assert init_says(one, "stop") == (0, "")
    assert not any(map(process.is_alive, family))
    assert init_says(one, "status") == (3, "postern does not run\n")
    assert init_says(one, "reload")[0] != 0
    assert init_says(one, "stop") == (0, "")
    assert init_says(one, "begin")[0] == 2


def test_init_reloads_and_restarts_it(mount):
    one = mount("spawn-fcgi-daemon")
    pool = daemon_of(one)
    with Load(lambda: health(one), clients=2) as load:
        load.wait_for_more()
        before = process.children(pool)
        assert init_says(one, "reload") == (0, "")
        process.wait_until("new workers", lambda: not set(before) & set(
            process.children(pool)) and process.children(pool))
        load.wait_for_more()
    assert not load.other_than(200)
    assert init_says(one, "restart")[0] == 0
    assert daemon_of(one) != pool and not process.is_alive(pool)
    process.wait_until("service again", lambda: health(one).status == 200, 5)


def test_init_starts_it_after_a_death(mount):
    """What a pool leaves that was killed hinders nobody; nor is another process
    taken for it that has its number by now."""
    one = mount("spawn-fcgi-daemon")
    pool = daemon_of(one)
    family = [pool, *process.children(pool)]
    os.kill(pool, signal.SIGKILL)
    gone(family)
    pid_file = one.room / "run/pid"
    pid_file.write_text(str(os.getpid()))
    assert init_says(one, "status") == (3, "postern does not run\n")
    assert init_says(one, "start")[0] == 0
    assert daemon_of(one) not in (pool, os.getpid())
    process.wait_until("service again", lambda: health(one).status == 200, 5)


def test_spawn_fcgis_daemon_by_hand(place, room):
    """The manual's command; what the daemon leaves does not hinder the next."""
    def start():
        process.run(["sh", "-c", deploy.command(
            "man/postern.fcgi.8",
            "POSTERN_CONFIG=/etc/postern/postern.conf spawn-fcgi -P", {
                mounts.SETTINGS: place.write_settings("daemon"),
                "/run/postern": room, mounts.PROGRAM: tree.POSTERN,
                "-U postern": f"-U {mounts.USER}",
                "-u postern": f"-u {mounts.USER}"})], check=True)
        return int((room / "pid").read_text())

    address = room / "postern.sock"
    for _ in range(2):
        pool = start()
        try:
            assert fastcgi.ask(str(address), "GET", HEALTH).status == 200
            family = [pool, *process.children(pool)]
        finally:
            os.kill(pool, signal.SIGTERM)
        gone(family)
        assert address.exists()  # spawn-fcgi's, not ours


def test_spawn_fcgi_by_hand(place, room, sign_in, people):
    """README.md's command for the foreground."""
    address = room / "postern.sock"
    command = deploy.command(
        "README.md", "POSTERN_CONFIG=/etc/postern/postern.conf spawn-fcgi -n", {
            mounts.SETTINGS: place.write_settings("by-hand"),
            mounts.SOCKET: address, mounts.PROGRAM: tree.POSTERN,
            "-U postern": f"-U {mounts.USER}", "-u postern": f"-u {mounts.USER}"})
    one = process.Process(["sh", "-c", f"exec env {command}"], room / "log")
    one.wait_until_it_answers(str(address))
    assert fastcgi.ask(str(address), "GET", HEALTH).status == 200
    assert one.stop() == 0


# ---- mod_fcgid ---------------------------------------------------------------

def siblings(mount, count):
    """Have mod_fcgid start so many; it does so one a second or so."""
    with Load(lambda: health(mount), clients=2 * count):
        return process.wait_until(
            f"{count} processes", lambda: (
                lambda found: len(found) >= count and found)(
                    pools(mount.server.process.pid)), 30)


def computing(pids):
    """How many of them compute, or would if there was a free core."""
    return sum(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
               == "R" for pid in pids)


def lone_workers(mount):
    """The worker of each pool, once each has one and no more."""
    found = [process.children(pid) for pid in pools(mount.server.process.pid)]
    return all(len(workers) == 1 for workers in found) and sum(found, [])


def shared_names(pid):
    """The files in shared memory that a process has."""
    return set(re.findall(r"/dev/shm/postern-\S+",
                          Path(f"/proc/{pid}/maps").read_text()))


def test_siblings_have_one_worker_and_one_gate(mount, keys):
    """However many processes mod_fcgid has, no more is computed at a time than the
    settings allow."""
    one = mount("apache-fcgid", **SLOW)
    siblings(one, 3)  # and perhaps more
    workers = process.wait_until("a worker each", lambda: lone_workers(one))
    if os.getuid() == 0:  # nobody else may look into them
        gates = set.intersection(*map(shared_names, workers))
        assert len(gates) == 1, gates

    seen = []
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(sign_in, one, keys,
                                f"stranger{number}@example.test", "x")
                 for number in range(6)]
        while not all(answer.done() for answer in asked):
            seen.append(computing(workers))
            time.sleep(0.005)
    assert [answer.result().status for answer in asked] == [401] * 6
    # There is one slot; what they do beside hashing is soon done.
    busy = [count for count in seen if count > 0]
    together = [count for count in busy if count > 1]
    assert len(busy) > 20
    assert len(together) < len(busy) / 4, seen


@pytest.mark.parametrize("way", ["apache-fcgid", "apache-cgi", "lighttpd-cgi"])
def test_all_processes_know_who_fails(mount, own_folder, keys, people, way):
    """Of a client's address, and those that come after all of them do, too."""
    mounts.give_away(own_folder)
    limits = {"shared_dir": own_folder, "throttle_address_burst": 6,
              "throttle_address_rate": 1}
    one = mount(way, **limits)
    if way == "apache-fcgid":
        siblings(one, 3)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda number: sign_in(
            one, keys, f"stranger{number}@example.test", "x"), range(24)))
    # The two beside the one that failed last were on their way.
    denied = sum(answer.status == 401 for answer in answers)
    assert 6 <= denied <= 8
    for answer in answers:
        if answer.status != 401:
            contract.check_refused(answer, 429, "LIMIT_EXCEEDED")
            assert 0 < int(answer.header("Retry-After")) <= 180
    events = [json.loads(line) for line in one.log().splitlines()]
    assert len({event["pid"] for event in events
                if event.get("outcome") == "throttled"}) > 1

    one.stop()
    other = mount(way, **limits)
    contract.check_refused(sign_in(other, keys, people.alice.email,
                                   people.alice.password), 429,
                           "LIMIT_EXCEEDED")


def test_status_shows_each_sibling(mount):
    one = mount("apache-fcgid")
    family = siblings(one, 2)
    said = process.run([tree.POSTERN, "--status"], check=True).stdout.decode()
    for pid in family:
        [pool] = [part for part in said.split("\n\npostern.fcgi ")
                  if f": process {pid} of " in part]
        [worker] = process.children(pid)
        assert re.search(rf"(?m)^ +{worker}  (idle|busy) ", pool)


@pytest.mark.timeout(400)
def test_graceful_restart_of_apache_loses_nothing(mount):
    """But for a request in some fifty restarts, which waits in Apache for a process
    manager of mod_fcgid's that is gone: that is not ours to mend, and no answer
    but a right one is one of ours."""
    for _ in range(3):
        one = mount("apache-fcgid")
        before = siblings(one, 2)
        with Load(lambda: health(one), clients=2) as load:
            for _ in range(2):
                load.wait_for_more()
                one.server.process.signal(signal.SIGUSR1)
                load.wait_for_more(50)
        gone(before)
        assert ready(one)
        assert not load.other_than(200, "TimeoutError")
        if not load.other_than(200):
            return
    pytest.fail("requests hang again and again")


@pytest.mark.parametrize("whom", ["parent", "worker"])
def test_a_sibling_dies(mount, whom):
    """The others serve; another takes its place."""
    one = mount("apache-fcgid")
    family = siblings(one, 3)
    victim = family[0] if whom == "parent" else process.children(family[0])[0]
    with Load(lambda: health(one), clients=2) as load:
        load.wait_for_more()
        os.kill(victim, signal.SIGKILL)
        load.wait_for_more(100)
    # Of two clients' requests it may have had one.
    assert len(load.other_than(200)) <= 1
    gone([victim])
    assert health(one).status == 200


def test_apache_leaves_none_behind(mount):
    one = mount("apache-fcgid")
    family = siblings(one, 2)
    family += [child for pid in family for child in process.children(pid)]
    one.server.stop()
    gone(family)
