"""Workers and the parent are killed at random while people sign in, refresh and
sign out: nobody gets a wrong answer, and what was acknowledged stays true.

POSTERN_KILLS_SECONDS says for how long, POSTERN_SEED with which choices; both are in
the output of a test that fails."""

import contextlib
import functools
import os
import random
import signal
import time

import pytest

from harness import clock, contract, process, tree
from harness.family import Family
from harness.load import Crowd
from harness.postern import Pool, Unit
from harness.sessions import Session, ask

# A whole minute where nobody but the pool itself sees to it; a third of that where a
# manager starts the parent anew.
CHOSEN_SECONDS = os.environ.get("POSTERN_KILLS_SECONDS")
MINUTE, LESS = (float(CHOSEN_SECONDS or default) for default in (60, 20))
SEED = int(os.environ.get("POSTERN_SEED", time.time_ns() % 10**9))
BACK = 5 if not tree.SANITIZED else 15
WORKERS = 4

SIGN_IN, SIGN_OUT = "/v2/auth/sign-in", "/v2/auth/sign-out"
REFRESH, CHECK = "/v2/auth/refresh", "/v2/auth/check"


class Client:
    """A person with a program that asks again when it got no answer."""

    def __init__(self, unit, person, api_key, seed):
        self.unit = unit
        self.person = person
        self.api_key = {"X-Api-Key": api_key}
        self.choose = random.Random(seed)
        self.kept = None     # lives from the beginning to the end
        self.held = []       # never signed out of
        self.answers = 0
        self.cut_off = 0
        self.longest = 0

    def ask(self, *arguments):
        """An answer, and whether one before it may have been lost."""
        watch = clock.Watch()
        again = False
        while True:
            try:
                answer = ask(self.unit, *arguments)
            except BrokenPipeError:
                answer = None
            self.longest = max(self.longest, watch.stop().running)
            if answer and answer.ended and answer.status not in (429, 503):
                self.answers += 1
                return answer, again
            if not answer or not answer.ended:
                self.cut_off += 1
                again = True
            time.sleep(0.02)

    def sign_in(self, password=None):
        answer, _ = self.ask("POST", SIGN_IN, {
            "email": self.person.email,
            "password": password or self.person.password}, self.api_key)
        return answer

    def open(self):
        session = Session(contract.check_signed_in(self.sign_in()))
        assert session.sub == self.person.user_id
        return session

    def refresh(self, session):
        answer, _ = self.ask("POST", REFRESH, {"refreshToken":
                                               session.refresh})
        new = Session(contract.check_signed_in(answer))
        assert (new.sid, new.sub) == (session.sid, session.sub)
        return new

    # ---- what people do ----

    def come(self):
        self.held.append(self.open())

    def mistype(self):
        contract.check_refused(self.sign_in("wrong"), 401,
                               "INVALID_CREDENTIALS")

    def stay(self):
        self.kept = self.refresh(self.kept)

    def look(self):
        answer, _ = self.ask("GET", CHECK, None, self.kept.bearer)
        assert answer.status == 204, answer
        assert answer.header("X-Postern-Session-Id") == self.kept.sid

    def leave(self):
        """Once told that a session is over, nobody sees it alive again."""
        session = self.open()
        answer, again = self.ask("POST", SIGN_OUT, {}, session.bearer)
        assert answer.status == 204 or again and answer.status == 401, answer
        for _ in range(3):
            answer, _ = self.ask("GET", CHECK, None, session.bearer)
            contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
        answer, _ = self.ask("POST", REFRESH,
                             {"refreshToken": session.refresh})
        contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")

    def live(self, ended):
        self.kept = self.open()
        while not ended.is_set():
            self.choose.choice([self.come, self.mistype, self.stay, self.stay,
                                self.look, self.look, self.leave])()


class People(Crowd):
    """Clients side by side; whatever one of them finds wrong ends them all."""

    def __init__(self, clients):
        super().__init__([functools.partial(self._run, client)
                          for client in clients])
        self.clients = clients
        self.faults = []

    def _run(self, client):
        try:
            client.live(self.ended)
        except BaseException as fault:
            self.faults.append(fault)
            self.ended.set()

    def __exit__(self, *what):
        super().__exit__(*what)
        assert not self.faults, self.faults

    def sum(self, name):
        return sum(getattr(client, name) for client in self.clients)


def kill_at_random(unit, choose, seconds, ended):
    """One in four is the parent.  Returns how many of each."""
    parents = workers = 0
    end = clock.running() + seconds
    while clock.running() < end and not ended.wait(choose.uniform(0.1, 0.9)):
        alive = unit.workers()
        if alive and choose.random() < 0.75:
            os.kill(choose.choice(alive), signal.SIGKILL)
            workers += 1
        else:
            unit.kill()
            parents += 1
            unit.follow()
    return parents, workers


def check_kept(cluster, clients):
    """Every session that somebody was given is there, and its token works."""
    rows = {str(sid): ended for sid, ended in cluster.ask(
        "SELECT sid, ended_at FROM postern.sessions")}
    for client in clients:
        for session in [client.kept, *client.held]:
            assert rows.get(session.sid, "none") is None, session.sid
            client.refresh(session)


@contextlib.contextmanager
def with_standby(room, settings):
    family = Family(Pool(room / "pool", {**settings, "standby": "always"}),
                    settings["workers"])
    try:
        yield family
    finally:
        family.stop()


@pytest.mark.parametrize("start, seconds", [
    (Unit, LESS), (with_standby, MINUTE)], ids=["manager", "standby"])
@pytest.mark.timeout(400 + 5 * MINUTE)
def test_kills_at_random(room, settings, new_person, keys, cluster, start,
                         seconds):
    choose = random.Random(SEED)
    print(f"POSTERN_SEED={SEED} POSTERN_KILLS_SECONDS={seconds}")
    # Refresh tokens are replaced during the test, and those whose answer was
    # lost are honoured for as long as the service may be away, on a machine that
    # may stand still meanwhile.
    chosen = {**settings, "workers": WORKERS, "refresh_grace_seconds": BACK + 4}
    with start(room, chosen) as unit:
        clients = [Client(unit, new_person(), keys.publishable, SEED + i)
                   for i in range(6)]
        with People(clients) as people:
            killed = kill_at_random(unit, choose, seconds, people.ended)
            last = clock.running()
            process.wait_until("all workers", lambda: len(unit.workers()) ==
                               WORKERS, BACK)
            back = clock.running() - last
            before = people.sum("answers")
            process.wait_until("answers for all", lambda: people.sum(
                "answers") > before + 50, BACK)
            process.wait_until("answers enough", lambda: people.ended.is_set()
                               or people.sum("answers") > 20 * seconds,
                               2 * seconds)
        longest = max(client.longest for client in clients)
        print(f"{killed[0]} parents and {killed[1]} workers killed, "
              f"{people.sum('answers')} answers, {people.sum('cut_off')} cut "
              f"off, the longest wait {longest:.2f} s, all workers back "
              f"after {back:.2f} s")
        check_kept(cluster, clients)
        assert longest < 2 * BACK  # one wait can meet several deaths
        assert min(killed) > 0
        assert "refresh_token_reused" not in unit.log()
        assert '"level":"error"' not in unit.log()
        unit.stop()
