"""A PostgreSQL cluster of the tests' own."""

import os
import signal
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from . import process
from .tree import TOP

SCRIPT = TOP / "deploy/private-postgres"


class Cluster:
    """Started by deploy/private-postgres; a Unix socket in a directory."""

    def __init__(self, directory, log_all=True, more=(), prefix=()):
        """`log_all` logs each statement: tests count them, and look for what
        must not be there; `more` are other settings of the server, which
        the command `prefix`, if any, starts."""
        self.directory = Path(directory)
        self.prefix = list(prefix)
        self.settings = ["log_line_prefix=%u[%p] "]
        if log_all:
            self.settings += ["log_statement=all", "fsync=off"]
        self.settings += more
        self.start()

    def start(self):
        done = process.run(
            [*self.prefix, SCRIPT, "start",
             *(part for setting in self.settings
               for part in ("--set", setting)),
             self.directory], within=120, check=True)
        self.conninfo = done.stdout.decode().strip().splitlines()[-1]

    def stop(self):
        process.run([SCRIPT, "stop", self.directory], within=120, check=True)

    def restart(self):
        self.stop()
        self.start()

    def postmaster(self):
        pid_file = self.directory / "data/postmaster.pid"
        return int(pid_file.read_text().split()[0])

    def crash(self):
        """End it in the midst of everything ("immediate" shutdown)."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGQUIT)
        process.wait_until("the end of PostgreSQL",
                           lambda: not process.is_alive(pid))

    @contextmanager
    def frozen(self):
        """Its processes stand still."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGSTOP)  # so that it starts no others
        pids = [pid, *process.children(pid)]
        try:
            for child in pids[1:]:
                os.kill(child, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(pids):
                os.kill(pid, signal.SIGCONT)

    def connect(self, role="postgres"):
        connection = psycopg2.connect(f"{self.conninfo} user={role}")
        connection.autocommit = True
        return connection

    def ask(self, sql, *values, role="postgres"):
        """Rows of one statement."""
        connection = self.connect(role)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    @contextmanager
    def held(self, table):
        """Nobody else looks into one of our tables."""
        connection = self.connect()
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE postern.{table}")
            yield
        finally:
            connection.close()

    def wait_for_waiters(self, count):
        process.wait_until(f"{count} who wait for a lock", lambda: self.ask(
            "SELECT count(*) FROM pg_locks WHERE NOT granted") == [(count,)])

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def dump(self):
        """All data as text."""
        pg_dump = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1]
        done = process.run([pg_dump, f"{self.conninfo} user=postgres"],
                           check=True)
        return done.stdout.decode(errors="replace")
