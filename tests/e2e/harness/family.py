"""A pool that outlives its parents."""

import os
import signal
from pathlib import Path

from . import process

STANDBY = "postern-standby"


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def gone(pids):
    process.wait_until("their end", lambda: not any(
        process.is_alive(pid) for pid in pids))


class Family:
    """A pool with a standby, whoever is its parent now."""

    def __init__(self, pool, workers):
        self.pool = pool
        self.count = workers
        self.address = pool.address
        self.parent = pool.pid
        self.parents = [pool.pid]
        self.heir = None
        process.wait_until("a standby", self.standby)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave_none()

    def log(self):
        return self.pool.log()

    def children(self, standby):
        return [pid for pid in process.children(self.parent)
                if (name_of(pid) == STANDBY) == standby]

    def standby(self):
        """Its process id; None when there is not just one."""
        found = self.children(True)
        return found[0] if len(found) == 1 else None

    def workers(self):
        return self.children(False)

    def kill(self):
        """The next parent keeps the standby's process id."""
        self.heir = self.standby()
        os.kill(self.parent, signal.SIGKILL)
        if self.parent == self.pool.pid:
            self.pool.process.wait()

    def follow(self):
        """Until the next parent serves and has a standby of its own."""
        def next_parent():
            newest = self.pool.events("start")[-1]["pid"]
            return newest not in self.parents and newest
        self.parent = process.wait_until("another parent", next_parent)
        self.parents.append(self.parent)
        process.wait_until("its workers", lambda: len(self.workers()) ==
                           self.count)
        process.wait_until("its standby", self.standby)

    def reload(self):
        before = self.workers()
        os.kill(self.parent, signal.SIGHUP)
        process.wait_until("new workers", lambda: len(self.workers()) ==
                           self.count and not set(before) & set(self.workers()))

    def stop(self):
        """Every parent but the first is nobody's child."""
        left = [pid for pid in (self.parent, self.heir)
                if pid and process.is_alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        gone(left)

    def leave_none(self):
        """The first parent ends as all pools of the tests do."""
        if self.heir:
            self.stop()
