"""The standby: the process that takes the place of a parent that was killed."""

import contextlib
import os
import signal
import sys

import pytest

from harness import fastcgi, process, tree
from harness.load import Load
from harness.family import STANDBY, Family, gone, name_of
from harness.postern import write_settings

HEALTH = "/v2/auth/health"


def health(family):
    return fastcgi.ask(family.address, "GET", HEALTH)


def status(family):
    return process.run([tree.POSTERN, "--listen", f"unix:{family.address}",
                        "--status"]).stdout.decode()


def settings_of(family):
    return dict(line.split("=", 1) for line in
                family.pool.settings_file.read_text().splitlines())


@pytest.fixture
def start_family(start_pool):
    families = []

    def start(**changes):
        families.append(Family(start_pool(
            **{"workers": 2, "standby": "always", **changes}), workers=2))
        return families[-1]

    yield start
    for family in families:
        family.leave_none()


def test_a_parent_dies_and_nobody_sees_it(start_family):
    family = start_family()
    with Load(lambda: health(family), clients=8) as load:
        for _ in range(3):
            load.wait_for_more(50)
            workers, standby = family.workers(), family.standby()
            family.kill()
            family.follow()
            assert family.parent == standby
            gone(workers)
        load.wait_for_more(50)
    assert not load.other_than(200)
    assert family.log().count("takes its place") == 3
    assert f"process {family.parent} of " in status(family)
    children = process.children(family.parent)
    family.stop()
    gone(children)
    assert not os.path.exists(family.address)
    assert family.log().count("takes its place") == 3


def test_status_tells_the_standby(start_family):
    family = start_family()
    process.wait_until("a line of it", lambda:
                       f"\nstandby     process {family.standby()}\n" in
                       status(family))


def test_a_standby_dies(start_family):
    family = start_family()
    for number in (signal.SIGKILL, signal.SIGTERM):
        first = family.standby()
        os.kill(first, number)
        process.wait_until("the next", lambda: family.standby() not in
                           (None, first))
        assert f"the standby, process {first}, has ended" in family.log()
    family.kill()
    family.follow()
    assert health(family).status == 200


def test_a_signal_is_no_death(start_family):
    """SIGUSR1, which opens the log again, is how a standby hears of a death."""
    family = start_family()
    standby = family.standby()
    os.kill(standby, signal.SIGUSR1)
    os.kill(standby, signal.SIGHUP)
    os.kill(standby, signal.SIGINT)
    family.kill()
    family.follow()
    assert family.parent == standby


def files_of(pid):
    """What it has open; nothing once it has ended."""
    found = set()
    with contextlib.suppress(OSError):
        for file in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{pid}/fd/{file}"))
    return found


def test_it_lets_go_of_a_log_that_was_rotated(start_pool, room):
    """Else a file that is removed would take its room on the disk for ever."""
    log, rotated = (str(room / name) for name in ("log", "log.1"))
    pool = start_pool(workers=1, standby="always", log=log)
    process.wait_until("worker and standby", lambda: STANDBY in map(
        name_of, pool.workers()) and len(pool.workers()) == 2)
    family = [pool.pid, *pool.workers()]
    os.rename(log, rotated)
    assert all(rotated in files_of(pid) for pid in family)
    os.kill(pool.pid, signal.SIGUSR1)
    process.wait_until("the next file", lambda: all(
        log in files_of(pid) and rotated not in files_of(pid)
        for pid in family))


def test_it_follows_a_reload(start_family):
    """The next standby is of the new program, and the one before leaves; what it
    takes over are the settings of the hour."""
    family = start_family()
    first = family.standby()
    write_settings(family.pool.settings_file, {
        **settings_of(family), "base_path": "/other"})
    family.pool.hang_up()
    process.wait_until("another standby", lambda: family.standby() not in
                       (None, first))
    gone([first])
    assert "takes its place" not in family.log()
    write_settings(family.pool.settings_file, {
        **settings_of(family), "base_path": "/third"})
    family.kill()
    family.follow()
    assert fastcgi.ask(family.address, "GET",
                       "/third/auth/health").status == 200


def kill_without_hope(family):
    """While the settings are such that nothing can start."""
    write_settings(family.pool.settings_file, {
        **settings_of(family), "workers": "many"})
    family.kill()
    process.wait_until("a complaint", lambda: "workers: must be a" in
                       family.log())


def test_it_waits_for_settings_that_will_do(start_family):
    family = start_family()
    good = settings_of(family)
    kill_without_hope(family)
    write_settings(family.pool.settings_file, good)
    with Load(lambda: health(family), clients=1) as load:
        family.follow()
        load.wait_for_more(1)
    assert not load.other_than(200)  # who came too early has waited


def test_it_is_told_to_leave_meanwhile(start_family):
    family = start_family()
    standby = family.standby()
    kill_without_hope(family)
    os.kill(standby, signal.SIGTERM)
    gone([standby])
    with pytest.raises(ConnectionRefusedError):
        health(family)


def test_none_takes_over_what_nobody_can_reach(start_family):
    """A pool that has lost its path would serve nobody for ever."""
    family = start_family()
    children = process.children(family.parent)
    os.unlink(family.address)
    family.kill()
    gone(children)
    assert "leads to no socket of ours" in family.log()


# A socket as lighttpd's "bin-path" gives it; and pidfd_open(2) fails, if told so.
AS_LIGHTTPD = """
import ctypes, os, socket, struct, sys
path, blind, *command = sys.argv[1:]
door = socket.socket(socket.AF_UNIX)
door.bind(f"{path}-0")
door.listen()
os.symlink(f"{path}-0", path)
os.dup2(door.fileno(), 0)
os.environ["PHP_FCGI_CHILDREN"] = "1"
if blind == "blind":
    code = ctypes.create_string_buffer(b"".join(
        struct.pack("=HBBI", *line) for line in (
            (0x20, 0, 0, 0), (0x15, 0, 1, 434), (0x06, 0, 0, 0x50000 + 38),
            (0x06, 0, 0, 0x7fff0000))))
    filter = ctypes.create_string_buffer(struct.pack(
        "@HP", 4, ctypes.addressof(code)))
    prctl = ctypes.CDLL(None).prctl
    assert prctl(38, 1, 0, 0, 0) == 0
    assert prctl(22, 2, filter, 0, 0) == 0
os.execv(command[0], command)
"""


@pytest.mark.parametrize("eyes", ["seeing", "blind"])
def test_none_that_could_not_see_lighttpd_go(start_pool, eyes):
    pool = start_pool([sys.executable, "-c", AS_LIGHTTPD, "{sock}", eyes,
                       tree.POSTERN, "--config", "{settings}"], workers=1)
    # It starts before the workers do.
    assert fastcgi.ask(pool.address, "GET", HEALTH).status == 200
    assert len(pool.workers()) == (2 if eyes == "seeing" else 1)


def test_no_standby_without_the_setting(start_pool):
    pool = start_pool(workers=2, standby="never")
    other = start_pool(workers=2)
    for one in (pool, other):
        process.wait_until("workers", lambda: len(one.workers()) == 2)
        assert STANDBY not in map(name_of, one.workers())
        os.kill(one.pid, signal.SIGKILL)
        one.process.wait()
        with pytest.raises(OSError):
            process.wait_until("the socket's end", lambda: not fastcgi.ask(
                one.address, "GET", HEALTH))
