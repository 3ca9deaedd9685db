"""Peers that are slow, or dead, on more connections than there are workers: those
who are neither are served as if they were alone."""

import socket
import time
from pathlib import Path

import pytest

from conftest import SIGN_IN
from harness import clock, contract, fastcgi, process, tree
from harness.load import Crowd
from harness.sessions import Session, ask

CHECK = "/v2/auth/check"

IO_TIMEOUT = 1
# What an honest request may take beside them, on a busy machine.
SOON = 1 if not tree.SANITIZED else 3

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.fixture(scope="module")
def pool(start_pool_for_session, people, keys):
    return start_pool_for_session(io_timeout_ms=IO_TIMEOUT * 1000)


@pytest.fixture(scope="module")
def stream(people, keys):
    """A whole sign-in, to be sent in any pace."""
    body = (f'{{"email":"{people.alice.email}",'
            f'"password":"{people.alice.password}"}}').encode()
    pairs = fastcgi.request_params("POST", SIGN_IN, body, {
        "Content-Type": "application/json", "X-Api-Key": keys.publishable})
    return b"".join((
        fastcgi.record(fastcgi.BEGIN_REQUEST, b"\0\1" + b"\0" * 6),
        fastcgi.stream(fastcgi.PARAMS, b"".join(fastcgi.pair(*pair)
                                                for pair in pairs)),
        fastcgi.record(fastcgi.PARAMS), fastcgi.stream(fastcgi.STDIN, body),
        fastcgi.record(fastcgi.STDIN)))


class Peers(Crowd):
    """So many at a time; whoever is hung up on comes again at once."""

    def __init__(self, pool, count, live):
        super().__init__([self._run] * count)
        self.pool = pool
        self.live = live
        self.lives = []     # how long each connection was held

    def _run(self):
        while not self.ended.is_set():
            watch = clock.Watch()
            with fastcgi.Connection(self.pool.address) as connection:
                try:
                    self.live(connection, self.ended)
                except OSError:
                    pass
            self.lives.append(watch.stop().running)

    def __enter__(self):
        super().__enter__()
        time.sleep(0.3)
        return self


def until_hung_up(connection, ended):
    """True while the other side holds the connection."""
    connection.socket.settimeout(0.05)
    try:
        return bool(connection.socket.recv(1 << 16)) and not ended.is_set()
    except socket.timeout:
        return not ended.is_set()


def dripping(stream, at, every=0.2):
    """Sends what comes before `at`, then a byte now and then."""
    def live(connection, ended):
        connection.send(stream[:at])
        for i in range(at, len(stream)):
            if ended.wait(every):
                return
            connection.send(stream[i:i + 1])
    return live


def silent(stream, size):
    def live(connection, ended):
        connection.send(stream[:size])
        while until_hung_up(connection, ended):
            pass
    return live


def never_reading(method="GET", uri="/v2/auth/openapi.json"):
    """Asks for the largest answer, takes none of it and stays."""
    def live(connection, ended):
        connection.begin()
        connection.params(fastcgi.request_params(method, uri))
        connection.stdin(b"")
        ended.wait(1)
    return live


def never_ending():
    """A body over the limit, of which the rest drips for ever."""
    def live(connection, ended):
        connection.begin()
        connection.params(fastcgi.request_params(
            "POST", SIGN_IN, content_length="1000000"))
        connection.send(fastcgi.HEADER.pack(1, fastcgi.STDIN, 1, 65535, 0) +
                        b"x" * 20000)
        while not ended.wait(0.1):
            connection.send(b"x")
    return live


KINDS = {
    "dripping from the beginning": lambda stream: dripping(stream, 0),
    "dripping parameters": lambda stream: dripping(stream, 60),
    "dripping a body": lambda stream: dripping(stream, len(stream) - 30),
    "silent": lambda stream: silent(stream, 0),
    "silent after half a request": lambda stream: silent(stream, 100),
    "silent before the body": lambda stream: silent(stream, len(stream) - 70),
    "never reading": lambda stream: never_reading(),
    "never ending": lambda stream: never_ending(),
}


