"""A PostgreSQL cluster of the tests' own."""

from pathlib import Path

import psycopg2

from . import process
from .tree import TOP

SCRIPT = TOP / "deploy/private-postgres"


class Cluster:
    """Started by deploy/private-postgres; a Unix socket in a directory."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.start()

    def start(self):
        # Each statement of the service is logged: tests count them, and look
        # for what must not be there.
        done = process.run(
            [SCRIPT, "start", "--set", "log_statement=all", "--set",
             "log_line_prefix=%u[%p] ", "--set", "max_connections=60",
             "--set", "fsync=off", self.directory], within=120, check=True)
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
