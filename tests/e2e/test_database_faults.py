"""What a database can do to its service: refuse, hang, fill up, stop, crash.

Whatever it is: an answer comes in time, it is never a 200 without a session, and
when the cause is gone all is well again within seconds."""

import json
import os
import threading
import time
from contextlib import contextmanager
from datetime import datetime

import psycopg2
import pytest

from conftest import furnish
from harness import clock, contract, process, tree
from harness.sessions import Session, ask

# The promise is 3 s for what the database costs; the rest is for a busy
# machine, and a sanitizer.
PROMISE = {"db_timeout_ms": 3000}
PATIENCE = 5.5 if not tree.SANITIZED else 9
BACK = 5 if not tree.SANITIZED else 10

SERVICE_BACKENDS = ("FROM pg_stat_activity WHERE usename = 'postern_service' "
                    "AND pid <> pg_backend_pid()")


class Client:
    """Somebody who signs in and refreshes, and remembers what was
    acknowledged."""

    def __init__(self, pool, api_key):
        self.pool = pool
        self.api_key = {"X-Api-Key": api_key}
        self.opened = []   # of every 200 to a sign-in
        self.statuses = []
        self.longest = 0
        self.session = None

    def timed(self, method, uri, body=None, headers=()):
        answer, took = clock.timed(ask, self.pool, method, uri, body, headers)
        self.longest = max(self.longest, took.running)
        self.statuses.append(answer.status)
        return answer

    def sign_in(self):
        answer = self.timed("POST", "/v2/auth/sign-in", {
            "email": "alice@example.test", "password": "a long password"},
            self.api_key)
        if answer.status == 200:
            self.session = Session(contract.check_signed_in(answer))
            self.opened.append(self.session.sid)
        return answer

    def refresh(self):
        answer = self.timed("POST", "/v2/auth/refresh",
                            {"refreshToken": self.session.refresh})
        if answer.status == 200:
            self.session = Session(contract.check_signed_in(answer))
        return answer

    def me(self):
        return self.timed("GET", "/v2/users/me", None, self.session.bearer)

    def ready(self):
        return self.timed("GET", "/v2/auth/health/ready")


class Place:
    """A pool on a cluster that may be harmed."""

    def __init__(self, cluster, pool):
        self.cluster = cluster
        self.pool = pool
        self.workers = process.wait_until(
            "two workers", lambda: (pids := pool.workers()) and
            len(pids) == 2 and pids)

    def client(self):
        return Client(self.pool, self.cluster.api_key)

    def drop_connections(self):
        self.cluster.ask(f"SELECT pg_terminate_backend(pid) {SERVICE_BACKENDS}")

    def check_kept(self, clients):
        """Every session that was acknowledged is there."""
        opened = [sid for client in clients for sid in client.opened]
        kept = {str(sid) for (sid,) in
                self.cluster.ask("SELECT sid FROM postern.sessions")}
        assert opened and set(opened) <= kept
        assert len(set(opened)) == len(opened)

    def check_back(self):
        """Service is whole again: every worker, and the same ones."""
        client = self.client()
        process.wait_until("a sign-in", lambda: client.sign_in().status == 200,
                           BACK, 0.1)
        process.wait_until(
            "all workers", lambda: all([client.sign_in().status == 200
                                        for _ in range(6)]), BACK, 0.1)
        assert client.ready().status == 200
        assert client.refresh().status == 200
        assert client.me().status == 200
        assert self.pool.workers() == self.workers

    def reasons(self, mark):
        """What the log says is wrong, from a mark on."""
        return [json.loads(line)["message"]
                for line in self.pool.log()[mark:].splitlines()
                if '"level":"error"' in line]


@pytest.fixture(scope="module")
def harmed(runtime, settings):
    """The cluster that all of this is done to."""
    cluster = furnish(runtime / "harmed", settings,
                      more=["max_connections=20"])
    yield cluster
    cluster.start()
    cluster.stop()


@pytest.fixture
def place(harmed, start_pool):
    harmed.start()
    return Place(harmed, start_pool(**harmed.postern | PROMISE))


# ---- a cause, and its end ----------------------------------------------------

@contextmanager
def stopped(place):
    place.cluster.stop()
    yield
    place.cluster.start()


@contextmanager
def crashed(place):
    place.cluster.crash()
    yield
    place.cluster.start()


@contextmanager
def frozen(place):
    with place.cluster.frozen():
        yield


