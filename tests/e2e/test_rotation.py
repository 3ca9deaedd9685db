"""Signing keys roll over while people sign in: at no moment is a good token refused,
neither by the service itself nor by somebody who knows no more than its published
keys, and keeps a copy of them for as long as allowed."""

import json
import random
import re
import threading
import time

import jwt
import pytest

from harness import clock, contract, process, web
from harness import lighttpd as web_server
from harness.postern import Ctl, write_settings
from harness.sessions import ask

JWKS = "/.well-known/jwks.json"
MAX_AGE = 1


class Verifier:
    """Another service: its keys are a copy, fetched again when that has become too
    old and at no other time, not even for a key that it does not know."""

    def __init__(self, port, settings):
        self.port = port
        self.settings = settings
        self.until = 0
        self.fetches = 0

    def keys(self):
        if time.monotonic() >= self.until:
            asked = time.monotonic()
            answer = web.fetch(self.port, "GET", JWKS)
            assert answer.status == 200, answer
            max_age = re.fullmatch(r"public, max-age=(\d+)",
                                   answer.header("Cache-Control"))
            self.until = asked + int(max_age.group(1))
            self.set = jwt.PyJWKSet.from_dict(answer.json())
            self.fetches += 1
        return {key.key_id: key for key in self.set.keys}

    def verify(self, token):
        kid = jwt.get_unverified_header(token)["kid"]
        keys = self.keys()
        assert kid in keys, "a token came before its key"
        return jwt.decode(token, keys[kid].key, algorithms=["ES256", "EdDSA"],
                          audience=self.settings["audience"],
                          issuer=self.settings["issuer"])


class Traffic:
    """People who sign in, and those who look at their tokens, old and new, until
    told to stop; what went wrong is kept."""

    def __init__(self, *loops):
        self.tokens = []
        self.stopped = threading.Event()
        self.wrong = []
        self.turns = 0
        self.threads = [threading.Thread(target=self.repeat, args=(loop,))
                        for loop in loops]

    def repeat(self, loop):
        while not self.stopped.is_set():
            try:
                loop(self)
                self.turns += 1
            except BaseException as problem:
                self.wrong.append(repr(problem))
                return
            time.sleep(0.002)

    def kids(self):
        return {jwt.get_unverified_header(token)["kid"]
                for token in self.tokens}

    def some(self):
        """The newest, and one of all."""
        if not self.tokens:
            return []
        return [self.tokens[-1], random.choice(self.tokens)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)


@pytest.fixture
def service(start_pool, start_lighttpd, settings, room, people):
    """A pool with keys of its own, behind a web server."""
    from types import SimpleNamespace
    own = {**settings, "key_dir": room / "keys",
           "jwks_max_age_seconds": MAX_AGE}
    ctl = Ctl(write_settings(room / "settings", own))
    first = ctl.json("key", "new")["kid"]
    pool = start_pool(key_dir=room / "keys", jwks_max_age_seconds=MAX_AGE,
                      workers=4)
    return SimpleNamespace(
        pool=pool, ctl=ctl, first=first, settings=own,
        server=start_lighttpd(web_server.to_socket(pool.address)))


def state_of(service, kid):
    [state] = [key["state"] for key in service.ctl.json("key", "list")["keys"]
               if key["kid"] == kid]
    return state


def signing_in(service, people, sign_in):
    def loop(traffic):
        answer = sign_in(service.pool, people.alice.email,
                         people.alice.password)
        traffic.tokens.append(
            contract.check_signed_in(answer)["accessToken"])
    return loop


def checking(service):
    def loop(traffic):
        for token in traffic.some():
            answer = ask(service.pool, "GET", "/v2/auth/check",
                         headers={"Authorization": f"Bearer {token}"})
            assert answer.status == 204, answer
    return loop


def verifying(service):
    verifier = Verifier(service.server.port, service.settings)

    def loop(traffic):
        for token in traffic.some():
            assert verifier.verify(token)["amr"] == ["pwd"]
    return verifier, loop


