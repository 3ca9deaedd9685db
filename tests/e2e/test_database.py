"""The database goes away, is slow, and comes back."""

import os
import re
import socket
import statistics
import threading

import pytest

from conftest import SIGN_IN
from harness import clock, contract, fastcgi, process, tree

# The promise is 3 s for what the database costs; the rest is for a busy
# machine, and a sanitizer.
PROMISE = {"db_timeout_ms": 3000}
PATIENCE = 5.5 if not tree.SANITIZED else 8


def timed(ask):
    answer, took = clock.timed(ask)
    return answer, took.running


def test_away_and_back(own_cluster, start_pool, sign_in):
    pool = start_pool(**own_cluster.postern | PROMISE)

    def ask():
        return sign_in(pool, "alice@example.test", "a long password",
                       own_cluster.api_key)

    contract.check_signed_in(ask())
    own_cluster.stop()
    for _ in range(3):
        answer, seconds = timed(ask)
        contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert seconds < PATIENCE
    answer, _ = timed(lambda: fastcgi.ask(pool.address, "GET",
                                          "/v2/auth/health"))
    assert answer.status == 200
    answer, seconds = timed(lambda: fastcgi.ask(pool.address, "GET",
                                                "/v2/auth/health/ready"))
    assert answer.status == 503 and seconds < PATIENCE
    workers = pool.workers()

    own_cluster.start()
    process.wait_until("a sign-in", lambda: ask().status == 200, every=0.2)
    for _ in range(6):  # each worker has found it again
        contract.check_signed_in(ask())
    assert pool.workers() == workers


def test_restart_between_two_requests(own_cluster, start_pool, sign_in):
    """A connection that died unnoticed costs nobody an answer."""
    pool = start_pool(**own_cluster.postern)

    def ask():
        return sign_in(pool, "alice@example.test", "a long password",
                       own_cluster.api_key)

    for _ in range(4):
        contract.check_signed_in(ask())
    own_cluster.restart()
    for _ in range(4):
        contract.check_signed_in(ask())


def test_start_without_database(own_cluster, start_pool, sign_in):
    own_cluster.stop()
    pool = start_pool(**own_cluster.postern | PROMISE)
    answer, seconds = timed(lambda: sign_in(
        pool, "alice@example.test", "a long password", own_cluster.api_key))
    contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
    assert seconds < PATIENCE
    own_cluster.start()
    process.wait_until("a sign-in", lambda: sign_in(
        pool, "alice@example.test", "a long password",
        own_cluster.api_key).status == 200, every=0.2)


@pytest.fixture
def silent_database():
    """It accepts the connection and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        port = silent.getsockname()[1]
        yield f"host=127.0.0.1 port={port} user=x dbname=x"


def started(pid):
    """When it was, in seconds since the machine's start."""
    with open(f"/proc/{pid}/stat") as file:
        ticks = file.read().rpartition(")")[2].split()[19]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def test_others_wait_for_the_first_worker(silent_database, start_pool):
    """Not for long, since it waits for the database itself; then they come all
    together, but for a moment in which the machine stands still."""
    pool = start_pool(database=silent_database, workers=32, **PROMISE)
    process.wait_until("32 workers", lambda: len(pool.workers()) == 32)
    times = sorted(started(pid) for pid in pool.workers())
    assert times[1] - times[0] >= 0.08
    assert statistics.median(
        later - one for one, later in zip(times[1:], times[2:])) < 0.05


def test_database_that_never_answers(silent_database, start_pool, people,
                                     sign_in):
    pool = start_pool(database=silent_database, **PROMISE)
    answer, seconds = timed(lambda: sign_in(
        pool, people.alice.email, people.alice.password))
    contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
    assert seconds < PATIENCE
    answer, seconds = timed(lambda: fastcgi.ask(pool.address, "GET",
                                                "/v2/auth/health"))
    assert answer.status == 200 and seconds < 2