@contextmanager
def locked(place):
    """Somebody alters the tables, and takes his time."""
    connection = place.cluster.connect()
    connection.autocommit = False
    connection.cursor().execute(
        "LOCK TABLE postern.users, postern.sessions, postern.logins, "
        "postern.schema_migrations IN ACCESS EXCLUSIVE MODE")
    yield
    connection.rollback()
    connection.close()


@contextmanager
def out_of_connections(place):
    """Others have them all."""
    place.drop_connections()
    others = []
    try:
        with pytest.raises(psycopg2.OperationalError,
                           match="too many clients|remaining connection"):
            while True:
                others.append(place.cluster.connect("postern_admin"))
        yield
    finally:
        for connection in others:
            connection.close()


@contextmanager
def read_only(place):
    """A primary that became a standby."""
    place.cluster.ask("ALTER SYSTEM SET default_transaction_read_only = on")
    place.cluster.ask("SELECT pg_reload_conf()")
    place.drop_connections()
    yield
    connection = psycopg2.connect(f"{place.cluster.conninfo} user=postgres "
                                  "options='-c default_transaction_read_only"
                                  "=off'")
    connection.autocommit = True
    connection.cursor().execute(
        "ALTER SYSTEM RESET default_transaction_read_only")
    connection.cursor().execute("SELECT pg_reload_conf()")
    connection.close()


@contextmanager
def schema_behind(place):
    """The program is newer than the schema: no such table, no such column."""
    place.cluster.ask("ALTER TABLE postern.sessions RENAME TO old")
    place.cluster.ask(
        "ALTER TABLE postern.logins RENAME COLUMN pw_hash TO hash")
    place.cluster.ask("CREATE TABLE public.kept AS "
                      "SELECT * FROM postern.schema_migrations")
    place.cluster.ask("DELETE FROM postern.schema_migrations")
    yield
    place.cluster.ask("INSERT INTO postern.schema_migrations "
                      "SELECT * FROM public.kept")
    place.cluster.ask("DROP TABLE public.kept")
    place.cluster.ask(
        "ALTER TABLE postern.logins RENAME COLUMN hash TO pw_hash")
    place.cluster.ask("ALTER TABLE postern.old RENAME TO sessions")


# name: (cause, what the log says, whether reading works meanwhile)
CAUSES = {
    "stopped": (stopped, "could not connect", False),
    "crashed": (crashed, "could not connect", False),
    "frozen": (frozen, "no answer in time", False),
    "locked": (locked, "no answer in time|statement timeout", False),
    "out of connections": (out_of_connections, "too many|remaining", False),
    "read only": (read_only, "read-only", True),
    "schema behind": (schema_behind, "is the schema migrated", False),
}


@pytest.mark.parametrize("name", CAUSES)
def test_cause(place, name):
    cause, reason, reads = CAUSES[name]
    client = place.client()
    contract.check_signed_in(client.sign_in())
    session = client.session
    mark = len(place.pool.log())

    with cause(place):
        start = time.monotonic()
        for call in (client.sign_in, client.refresh, client.sign_in):
            contract.check_refused(call(), 503, "SERVICE_UNAVAILABLE")
        assert client.me().status == (200 if reads else 503)
        assert client.ready().status == (200 if reads else 503)
        assert ask(place.pool, "GET", "/v2/auth/health").status == 200
        assert client.longest < PATIENCE
        elapsed = time.monotonic() - start

    place.check_back()
    # A refresh whose answer was lost can come again.
    client.session = session
    assert client.refresh().status == 200
    place.check_kept([client])
    told = [line for line in place.reasons(mark)
            if any(word in line for word in reason.split("|"))]
    # By each of the two workers, and again every 10 s.
    assert 1 <= len(told) <= 2 * (2 + elapsed / 10), told