def test_no_token_fails_meanwhile(service, people, sign_in):
    verifier, verify = verifying(service)
    workers = service.pool.workers()
    kids = [service.first]
    with Traffic(signing_in(service, people, sign_in), checking(service),
                 checking(service), verify) as traffic:
        for algorithm in ("eddsa", "es256"):
            made = service.ctl.json("key", "new", "--algorithm", algorithm)
            kids.append(made["kid"])
            process.wait_until(
                "the new key signs", lambda kid=made["kid"]:
                traffic.wrong or kid in traffic.kids())
            service.ctl("key", "retire", kids[-2])
            time.sleep(MAX_AGE + 0.5)  # a copy without what was retired
        process.wait_until("enough of them", lambda: traffic.wrong or
                           traffic.turns > 100 and verifier.fetches >= 4)
    assert traffic.wrong == []
    assert traffic.kids() == set(kids)
    assert traffic.turns > 100 and verifier.fetches >= 4
    assert service.pool.workers() == workers
    assert [state_of(service, kid) for kid in kids] == ["retired", "retired",
                                                        "signing"]
    published = {key["kid"]: key["alg"] for key in
                 service.server.fetch("GET", JWKS).json()["keys"]}
    assert published == dict(zip(kids, ("ES256", "EdDSA", "ES256")))


def test_a_key_is_published_before_it_signs(service, people, sign_in):
    """By default twice as long as anybody may keep a copy."""
    earliest = time.monotonic()
    made = service.ctl.json("key", "new")
    latest = clock.running()
    published = service.server.fetch("GET", JWKS).json()["keys"]
    assert [key["kid"] for key in published] == [made["kid"], service.first]
    traffic = Traffic(signing_in(service, people, sign_in))
    with traffic:
        process.wait_until("the new key signs", lambda: traffic.wrong
                           or made["kid"] in traffic.kids())
    assert traffic.wrong == []
    assert time.monotonic() - earliest > 2 * MAX_AGE - 1
    assert clock.running() - latest < 2 * MAX_AGE + 2


def test_at_once_when_it_has_to_be(service, people, sign_in):
    """What one worker signs with the new key the others verify, though they have
    not looked yet; only copies of the keys come late, which is said."""
    with Traffic(signing_in(service, people, sign_in), checking(service),
                 checking(service)) as traffic:
        last, keys = service.first, 0
        while keys < 15 or len(traffic.kids()) <= 5 and keys < 60:
            keys += 1
            done = service.ctl.run("--json", "key", "new",
                                   "--sign-in-seconds", "0")
            assert b"jwks_max_age_seconds" in done.stderr
            kid = json.loads(done.stdout)["kid"]
            service.ctl("key", "retire", last)
            last = kid
            time.sleep(0.1)
        process.wait_until("the last key signs", lambda: traffic.wrong
                           or last in traffic.kids())
    assert traffic.wrong == []
    assert len(traffic.kids()) > 5


def test_a_stolen_key_is_good_for_nothing(service, people, sign_in):
    """What it signed is refused at once; nobody is signed out."""
    def check(token):
        return ask(service.pool, "GET", "/v2/auth/check",
                   headers={"Authorization": f"Bearer {token}"})

    before = contract.check_signed_in(
        sign_in(service.pool, people.alice.email, people.alice.password))
    assert check(before["accessToken"]).status == 204
    made = service.ctl.json("key", "new", "--sign-in-seconds", "0")
    service.ctl("key", "revoke", service.first)
    for _ in range(8):  # of any worker
        assert check(before["accessToken"]).status == 401
    published = service.server.fetch("GET", JWKS).json()["keys"]
    assert [key["kid"] for key in published] == [made["kid"]]
    after = contract.check_signed_in(
        ask(service.pool, "POST", "/v2/auth/refresh",
            {"refreshToken": before["refreshToken"]}))
    assert check(after["accessToken"]).status == 204