def test_statement_that_takes_too_long(start_pool, new_person, sign_in,
                                       cluster):
    """Somebody holds a lock on the table that a sign-in reads."""
    person = new_person()
    pool = start_pool(**PROMISE)
    contract.check_signed_in(sign_in(pool, person.email, person.password))
    connection = cluster.connect()
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE postern.logins IN ACCESS EXCLUSIVE MODE")
        answer, seconds = timed(lambda: sign_in(pool, person.email,
                                                person.password))
        contract.check_refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert seconds < PATIENCE
    finally:
        connection.rollback()
        connection.close()
    # The worker that had to wait asks nobody for a moment.
    process.wait_until("a sign-in", lambda: sign_in(
        pool, person.email, person.password).status == 200)


def test_connections_that_the_server_cuts(start_pool, people, sign_in,
                                          cluster):
    pool = start_pool()
    for _ in range(3):
        contract.check_signed_in(
            sign_in(pool, people.alice.email, people.alice.password))
        cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename = 'postern_service'")
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))


def test_statements_that_the_server_forgot(start_pool, people, sign_in,
                                           cluster):
    """A changed table voids prepared plans; a pooler may drop statements."""
    pool = start_pool(workers=1)
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    cluster.ask("ALTER TABLE postern.logins ADD COLUMN extra integer")
    try:
        contract.check_signed_in(
            sign_in(pool, people.alice.email, people.alice.password))
    finally:
        cluster.ask("ALTER TABLE postern.logins DROP COLUMN extra")
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))


@pytest.mark.parametrize("prepare", ["on", "off"])
def test_without_prepared_statements(start_pool, people, sign_in, prepare,
                                     cluster):
    pool = start_pool(db_prepare=prepare, workers=1)
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))


def service_statements(text):
    """What the service role had the server execute."""
    return re.findall(r"^postern_service\[(\d+)\] LOG:  "
                      r"(?:execute [^:]*|statement): (.*)$", text, re.M)


def test_two_round_trips(start_pool, people, sign_in, cluster):
    """A sign-in after the first asks the database twice at most."""
    pool = start_pool(workers=1)
    contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    for password, status in ((people.alice.password, 200), ("wrong", 401)):
        before = len(cluster.log())
        assert sign_in(pool, people.alice.email, password).status == status
        ran = service_statements(cluster.log()[before:])
        assert 1 <= len(ran) <= 2, ran


def test_service_role_has_the_least_rights(cluster, settings):
    """It can neither make, rename nor remove an account, nor read the audit."""
    import psycopg2
    for sql in (
            "INSERT INTO postern.logins SELECT * FROM postern.logins LIMIT 0",
            "DELETE FROM postern.logins",
            "UPDATE postern.logins SET login_key = 'x'",
            "UPDATE postern.logins SET status = 0",
            "UPDATE postern.logins SET user_id = user_id",
            "INSERT INTO postern.users SELECT * FROM postern.users LIMIT 0",
            "UPDATE postern.users SET status = 0",
            "DELETE FROM postern.users",
            "SELECT * FROM postern.audit_events",
            "UPDATE postern.audit_events SET reason = 'x'",
            "DELETE FROM postern.audit_events",
            "UPDATE postern.api_keys SET revoked_at = NULL",
            "INSERT INTO postern.api_keys SELECT * FROM postern.api_keys "
            "LIMIT 0",
            "DELETE FROM postern.sessions",
            "CREATE TABLE postern.x (i integer)",
            "CREATE TABLE public.x (i integer)",
            "DROP TABLE postern.sessions",
            "TRUNCATE postern.sessions"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cluster.ask(sql, role="postern_service")


def test_schema_of_another_version(own_cluster, start_pool, sign_in):
    """Not ready is said at the place that load balancers look at."""
    pool = start_pool(**own_cluster.postern)
    answer = fastcgi.ask(pool.address, "GET", "/v2/auth/health/ready")
    assert answer.status == 200
    own_cluster.ask("DELETE FROM postern.schema_migrations")
    answer = fastcgi.ask(pool.address, "GET", "/v2/auth/health/ready")
    assert answer.status == 503


def test_many_at_once(start_pool, people, sign_in):
    """More clients than workers: all are served."""
    pool = start_pool(workers=2)
    answers = []

    def ask():
        answers.append(sign_in(pool, people.alice.email,
                               people.alice.password))

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status for answer in answers] == [200] * 24
