"""Processes that tests start, and waits that end."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time

import pytest

from . import clock, tree

# What takes a moment takes long on a busy machine, and for ever if it hangs.
LONG = 30

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    """Also when the tests are killed without a chance to clean up."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(what, condition, within=LONG, every=0.01):
    """Wait for a condition; returns its first true value."""
    end = clock.running() + within
    while True:
        last = clock.running() >= end
        value = condition()
        if value:
            return value
        assert not last, f"{what}: not within {within} s"
        time.sleep(every)


_reserved = []


def _reserve(port):
    """No other run of these tests on this machine has it, nor will have it while
    this one lasts."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0postern-tests-port-{port}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    _reserved.append(mark)
    return True


def free_port():
    """A port that nobody is given before a server of ours takes it: none of those
    that the kernel chooses for whoever connects to something."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest, highest = map(int, file.read().split())
    # (Nor 10080, which browsers refuse.)
    others = [*range(11000, lowest), *range(highest + 1, 65536)] or \
        list(range(11000, 65536))
    return next(filter(_reserve, random.sample(others, len(others))))


def answers(address):
    """Does a server listen there?"""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(address)
            return True
        except OSError:
            return False


def clean_environment(**more):
    """The environment of a started program: nothing of the caller's."""
    kept = {name: os.environ[name] for name in
            ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
            if name in os.environ}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                    "/sbin:/bin", "LC_ALL": "C.UTF-8", **kept,
            **{name: str(value) for name, value in more.items()}}


def preloaded(directory, code):
    """An environment in which functions of this C code stand before those of the
    libraries."""
    if tree.SANITIZED:
        pytest.skip("the sanitizer wants to be loaded before all others")
    library = directory / "preloaded.so"
    run(["gcc", "-shared", "-fPIC", "-x", "c", "-o", library, "-", "-ldl"],
        stdin=code.encode(), check=True, env=clean_environment(TMPDIR=directory))
    return clean_environment(LD_PRELOAD=library)


def children(pid):
    """Process ids of the direct children of a process."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry))
    return sorted(found)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Process:
    """A program in the background, with its output in a file."""

    def __init__(self, command, log, env=None, **options):
        self.log = str(log)
        self.command = [str(part) for part in command]
        # Not captured by a pipe: nobody reads while a test runs.
        with open(self.log, "ab") as output:
            self.popen = subprocess.Popen(
                self.command, env=env or clean_environment(),
                stdin=options.pop("stdin", subprocess.DEVNULL),
                stdout=output, stderr=output, preexec_fn=_die_with_parent,
                **options)
        self.pid = self.popen.pid

    def output(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def is_running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.is_running():
            self.popen.send_signal(number)

    def wait(self, within=LONG):
        return self.popen.wait(within)

    def stop(self, within=LONG):
        """End it kindly; returns its status.  A process that has to be killed
        fails the test."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(LONG)
            raise AssertionError(
                f"{self.command[0]} did not end within {within} s of SIGTERM:"
                f"\n{self.output()[-2000:]}") from None

    def wait_until_it_answers(self, address, within=LONG):
        def up():
            assert self.is_running(), \
                f"{self.command[0]} ended with {self.popen.returncode}:\n" \
                f"{self.output()[-2000:]}"
            return answers(address)
        wait_until(f"{self.command[0]} at {address}", up, within)


def run(command, stdin=None, env=None, within=120, check=False, **options):
    """Run a program to its end; returns what subprocess.run() does, with
    bytes."""
    done = subprocess.run([str(part) for part in command], input=stdin,
                          stdin=None if stdin is not None
                          else subprocess.DEVNULL,
                          capture_output=True, env=env or clean_environment(),
                          timeout=within, preexec_fn=_die_with_parent,
                          **options)
    if check:
        assert done.returncode == 0, \
            f"{' '.join(map(str, command))}: status {done.returncode}\n" \
            f"{done.stdout.decode(errors='replace')}" \
            f"{done.stderr.decode(errors='replace')}"
    return done
