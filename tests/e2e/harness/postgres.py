"""A PostgreSQL cluster of the tests' own."""

from pathlib import Path

import psycopg2

from . import process
from .tree import TOP

SCRIPT = TOP / "deploy/private-postgres"


class Cluster:
    """Started by deploy/private-postgres; a Unix socket in a directory."""

    def __init__(self, directory, log_all=True):
        """`log_all` logs each statement: tests count them, and look for what
        must not be there."""
        self.directory = Path(directory)
        self.settings = ["log_line_prefix=%u[%p] "]
        if log_all:
            self.settings += ["log_statement=all", "fsync=off"]
        self.start()

    def start(self):
        done = process.run(
            [SCRIPT, "start", *(part for setting in self.settings
                                for part in ("--set", setting)),
             self.directory], within=120, check=True)
        self.conninfo = done.stdout.decode().strip().splitlines()[-1]

    def stop(self):
        process.run([SCRIPT, "stop", self.directory], within=120, check=True)

    def restart(self):
        self.stop()
        self.start()

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

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def dump(self):
        """All data as text."""
        pg_dump = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1]
        done = process.run([pg_dump, f"{self.conninfo} user=postgres"],
                           check=True)
        return done.stdout.decode(errors="replace")
