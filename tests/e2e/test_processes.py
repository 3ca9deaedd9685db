"""Parent and workers as the system sees them."""

import os
import pwd
import shutil

import pytest

from harness import contract, fastcgi, process, tree
from harness.postern import write_settings

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


# ---- confinement ---------------------------------------------------------------

def has_filter():
    """Was the program built with libseccomp, and no sanitizer?"""
    done = process.run(["ldd", tree.POSTERN], check=True)
    return b"libseccomp" in done.stdout and not tree.SANITIZED


def test_workers_are_confined(pool):
    for worker in pool.workers():
        seen = status(worker)
        assert seen["NoNewPrivs"] == "1"
        assert seen["Seccomp"] == ("2" if has_filter() else "0")
        assert limits(worker)["Max core file size"] == "0"
        room = limits(worker)["Max address space"]
        if not tree.SANITIZED:
            assert int(room) <= int(seen["VmSize"].split()[0]) * 1024 + \
                (400 << 20)
        # What belongs to root alone is a process that nobody may look into.
        assert os.stat(f"/proc/{worker}/environ").st_uid == 0
    assert status(pool.pid)["NoNewPrivs"] == "1"


def test_filter_can_be_switched_off(start_pool):
    pool = start_pool(seccomp="off")
    for worker in pool.workers():
        assert status(worker)["Seccomp"] == "0"


# ---- whose processes they are ----------------------------------------------------

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


@pytest.mark.skipif(os.getuid() == 0, reason="root can")
def test_only_root_can_become_another(start_pool):
    pool = start_pool(user="root")
    assert "only root can become" in pool.log()
    assert fastcgi.ask(pool.address, "GET", "/v2/auth/health").status == 200