def sign_in_takes(pool, stream):
    """Seconds of an honest sign-in."""
    watch = clock.Watch()
    with fastcgi.Connection(pool.address) as connection:
        connection.send(stream)
        contract.check_signed_in(connection.answer())
    return watch.stop().running


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("times", [1, 8])
def test_beside(pool, stream, kind, times):
    """As many as there are workers, and eight times as many: each sign-in is
    answered soon, and no connection is held for longer than the limit."""
    workers = len(pool.workers())
    with Peers(pool, workers * times, KINDS[kind](stream)) as peers:
        start = clock.running()
        took = []
        while clock.running() - start < IO_TIMEOUT + 1:
            took.append(sign_in_takes(pool, stream))
            time.sleep(0.02)
    print(f"{len(took)} sign-ins, the longest {max(took):.3f} s; "
          f"connections held {max(peers.lives):.1f} s at most")
    assert max(took) < SOON
    assert max(peers.lives) < IO_TIMEOUT + 2 + SOON


@pytest.fixture(scope="module")
def patient(start_pool_for_session, people, keys):
    """Longer than this machine may stand still."""
    return start_pool_for_session(io_timeout_ms=20000)


def test_crowd(patient, stream):
    """More dead peers than workers have places for: the oldest go, and still
    nobody waits for them."""
    pool, held = patient, []
    workers = pool.workers()
    try:
        for _ in range(150):
            connection = fastcgi.Connection(pool.address)
            connection.send(stream[:100])
            held.append(connection)
        assert max(sign_in_takes(pool, stream) for _ in range(20)) < SOON
        # Somebody slow but honest, who came last, is not among those who went.
        with fastcgi.Connection(pool.address) as connection:
            connection.send(stream[:200])
            time.sleep(0.5)
            connection.send(stream[200:])
            contract.check_signed_in(connection.answer())
    finally:
        for connection in held:
            connection.socket.close()
    assert pool.workers() == workers


def test_slow_ones_are_answered(patient, stream):
    """A request in eight pieces within the limit is one like any other, on
    more connections than there are workers."""
    connections = [fastcgi.Connection(patient.address)
                   for _ in range(4 * len(patient.workers()))]
    size = len(stream) // 8 + 1
    for at in range(0, len(stream), size):
        for connection in connections:
            connection.send(stream[at:at + size])
        time.sleep(0.1)
    for connection in connections:
        contract.check_signed_in(connection.answer())
        connection.socket.close()


def connections(pool):
    """How many its workers have taken from the socket: others have no inode."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    return sum(line.split()[5:] == ["03", line.split()[6], pool.address]
               and line.split()[6] != "0" for line in lines)


def wait_until_let_in(pool, count):
    """Nobody else comes."""
    process.wait_until(f"{count} to be let in",
                       lambda: connections(pool) == count)


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_workers_that_leave_wait_for_them(start_pool, stream, how):
    """Who has been let in is served, though the worker has to go."""
    pool = start_pool(io_timeout_ms=20000)
    wait_until_let_in(pool, 0)
    with fastcgi.Connection(pool.address) as connection:
        connection.send(stream[:200])
        wait_until_let_in(pool, 1)
        if how == "stop":
            pool.process.signal(15)
        else:
            pool.hang_up()
        time.sleep(0.5)
        connection.send(stream[200:])
        contract.check_signed_in(connection.answer())
    assert pool.stop() == 0


def test_session_that_ends_before_a_slow_request(start_pool, people, sign_in):
    """A worker that has to leave does not go by what it knew: the session was
    signed out of at another, of which it heard nothing."""
    pool = start_pool(io_timeout_ms=20000)
    time.sleep(1.1)  # a token that is judged without the database
    session = Session(contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password)))
    assert ask(pool, "GET", CHECK, None, session.bearer).status == 204
    before = set(pool.workers())
    wait_until_let_in(pool, 0)
    with fastcgi.Connection(pool.address) as connection:
        connection.begin()
        connection.params(fastcgi.request_params(
            "GET", CHECK, headers=session.bearer))
        wait_until_let_in(pool, 1)
        pool.hang_up()
        process.wait_until("new workers", lambda: len(
            set(pool.workers()) - before) == 2)
        process.wait_until("the old one alone", lambda: len(
            set(pool.workers()) & before) == 1)
        assert ask(pool, "POST", "/v2/auth/sign-out", {},
                   session.bearer).status == 204
        connection.stdin(b"")
        contract.check_refused(connection.answer(), 401,
                               "INVALID_SESSION_TOKEN")
