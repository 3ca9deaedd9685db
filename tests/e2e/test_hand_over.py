"""While the workers of two programs serve one socket, each with a list of its own of
the sessions that ended: nobody passes whose session's end was told."""

import contextlib
import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import clock, contract, fastcgi, process, tree
from harness.family import Family
from harness.sessions import Session, ask, signing_out

CHECK, SIGN_OUT = "/v2/auth/check", "/v2/auth/sign-out"
SESSION, REFRESH = "/v2/auth/session", "/v2/auth/refresh"
HEALTH = "/v2/auth/health"


def opened(pool, keys):
    return Session(contract.check_signed_in(
        ask(pool, "GET", SESSION, headers={"X-Api-Key": keys.secret})))


def next_second():
    """What was known of before is older than tokens from now on."""
    time.sleep(1 - time.time() % 1 + 0.01)


def sign_out(pool, session):
    answer = ask(pool, "POST", SIGN_OUT, {}, session.bearer)
    assert answer.status == 204, answer


def passes(pool, session):
    answer = ask(pool, "GET", CHECK, headers=session.cookie)
    if answer.status != 204:
        contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
    return answer.status == 204


@contextlib.contextmanager
def stopped(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def begin_reload(pool):
    """Returns when the next program has begun, but none of its workers."""
    before = pool.log().count('"event":"start"')
    pool.hang_up()
    process.wait_until("the next program", lambda: pool.log().count(
        '"event":"start"') > before, every=0)


@contextlib.contextmanager
def between(pool):
    """The next program's worker serves, and its parent stands still before it has
    told the one before; gives both.  A parent that was faster is tried again."""
    for _ in range(20):
        [old] = pool.workers()
        begin_reload(pool)
        process.wait_until("the next worker", lambda: pool.workers() != [old],
                           every=0)
        with stopped(pool.pid):
            time.sleep(0.2)  # whoever was told has left by then
            if old in pool.workers() and len(pool.workers()) == 2:
                [new] = set(pool.workers()) - {old}
                yield old, new
                return
        process.wait_until("one worker", lambda: len(pool.workers()) == 1)
    pytest.fail("the parent was never caught between the two")


def judges_by_itself(pool, keys, ctl):
    """Does it pass a young token without asking the database?"""
    next_second()
    session = opened(pool, keys)
    ctl("session", "revoke", session.sid)
    return passes(pool, session)


def test_what_either_program_ends_the_other_asks_about(start_pool, keys, ctl):
    pool = start_pool(workers=1)
    next_second()
    first = opened(pool, keys)
    assert passes(pool, first)
    with between(pool) as (old, new):
        next_second()
        second, third = opened(pool, keys), opened(pool, keys)
        with stopped(old):
            sign_out(pool, first)
        with stopped(new):
            assert not passes(pool, first)
            sign_out(pool, second)
        with stopped(old):
            assert not passes(pool, second)
        for one in (old, new):
            with stopped(one):
                assert passes(pool, third)
    process.wait_until("one worker", lambda: pool.workers() == [new])
    assert judges_by_itself(pool, keys, ctl)


def test_a_program_that_is_gone_when_its_time_comes(room, start_pool, keys, ctl):
    """The old one goes on, and alone: it knows again who has left."""
    program = room / "postern.fcgi"
    shutil.copy(tree.POSTERN, program)
    pool = start_pool([program, "--config", "{settings}", "--listen",
                       "unix:{sock}"])
    new = room / "new"
    new.write_text('#!/bin/sh\nrm -- "$0"\n')
    new.chmod(0o755)
    new.rename(program)
    pool.hang_up()
    process.wait_until("a refusal", lambda: "the old program goes on" in
                       pool.log())
    assert judges_by_itself(pool, keys, ctl)


def test_what_the_last_one_of_a_program_ends(start_pool, new_person, sign_in,
                                             cluster, keys):
    """It was told to leave, and ends sessions yet that it was asked to end."""
    person = new_person()
    pool = start_pool(workers=1, db_timeout_ms=20000)
    first, session = (Session(contract.check_signed_in(sign_in(
        pool, person.email, person.password))) for _ in range(2))
    [old] = pool.workers()
    with signing_out(cluster, pool, first) as (rival, connection):
        pool.hang_up()
        process.wait_until("a new worker", lambda: len(
            pool.events("start")) == 2 and len(pool.workers()) == 2)
        next_second()
        session = Session(contract.check_signed_in(ask(
            pool, "POST", REFRESH, {"refreshToken": session.refresh})))
        assert passes(pool, session)
        assert old in pool.workers()
        with stopped(pool.pid):
            rival.rollback()
            assert connection.answer().status == 204
            assert not passes(pool, session)


@pytest.mark.parametrize("how", ["reload", "death"])
def test_whom_an_old_worker_has_let_in(start_pool, keys, how):
    """It waits for them, while the next program's workers serve everybody else."""
    pool = start_pool(workers=1, standby="always")
    with Family(pool, workers=1) as family, \
            fastcgi.Connection(pool.address) as guest:
        guest.begin()
        assert fastcgi.ask(pool.address, "GET", HEALTH).status == 200
        [old] = family.workers()
        if how == "death":
            family.kill()
            family.follow()
        else:
            pool.hang_up()
            process.wait_until("a new worker", lambda: len(
                pool.events("start")) == 2 and len(family.workers()) == 2)
        next_second()
        session = opened(pool, keys)
        sign_out(pool, session)
        assert process.is_alive(old)
        guest.params(fastcgi.request_params("GET", CHECK,
                                            headers=session.cookie))
        guest.stdin(b"")
        contract.check_refused(guest.answer(), 401, "INVALID_SESSION_TOKEN")


def test_who_waits_at_a_pool_that_stops(start_pool, new_person, sign_in, cluster,
                                        keys):
    """Others may serve already, and end what its list does not have."""
    person = new_person()
    pool, next_pool = (start_pool(workers=1, db_timeout_ms=20000)
                       for _ in range(2))
    first = Session(contract.check_signed_in(sign_in(
        pool, person.email, person.password)))
    next_second()
    session = opened(pool, keys)
    assert passes(pool, session)
    with signing_out(cluster, pool, first) as (rival, connection), \
            fastcgi.Connection(pool.address) as waiting:
        waiting.begin()
        waiting.params(fastcgi.request_params("GET", CHECK,
                                              headers=session.cookie))
        waiting.stdin(b"")
        os.kill(pool.pid, signal.SIGTERM)
        process.wait_until("the socket's end", lambda: not os.path.exists(
            pool.address))
        sign_out(next_pool, session)
        rival.rollback()
        assert connection.answer().status == 204
        contract.check_refused(waiting.answer(), 401, "INVALID_SESSION_TOKEN")


def test_reloads_while_people_leave(start_pool, keys):
    """Each of them looks at once whether they are out: by chance what those above make
    sure of, with as many workers and reloads as it meets."""
    pool = start_pool(workers=2)
    reloaded, wrong, left = threading.Event(), [], []

    def leave(sessions):
        for session in sessions:
            if reloaded.is_set():
                return
            sign_out(pool, session)
            wrong.extend(filter(None, (passes(pool, session)
                                       for _ in range(4))))
            left.append(session)

    end = clock.running() + 8
    while clock.running() < end and not wrong:
        reloaded.clear()
        next_second()
        sessions = [opened(pool, keys) for _ in range(120)]
        old = set(pool.workers())
        begin_reload(pool)
        with ThreadPoolExecutor(3) as people:
            done = [people.submit(leave, sessions[i::3]) for i in range(3)]
            process.wait_until("the old ones' end", lambda: not old & set(
                pool.workers()))
            reloaded.set()
            for one in done:
                one.result()
    assert not wrong
    assert left