def test_queue_before_a_database_that_hangs(place):
    """Those who wait behind a statement that hangs do not wait for each other's
    deadlines: eight clients, two workers, one deadline and a little."""
    clients = [place.client() for _ in range(8)]
    clients[0].sign_in()
    with locked(place):
        threads = [threading.Thread(target=client.sign_in)
                   for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert [client.statuses[-1] for client in clients] == [503] * 8
        assert max(client.longest for client in clients) < PATIENCE
    place.check_back()


def test_one_worker_looks_for_all(harmed, start_pool):
    """A database that hangs takes a deadline from each worker that has a
    connection, and from then on from one at a time: the others say so at once,
    and serve what needs no database."""
    harmed.start()
    pool = start_pool(**harmed.postern | PROMISE | {"workers": 8})
    process.wait_until("eight connections", lambda: harmed.ask(
        f"SELECT count(*) FROM (SELECT {SERVICE_BACKENDS}) AS b") == [(8,)])
    clients = [Client(pool, harmed.api_key) for _ in range(8)]
    times = []  # of what needs a database, once all workers know

    def look(client):
        answer, took = clock.timed(client.ready)
        assert answer.status == 503
        times.append(took.running)
        time.sleep(0.05)

    with harmed.frozen():
        at_once(clients, PATIENCE, lambda client: client.ready())
        times.clear()
        watch = threading.Thread(target=at_once, args=(clients, 6, look))
        watch.start()
        health = []
        while watch.is_alive():
            answer, took = clock.timed(ask, pool, "GET", "/v2/auth/health")
            assert answer.status == 200
            health.append(took.running)
            time.sleep(0.1)
        thawed = clock.running()

    # In six seconds one can wait for three, three, and what was begun before.
    # (Each with a deadline of its own, they would ask 16 times in all.)
    assert len([took for took in times if took > 2]) <= 4, times
    assert len(times) > 50
    assert max(health) < 2
    process.wait_until("all workers", lambda: all(
        client.ready().status == 200 for client in clients * 3), BACK, 0.05)
    assert clock.running() - thawed < BACK
    assert max(client.longest for client in clients) < PATIENCE


def test_a_few_find_out_for_all(harmed, start_pool):
    """Three statements find no answer; from then on nobody waits for one, but one at
    a time, though five workers have connections that are as good as ever."""
    harmed.start()
    pool = start_pool(**{**harmed.postern, "workers": 8})
    process.wait_until("eight connections", lambda: harmed.ask(
        f"SELECT count(*) FROM (SELECT {SERVICE_BACKENDS}) AS b") == [(8,)])

    def crowd(count):
        """So many ask at the same time."""
        at_once([Client(pool, harmed.api_key) for _ in range(count)], 0.1,
                lambda client: contract.check_refused(
                    client.ready(), 503, "SERVICE_UNAVAILABLE"))

    with harmed.frozen():
        crowd(3)
        for _ in range(3):
            crowd(8)
    thawed = time.monotonic()
    # When those were answered who had waited for the database.
    late = [datetime.fromisoformat(event["time"].rstrip("Z")).timestamp()
            for event in pool.events("request") if event["us"] > 1_500_000]
    assert len(late) >= 3
    for before, after in zip(late[2:], late[3:]):
        assert after - before > 1.5, late
    clients = [Client(pool, harmed.api_key) for _ in range(8)]
    process.wait_until("all workers", lambda: all(
        client.ready().status == 200 for client in clients * 3), BACK, 0.05)
    assert time.monotonic() - thawed < BACK
    for words in ("the database keeps silent", "the database answers again"):
        assert pool.log().count(words) == 1


def test_schema_ahead(place):
    """Migrations go first when a fleet is upgraded."""
    place.cluster.ask(
        "INSERT INTO postern.schema_migrations (number, name, applied_at) "
        "SELECT max(number) + 1, 'of tomorrow', now() "
        "FROM postern.schema_migrations")
    place.cluster.ask("ALTER TABLE postern.sessions ADD COLUMN tomorrow text")
    place.check_back()
    place.cluster.ask("ALTER TABLE postern.sessions DROP COLUMN tomorrow")
    place.cluster.ask("DELETE FROM postern.schema_migrations "
                      "WHERE name = 'of tomorrow'")
    place.check_back()


def test_role_without_rights(place):
    """That does not pass by itself: a fault of the installation, told as one."""
    client = place.client()
    place.cluster.ask("REVOKE INSERT ON postern.sessions FROM postern_service")
    for _ in range(3):
        contract.check_refused(client.sign_in(), 500, "INTERNAL_SERVER_ERROR")
    assert any("permission denied" in line for line in place.reasons(0))
    place.cluster.ask("GRANT INSERT ON postern.sessions TO postern_service")
    place.check_back()


def test_serialization_failures(harmed, start_pool):
    """Transactions that meet come again; nobody hears of it."""
    harmed.start()
    place = Place(harmed, start_pool(**harmed.postern))
    place.cluster.ask("ALTER ROLE postern_service SET "
                      "default_transaction_isolation = 'serializable'")
    place.drop_connections()
    clients = [place.client() for _ in range(4)]
    at_once(clients, 3, lambda client: client.sign_in())
    statuses = [status for client in clients for status in client.statuses]
    assert set(statuses) == {200}
    place.check_kept(clients)
    place.cluster.ask("ALTER ROLE postern_service RESET ALL")


# ---- a full disk -------------------------------------------------------------

def fill(cluster):
    """Not a byte is left in the tablespace."""
    cluster.ask("CREATE TABLE public.filler (t text) TABLESPACE small")
    for rows in (400, 20, 1):
        with pytest.raises(psycopg2.errors.DiskFull):
            for _ in range(100):
                cluster.ask("INSERT INTO public.filler SELECT repeat('x', 2000)"
                            f" FROM generate_series(1, {rows})")


def with_small_disk(disk):
    """The beginning of a command that alone sees a disk of 1 MB there.  Below a
    chroot(2) mounts cannot be made private, but are as a rule."""
    mount = ("mount -t tmpfs -o size=1m,mode=0700,uid=$(id -u postgres) none "
             f'{disk} && exec "$@"')
    for propagation in ("private", "unchanged"):
        prefix = ["unshare", "--mount", "--propagation", propagation, "sh", "-c",
                  mount, "-"]
        tried = process.run([*prefix, "true"])
        if os.path.ismount(disk):
            process.run(["umount", disk], check=True)
        elif tried.returncode == 0:
            return prefix
    pytest.skip("a small disk takes the right to mount one: "
                + tried.stderr.decode().strip())


@pytest.fixture
def small_disk_cluster(room, settings):
    """Its sessions lie on a disk that is full soon, which only its server sees."""
    disk = room / "small"
    disk.mkdir()
    disk.chmod(0o755)
    prefix = with_small_disk(disk)
    cluster = furnish(room / "own", settings, prefix=prefix)
    cluster.ask(f"CREATE TABLESPACE small LOCATION '{disk}'")
    cluster.ask("ALTER TABLE postern.sessions SET TABLESPACE small")
    yield cluster
    cluster.stop()


def test_disk_full(small_disk_cluster, start_pool):
    cluster = small_disk_cluster
    place = Place(cluster, start_pool(**cluster.postern | PROMISE))
    client = place.client()
    contract.check_signed_in(client.sign_in())
    session = client.session
    fill(cluster)

    mark = len(place.pool.log())
    process.wait_until("no more room", lambda: client.sign_in().status != 200,
                       30, 0)
    for _ in range(20):
        contract.check_refused(client.sign_in(), 503, "SERVICE_UNAVAILABLE")
    assert client.longest < PATIENCE
    assert client.me().status == 200  # reading works
    place.check_kept([client])
    told = [line for line in place.reasons(mark) if "No space left" in line]
    assert 1 <= len(told) <= 4, told

    cluster.ask("DROP TABLE public.filler")
    place.check_back()
    client.session = session
    assert client.me().status == 200


# ---- under load --------------------------------------------------------------

def at_once(clients, seconds, work):
    """All clients work for so long, side by side."""
    end = clock.running() + seconds
    faults = []

    def run(client):
        try:
            while clock.running() < end:
                work(client)
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=run, args=(client,))
               for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults, faults


