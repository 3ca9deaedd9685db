"""What the bench measures with: load from clients of ours, memory as the kernel
counts it, and numbers from /metrics."""

import os
import re
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/e2e"))

from harness import fastcgi, process, prometheus  # noqa: E402

KIB_PER_MB = 1e6 / 1024


# ---- load --------------------------------------------------------------------

class Load:
    """One run of load.c."""

    def __init__(self, directory, port, request, connections, seconds, *options):
        self.seconds = seconds
        self.popen = subprocess.Popen(
            [str(part) for part in (directory / "load", *options, port,
                                    connections, seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.popen.stdin.write(request)
        self.popen.stdin.close()
        self.popen.stdin = None

    def is_running(self):
        return self.popen.poll() is None

    def end(self):
        """Wait for its end; self."""
        text = self.popen.communicate(None, self.seconds + 120)[0]
        assert self.popen.returncode == 0
        self.statuses, self.times = {}, []
        for line in text.decode().splitlines():
            kind, first, *rest = line.split()
            if kind == "status":
                self.statuses[int(first)] = int(rest[0])
            elif kind == "ms":
                self.times.append(float(first))
            else:
                self.took = float(first)
        return self

    def count(self, *statuses):
        return sum(self.statuses.get(status, 0) for status in statuses)

    def rate(self, status):
        return self.count(status) / self.took

    def other_than(self, *statuses):
        """How many answers are none of these, or none at all."""
        return sum(self.statuses.values()) - self.count(*statuses)


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


# ---- memory ------------------------------------------------------------------

MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ .*?(/.*)?\nSize: +(\d+) kB\n"
                     r"(?:.*\n)*?Pss: +(\d+) kB", re.M)


def is_arena(name, kib):
    """Shared memory as large as only that of the hashes is."""
    return name.startswith(("/dev/zero", "/dev/shm/postern")) and kib > 4096


def pss(pid, arenas=True):
    """Megabytes of a pool's parent and workers, shared pages by share."""
    total = 0
    for one in [pid, *process.children(pid)]:
        try:
            text = Path(f"/proc/{one}/smaps").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        total += sum(int(kib) for name, size, kib in MAPPING.findall(text)
                     if arenas or not is_arena(name, int(size)))
    return total / KIB_PER_MB


# ---- CPU time ----------------------------------------------------------------

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """CPU time of a process and its children, those that have ended included."""
    def ticks(one, last):
        try:
            text = Path(f"/proc/{one}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0  # it has ended meanwhile: the parent has its time
        return sum(int(field) for field in
                   text.rpartition(")")[2].split()[11:last])

    alive = sum(ticks(one, 13) for one in process.children(pid))
    return (alive + ticks(pid, 15)) / TICKS_PER_S


class CpuTimes:
    """What a load costs, and where."""

    def __init__(self):
        self.seconds = {}

    @contextmanager
    def measured(self, client, **pids):
        """Add what these processes use meanwhile, with their children; and as
        `client`, what those of our own do that end meanwhile."""
        def used():
            own = resource.getrusage(resource.RUSAGE_CHILDREN)
            return {**{name: cpu_seconds(pid) for name, pid in pids.items()},
                    client: own.ru_utime + own.ru_stime}

        before = used()
        yield
        time.sleep(0.2)  # whose client has left ends
        for name, seconds in used().items():
            self.seconds[name] = (self.seconds.get(name, 0) + seconds
                                  - before[name])

    def each(self, times):
        """In words, microseconds for each of so many times."""
        return ", ".join(f"{name} {seconds / times * 1e6:.0f}"
                         for name, seconds in self.seconds.items())


# ---- what the service counts -------------------------------------------------

def counted(pool):
    """{name: prometheus.Family} of a pool."""
    answer = fastcgi.ask(pool.address, "GET", "/metrics",
                         REMOTE_ADDR="127.0.0.1")
    assert answer.status == 200, answer
    return prometheus.read(answer.body.decode())