def come_and_go(client):
    """Sign in, then refresh until it works, as a patient program does."""
    if client.session is None:
        client.sign_in()
        time.sleep(0.02)
        return
    for _ in range(3):
        while client.refresh().status == 503:
            time.sleep(0.1)
        assert client.statuses[-1] == 200, "a refresh is lost"
    client.session = None


def test_restarts_under_load(place):
    """Twice in ten seconds, once kindly and once not: every answer is a 200 or a
    clean 503, and each 200's session is there afterwards."""
    clients = [place.client() for _ in range(5)]
    load = threading.Thread(target=at_once, args=(clients, 10, come_and_go))
    load.start()
    time.sleep(2)
    place.cluster.restart()
    time.sleep(3)
    place.cluster.crash()
    place.cluster.start()
    load.join(60)
    assert not load.is_alive()

    place.check_back()
    place.check_kept(clients)
    statuses = [status for client in clients for status in client.statuses]
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) > 50
    assert max(client.longest for client in clients) < PATIENCE


def test_crash_right_after_a_sign_in(place):
    """What was acknowledged outlives the server's sudden end."""
    client = place.client()
    for _ in range(3):
        process.wait_until("a sign-in", lambda: client.sign_in().status == 200,
                           BACK, 0.05)
        place.cluster.crash()
        place.cluster.start()
        place.check_kept([client])
        process.wait_until("a refresh", lambda: client.refresh().status == 200,
                           BACK, 0.05)
