"""POST /v2/auth/refresh: a new token for the current one, the current one again for
those who come at once, and an end for what was replaced long ago."""

import base64
import contextlib
import hashlib
import json
import random
import re
import shutil
import threading
import time
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from harness import clock, contract, fastcgi, process
from harness.sessions import ACCESS, OWN_PAGE, REFRESH, Session, ask

URI = "/v2/auth/refresh"

# Nobody exceeds it, however busy the machine is: tests make tokens older.
GRACE = 300
# So short that a test can wait for its end.
SHORT = 2


@pytest.fixture(scope="module")
def pool(start_pool_for_session, people, keys):
    return start_pool_for_session(refresh_grace_seconds=GRACE, workers=4)


@pytest.fixture
def person(new_person):
    return new_person()


@pytest.fixture
def session(pool, person, sign_in):
    return Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))


def refresh(pool, token, **options):
    return ask(pool, "POST", URI, {"refreshToken": token}, **options)


def refreshed(answer):
    return Session(contract.check_signed_in(answer))


def check_dead(pool, token):
    contract.check_refused(refresh(pool, token), 401, "INVALID_SESSION_TOKEN")


def let_age(cluster, session, seconds=GRACE + 1):
    """Make the current token so much older."""
    cluster.ask("UPDATE postern.sessions SET rotated_at = rotated_at - "
                "%s * interval '1 s' WHERE sid = %s", seconds, session.sid)


def row(cluster, session, columns):
    [found] = cluster.ask(f"SELECT {columns} FROM postern.sessions "
                          "WHERE sid = %s", session.sid)
    return found


def ended(cluster, session):
    """(has it ended, why)"""
    return row(cluster, session, "ended_at IS NOT NULL, ended_why")


# ---- rotation ----------------------------------------------------------------

def test_rotation(pool, cluster, session):
    let_age(cluster, session)
    before = time.time()
    answer = refresh(pool, session.refresh)
    new = refreshed(answer)
    assert new.refresh != session.refresh
    assert new.access != session.access
    for name in ("iss", "aud", "sub", "sid", "amr", "email"):
        assert new.claims[name] == session.claims[name], name
    assert new.claims["jti"] != session.claims["jti"]
    assert new.claims["exp"] >= before + 850

    found = contract.cookies(answer)
    assert found[ACCESS][0] == new.access
    assert found[REFRESH][0] == new.refresh
    assert found[REFRESH][1]["path"] == "/v2/auth"
    assert int(found[REFRESH][1]["max-age"]) == 14 * 86400

    digest, generation, rotated = row(
        cluster, session, "token_hash, generation, rotated_at")
    assert bytes(digest) == hashlib.sha256(new.refresh.encode()).digest()
    assert generation == 1
    assert rotated.timestamp() >= before


def test_a_chain_of_rotations(pool, cluster, session):
    seen = [session]
    for _ in range(5):
        let_age(cluster, session)
        seen.append(refreshed(refresh(pool, seen[-1].refresh)))
    assert len({one.refresh for one in seen}) == 6
    assert row(cluster, session, "generation, ended_at") == (5, None)


def test_log_line(pool, cluster, session):
    for outcome in ("current", "rotated"):
        answer = refresh(pool, session.refresh)
        event = pool.request_event(answer.header("X-Request-Id"))
        assert (event["status"], event["outcome"]) == (200, outcome)
        let_age(cluster, session)


def test_one_round_trip(pool, cluster, session):
    for _ in range(2):
        before = len(cluster.log())
        refreshed(refresh(pool, session.refresh))
        said = cluster.log()[before:]
        assert len(re.findall(r"LOG:  (?:execute|statement)", said)) == 1, said
        let_age(cluster, session)


def test_email_comes_from_the_database(pool, cluster, session):
    cluster.ask("UPDATE postern.users SET email = 'New.Name@example.test' "
                "WHERE user_id = %s", session.sub)
    assert refreshed(refresh(pool, session.refresh)).claims["email"] == \
        "New.Name@example.test"


def test_a_sessions_life_is_not_lengthened(pool, cluster, session):
    """30 days are 30 days, and the cookie says how many are left."""
    cluster.ask("UPDATE postern.sessions SET expires_at = now() + "
                "interval '100 s' WHERE sid = %s", session.sid)
    let_age(cluster, session)
    expires = row(cluster, session, "expires_at")
    answer = refresh(pool, session.refresh)
    new = refreshed(answer)
    assert row(cluster, session, "expires_at") == expires
    assert new.claims["exp"] <= expires[0].timestamp()
    found = contract.cookies(answer)
    assert 90 <= int(found[REFRESH][1]["max-age"]) <= 100
    assert 90 <= int(found[ACCESS][1]["max-age"]) <= 100


# ---- the grace ---------------------------------------------------------------

def test_a_young_token_is_not_rotated(pool, cluster, session):
    """Whoever asks again at once gets all of the answer, with the same token."""
    for _ in range(3):
        assert refreshed(refresh(pool, session.refresh)).refresh == \
            session.refresh
    assert row(cluster, session, "generation") == (0,)


def test_the_replaced_token_within_the_grace(pool, cluster, session):
    let_age(cluster, session)
    new = refreshed(refresh(pool, session.refresh))
    for _ in range(3):
        again = refreshed(refresh(pool, session.refresh))
        assert again.refresh == new.refresh
        assert again.access not in (new.access, session.access)
    assert row(cluster, session, "generation, ended_at") == (1, None)


def test_a_late_tab_among_busy_ones(pool, cluster, session):
    """One tab refreshes, another uses the new token at once and refreshes again;
    a third comes with the first token, still within the grace."""
    let_age(cluster, session)
    new = refreshed(refresh(pool, session.refresh))
    for _ in range(10):
        assert refreshed(refresh(pool, new.refresh)).refresh == new.refresh
    assert refreshed(refresh(pool, session.refresh)).refresh == new.refresh


def test_the_replaced_token_after_the_grace(pool, cluster, session, person):
    let_age(cluster, session)
    new = refreshed(refresh(pool, session.refresh))
    let_age(cluster, session)
    before = len(pool.events("refresh_token_reused"))
    answer = refresh(pool, session.refresh)
    contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
    assert ended(cluster, session) == (True, 2)
    check_dead(pool, new.refresh)
    check_dead(pool, session.refresh)

    event = pool.request_event(answer.header("X-Request-Id"))
    assert event["outcome"] == "reused"
    [event] = pool.events("refresh_token_reused")[before:]
    assert event["level"] == "warning"
    assert (event["user"], event["session"], event["generation"],
            event["address"]) == (session.sub, session.sid, 0, "192.0.2.7")
    assert cluster.ask(
        "SELECT kind, sid::text, address FROM postern.audit_events "
        "WHERE user_id = %s AND kind = 3", person.user_id) == [
            (3, session.sid, "192.0.2.7")]


def test_an_ancestor(pool, cluster, session):
    """Older than the parent: at any age of the current token."""
    oldest = session
    for _ in range(3):
        let_age(cluster, session)
        new = refreshed(refresh(pool, session.refresh))
        session, parent = new, session
    assert refreshed(refresh(pool, parent.refresh)).refresh == new.refresh
    check_dead(pool, oldest.refresh)
    assert ended(cluster, session) == (True, 2)
    check_dead(pool, new.refresh)


def test_reuse_ends_one_session_only(pool, cluster, session, person, sign_in):
    other = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    let_age(cluster, session)
    refreshed(refresh(pool, session.refresh))
    let_age(cluster, session)
    check_dead(pool, session.refresh)
    refreshed(refresh(pool, other.refresh))


def test_without_a_grace(start_pool, cluster, person, sign_in):
    """Each refresh rotates, and the parent is old at once."""
    pool = start_pool(refresh_grace_seconds=0)
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    new = refreshed(refresh(pool, session.refresh))
    assert new.refresh != session.refresh
    newer = refreshed(refresh(pool, new.refresh))
    check_dead(pool, new.refresh)
    check_dead(pool, newer.refresh)
    assert ended(cluster, session) == (True, 2)


def test_a_database_that_lost_the_last_rotation(pool, cluster, session):
    """A standby takes over that had not heard of it: the token is genuine, and
    newer than all that the database knows."""
    let_age(cluster, session)
    saved = row(cluster, session, "token_hash, generation, rotated_at")
    new = refreshed(refresh(pool, session.refresh))
    cluster.ask("UPDATE postern.sessions SET token_hash = %s, generation = %s, "
                "rotated_at = %s WHERE sid = %s", *saved, session.sid)
    newer = refreshed(refresh(pool, new.refresh))
    assert newer.refresh not in (session.refresh, new.refresh)
    assert row(cluster, session, "generation, ended_at") == (2, None)
    let_age(cluster, session)
    check_dead(pool, new.refresh)


# ---- refusals ----------------------------------------------------------------

@contextlib.contextmanager
def no_statement(cluster):
    """Nothing from any pool reaches the database meanwhile; it logs all."""
    start = len(cluster.log())
    yield
    said = cluster.log()[start:]
    assert "postern_service" not in said, said


def test_each_bit_flipped(pool, cluster, session):
    """A forgery is refused, and costs the database nothing."""
    token = session.refresh.encode()
    forgeries = []
    for at in range(len(token)):
        for bit in range(8):
            changed = bytearray(token)
            changed[at] ^= 1 << bit
            forgeries.append(bytes(changed).decode("latin-1"))
    with no_statement(cluster):
        for forgery in forgeries:
            answer = refresh(pool, forgery)
            contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
    refreshed(refresh(pool, session.refresh))


def test_other_forgeries(pool, cluster, session, start_pool, person, sign_in,
                         settings, room, ctl):
    head, proof = session.refresh.split(".")
    with no_statement(cluster):
        for forgery in ("", "x", ".", head, f"{head}.", f".{proof}",
                        f"{proof}.{head}", session.refresh + "\0",
                        session.refresh + "\0x", session.refresh + "A",
                        session.refresh[:-1], " " + session.refresh,
                        session.refresh + "=", session.access, "A" * 95,
                        "\u00e4" * 50, "A" * 10000):
            contract.check_refused(refresh(pool, forgery), 401,
                                   "INVALID_SESSION_TOKEN")
    assert ended(cluster, session) == (False, None)


def test_a_token_made_of_two(pool, cluster, session, person, sign_in):
    """One session's name with the other's proof, though both are genuine."""
    other = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    mixed = session.refresh.split(".")[0] + "." + other.refresh.split(".")[1]
    with no_statement(cluster):
        contract.check_refused(refresh(pool, mixed), 401,
                               "INVALID_SESSION_TOKEN")


def test_a_token_of_another_service(pool, start_pool, cluster, room, settings,
                                    person, sign_in):
    """Same database, same names, but another master secret."""
    from harness.postern import Ctl, write_settings
    ctl = Ctl(write_settings(room / "settings", {
        **settings, "key_dir": room / "keys"}))
    ctl("key", "new")
    elsewhere = start_pool(key_dir=room / "keys")
    session = Session(contract.check_signed_in(
        sign_in(elsewhere, person.email, person.password)))
    refreshed(refresh(elsewhere, session.refresh))
    with no_statement(cluster):
        contract.check_refused(refresh(pool, session.refresh), 401,
                               "INVALID_SESSION_TOKEN")


def test_a_session_that_is_somebody_elses(pool, cluster, session, people):
    """A token names person and session.  Where the database knows this session of
    another person only, there is none."""
    cluster.ask("UPDATE postern.sessions SET user_id = %s WHERE sid = %s",
                people.bob.user_id, session.sid)
    let_age(cluster, session)
    before = row(cluster, session, "token_hash, generation, rotated_at, "
                 "ended_at")
    check_dead(pool, session.refresh)
    assert row(cluster, session, "token_hash, generation, rotated_at, "
               "ended_at") == before


@pytest.mark.parametrize("change, code", [
    ("expires_at = now()", "SESSION_EXPIRED"),
    ("rotated_at = now() - interval '14 days'", "SESSION_EXPIRED"),
    ("ended_at = now(), ended_why = 1", "INVALID_SESSION_TOKEN"),
    ("ended_at = now() + interval '1 day', ended_why = 3",
     "INVALID_SESSION_TOKEN"),
    ("sid = gen_random_uuid()", "INVALID_SESSION_TOKEN"),
])
def test_sessions_that_are_over(pool, cluster, session, change, code):
    cluster.ask(f"UPDATE postern.sessions SET {change} WHERE sid = %s",
                session.sid)
    for _ in range(2):
        contract.check_refused(refresh(pool, session.refresh), 401, code)
    assert cluster.ask("SELECT generation, coalesce(ended_why, 0) <> 2 FROM "
                       "postern.sessions WHERE user_id = %s", session.sub) == [
                           (0, True)]


def test_an_old_token_of_an_expired_session_is_expired(pool, cluster, session):
    let_age(cluster, session)
    refreshed(refresh(pool, session.refresh))
    cluster.ask("UPDATE postern.sessions SET expires_at = now() "
                "WHERE sid = %s", session.sid)
    let_age(cluster, session)
    contract.check_refused(refresh(pool, session.refresh), 401,
                           "SESSION_EXPIRED")
    assert ended(cluster, session) == (False, None)


@pytest.mark.parametrize("status, code", [
    (0, None), (4, "INVALID_SESSION_TOKEN"), (5, "FORBIDDEN"), (1, "INVALID_SESSION_TOKEN"),
    (2, "INVALID_SESSION_TOKEN"), (3, "INVALID_SESSION_TOKEN"),
])
def test_status_of_the_account(pool, cluster, session, status, code):
    let_age(cluster, session)
    cluster.ask("UPDATE postern.users SET status = %s WHERE user_id = %s",
                status, session.sub)
    answer = refresh(pool, session.refresh)
    if code is None:
        refreshed(answer)
    else:
        contract.check_refused(answer, 401, code)
    assert row(cluster, session, "generation") == (1 if code is None else 0,)


def test_operators_changes_count_at_once(pool, ctl, person, sign_in):
    for command in (("user", "set-status", person.email, "disabled"),
                    ("session", "revoke", "--user", person.email)):
        ctl("user", "set-status", person.email, "confirmed")
        session = Session(contract.check_signed_in(
            sign_in(pool, person.email, person.password)))
        ctl(*command)
        check_dead(pool, session.refresh)
    ctl("user", "set-status", person.email, "confirmed")
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    ctl("user", "delete", person.email, "--yes")
    check_dead(pool, session.refresh)


@pytest.mark.parametrize("body, status, code", [
    (None, 401, "UNAUTHORISED"),
    ({}, 401, "UNAUTHORISED"),
    ({"refreshToken": None}, 401, "UNAUTHORISED"),
    ({"refreshToken": 1}, 400, "BODY_VALIDATION_FAILED"),
    ({"refreshToken": ["x"]}, 400, "BODY_VALIDATION_FAILED"),
    ([], 400, "BODY_VALIDATION_FAILED"),
    ("x", 400, "BODY_VALIDATION_FAILED"),
    (b"{", 400, "INVALID_OR_MALFORMED_JSON"),
    (b'{"refreshToken":"a","refreshToken":"b"}', 400,
     "INVALID_OR_MALFORMED_JSON"),
])
def test_bodies(pool, body, status, code):
    contract.check_refused(ask(pool, "POST", URI, body), status, code)


@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_can_send(pool, cluster, session, kind):
    """A page of anybody's can post these without asking the browser first."""
    body = json.dumps({"refreshToken": session.refresh}).encode()
    contract.check_refused(ask(pool, "POST", URI, body, {"Content-Type": kind}),
                           400, "INVALID_INPUT")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(pool, method):
    answer = ask(pool, method, URI)
    contract.check_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.header("Allow") == "POST"


def test_a_key_may_come_along(pool, session, keys):
    """It is not looked at, whosever it is: the token says all that counts."""
    for key in (keys.publishable, keys.secret, keys.revoked):
        refreshed(refresh(pool, session.refresh, headers={"x-api-key": key}))


@pytest.fixture
def keyless(start_pool, room, settings):
    """A pool; and to take its signing keys away, and give them back, at once."""
    shutil.copytree(settings["key_dir"], room / "keys")
    listed = room / "keys/keys.json"
    kept = listed.read_text()

    def change(text):
        # In one moment: what is read half-written is read again a second later.
        new = room / "keys/new"
        new.write_text(text)
        shutil.copymode(listed, new)
        new.replace(listed)

    return SimpleNamespace(pool=start_pool(key_dir=room / "keys"),
                           take=lambda: change('{"keys":[]}'),
                           give=lambda: change(kept))


def test_no_key_signs(keyless, cluster, person, sign_in):
    """What could not be handed out takes nobody's token away."""
    pool = keyless.pool
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    let_age(cluster, session)
    before = row(cluster, session, "token_hash, generation, rotated_at")
    keyless.take()
    with no_statement(cluster):
        contract.check_refused(refresh(pool, session.refresh), 500,
                               "CONFIGURATION_ERROR")
    assert row(cluster, session,
               "token_hash, generation, rotated_at") == before
    keyless.give()
    assert refreshed(refresh(pool, session.refresh)).refresh != session.refresh
    assert row(cluster, session, "generation") == (1,)


def test_an_operator_is_told_that_no_key_signs(keyless, cluster, person,
                                               sign_in, ctl):
    """By each who would be handed tokens: it is a setting that is at fault."""
    pool = keyless.pool
    session = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    key = ctl("api-key", "create", "--scope", "secret", "--user", person.email)
    keyless.take()
    for ask_for_tokens in (
            lambda: sign_in(pool, person.email, person.password),
            lambda: refresh(pool, session.refresh),
            lambda: ask(pool, "GET", "/v2/auth/session",
                        headers={"x-api-key": key}),
            lambda: ask(pool, "PUT", "/v2/auth/session",
                        {"refreshToken": session.refresh},
                        {"x-api-key": key})):
        before = len(pool.log())
        contract.check_refused(ask_for_tokens(), 500, "CONFIGURATION_ERROR")
        assert re.search("no key signs now; posternctl key new makes one",
                         pool.log()[before:])
    # Who is refused anyway hears nothing of that.
    contract.check_refused(sign_in(pool, person.email, "wrong"), 401,
                           "INVALID_CREDENTIALS")
    check_dead(pool, "a.b")
    [(sessions,)] = cluster.ask("SELECT count(*) FROM postern.sessions WHERE "
                                "user_id = %s", person.user_id)
    assert sessions == 1


# ---- the cookie --------------------------------------------------------------

def by_cookie(pool, token, headers=(), body=None, name=REFRESH, **options):
    return ask(pool, "POST", URI, body, {"Cookie": f"{name}={token}",
                                         **dict(headers)}, **options)


@pytest.mark.parametrize("headers", [
    OWN_PAGE,
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost", "Host": "localhost"},
    {"Origin": "https://login.test", "Host": "login.test"},
    {"Origin": "http://localhost", "Host": "localhost", **OWN_PAGE},
])
def test_by_cookie(pool, cluster, session, headers):
    let_age(cluster, session)
    new = refreshed(by_cookie(pool, session.refresh, headers))
    assert new.refresh != session.refresh


@pytest.mark.parametrize("headers", [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.test", "Host": "login.test"},
    {"Origin": "null", "Host": "login.test"},
    {"Origin": "https://login.test.evil.test", "Host": "login.test"},
    {"Origin": "https://login.test", "Sec-Fetch-Site": "cross-site",
     "Host": "login.test"},
    {"Referer": "https://login.test/", "Host": "login.test"},
])
def test_by_cookie_of_another_page(pool, cluster, session, headers):
    let_age(cluster, session)
    with no_statement(cluster):
        contract.check_refused(by_cookie(pool, session.refresh, headers), 403,
                               "FORBIDDEN")


def test_the_cookies_of_https(pool, session):
    name = f"__Secure-{REFRESH}"
    refreshed(by_cookie(pool, session.refresh, OWN_PAGE, name=name,
                        https=True))
    contract.check_refused(by_cookie(pool, session.refresh, OWN_PAGE,
                                     https=True), 401, "UNAUTHORISED")


def test_two_cookies(pool, session, person, sign_in):
    other = Session(contract.check_signed_in(
        sign_in(pool, person.email, person.password)))
    contract.check_refused(by_cookie(
        pool, f"{session.refresh}; {REFRESH}={other.refresh}", OWN_PAGE), 401,
        "INVALID_SESSION_TOKEN")


def test_a_cookie_beside_the_body(pool, cluster, session, person, people,
                                  sign_in):
    """The body's token counts; the cookie's must not be another session's, nor
    somebody else's.  One that is no token at all may be left over from anything."""
    others = [Session(contract.check_signed_in(
        sign_in(pool, one.email, one.password)))
        for one in (person, people.bob)]
    let_age(cluster, session)
    new = refreshed(refresh(pool, session.refresh))
    body = {"refreshToken": new.refresh}
    for beside in (new.refresh, session.refresh, "rubbish", ""):
        refreshed(by_cookie(pool, beside, body=body))
    with no_statement(cluster):
        for other in others:
            contract.check_refused(
                by_cookie(pool, other.refresh, OWN_PAGE, body), 401,
                "UNAUTHORISED")


def test_a_body_without_a_token_leaves_it_to_the_cookie(pool, session):
    refreshed(by_cookie(pool, session.refresh, OWN_PAGE, {}))


# ---- any interleaving --------------------------------------------------------

def send_and_hang_up(pool, token):
    body = json.dumps({"refreshToken": token}).encode()
    with fastcgi.Connection(pool.address) as connection:
        connection.begin()
        connection.params(fastcgi.request_params(
            "POST", URI, body, {"Content-Type": "application/json"}))
        connection.stdin(body)
        # A moment, so that it is sometimes answered and sometimes not begun.
        time.sleep(random.choice((0, 0.002, 0.02)))


def at_once(count, act):
    """Run act(i) in `count` threads that start together; their results."""
    barrier = threading.Barrier(count)
    results = [None] * count

    def run(i):
        barrier.wait()
        try:
            results[i] = act(i)
        except BaseException as problem:  # shown by the assertion below
            results[i] = problem

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@pytest.mark.parametrize("count", [2, 3, 8, 32])
def test_all_at_once(pool, cluster, session, count):
    """Many hold one token and show it at the same time: all get the same next
    one, whoever was first."""
    random.seed(count)

    def act(i):
        if i % 3 == 0:
            send_and_hang_up(pool, session.refresh)
        return refreshed(refresh(pool, session.refresh))

    for generation in range(1, 6):
        let_age(cluster, session)
        before = session.refresh
        tokens = {one.refresh for one in at_once(count, act)}
        assert len(tokens) == 1
        assert row(cluster, session, "generation, ended_at") == (generation,
                                                                 None)
        session = refreshed(refresh(pool, before))
        assert {session.refresh} == tokens


def generation_of(token):
    """How many there were of this session's before."""
    head = base64.urlsafe_b64decode(token.split(".")[0] + "=")
    return int.from_bytes(head[34:38], "big")


class Shown(NamedTuple):
    """A token that was shown; times are seconds since 1970, as the service's."""
    generation: int
    sent: float
    answered: float
    status: int


class Browser:
    """Tabs that share one jar, on a network that loses answers: those of odd number
    ask soon, the others as late as they may."""

    def __init__(self, pool, cluster, session):
        self.pool = pool
        self.cluster = cluster
        self.session = session
        self.lock = threading.Lock()
        self.tokens = {}  # generation: token
        self.began = {}   # generation: when it became the current one
        self.shown = []
        self.put(session.refresh)

    def put(self, token):
        """Set-Cookie takes the place of whatever stands there, also when the answer
        was under way for longer than a newer one."""
        number = generation_of(token)
        with self.lock:
            self.jar = token
            if number not in self.tokens:
                self.tokens[number] = token
                current, since = row(self.cluster, self.session,
                                     "generation, rotated_at")
                self.began[current] = since.timestamp()

    def over(self, number):
        """When the grace of this generation ends; None: it has not been replaced, as
        far as anybody heard."""
        began = self.began.get(number + 1)
        return began and began + SHORT

    def note(self, token, sent, answered, status=None):
        with self.lock:
            self.shown.append(Shown(generation_of(token), sent, answered, status))

    def show(self, token):
        sent = time.time()
        answer = refresh(self.pool, token)
        self.note(token, sent, time.time(), answer.status)
        self.put(refreshed(answer).refresh)

    def lose(self, token):
        sent = time.time()
        send_and_hang_up(self.pool, token)
        # It may be served after we are gone.
        self.note(token, sent, time.time() + SHORT / 4)

    def soon(self, chance):
        """Read the jar; wait; ask; perhaps hear the answer: the third one surely."""
        for may_be_lost in (True, True, False):
            token = self.jar
            time.sleep(chance.uniform(0, SHORT / 4))
            if not may_be_lost or chance.random() >= 0.25:
                self.show(token)
                return
            self.lose(token)

    def late(self, chance, until):
        """Read the jar, and ask when the grace of what was there is all but over.
        Who sleeps for even longer has to look into the jar again."""
        token = self.jar
        before = chance.uniform(SHORT / 40, SHORT / 4)
        while time.time() < until:
            over = self.over(generation_of(token))
            if over and time.time() > over - before:
                if time.time() < over - SHORT / 80:
                    self.show(token)
                return
            time.sleep(0.02)

    def tab(self, number, until):
        chance = random.Random(number)
        while time.time() < until:
            if number % 2:
                self.soon(chance)
            else:
                self.late(chance, until)

    def in_grace(self):
        """Those that were shown in the grace's last third, and answered."""
        return [one for one in self.shown
                if one.status == 200 and self.over(one.generation)
                and one.sent > self.over(one.generation) - SHORT / 3
                and one.answered < self.over(one.generation)]

    def is_spoilt(self, lost):
        """Did the machine make somebody come too late, or us overlook when?"""
        return len(self.began) != max(self.began) + 1 or any(
            self.over(one.generation)
            and one.answered + lost >= self.over(one.generation)
            for one in self.shown)


@pytest.fixture(scope="module")
def quick(start_pool_for_session, people, keys):
    return start_pool_for_session(refresh_grace_seconds=SHORT, workers=4)


def browse(pool, cluster, session, count):
    """Tabs for several times the grace; what went wrong when somebody came after
    the grace, went wrong for that."""
    browser = Browser(pool, cluster, session)
    watch = clock.Watch()
    until = time.time() + 4 * SHORT
    try:
        at_once(count, lambda i: browser.tab(i, until))
        generation, ended_at = row(cluster, session, "generation, ended_at")
        assert ended_at is None
        assert sorted(browser.tokens) == list(range(generation + 1))
        # One rotation each time the grace was over, and no more.
        assert 1 <= generation <= watch.stop().real / SHORT + 2
        times = sorted(browser.began.values())
        assert all(b - a >= SHORT for a, b in zip(times, times[1:]))
    except AssertionError:
        if not browser.is_spoilt(watch.stop().lost):
            raise
        return None
    return browser if browser.in_grace() else None


@pytest.mark.parametrize("count", [2, 7, 32])
def test_tabs_of_one_browser(quick, cluster, person, sign_in, count):
    """For several times the grace, tabs refresh whenever they like, with answers
    lost and requests delayed, many of them until the grace is all but over: nobody
    is signed out.  Then each token that was replaced for longer than the grace ends
    the session."""
    pool = quick
    for _ in range(5):
        session = Session(contract.check_signed_in(
            sign_in(pool, person.email, person.password)))
        browser = browse(pool, cluster, session, count)
        if browser:
            break
    assert browser, "the machine stood still, again and again"

    time.sleep(SHORT + 0.1)
    refreshed(refresh(pool, browser.jar))
    old = [token for token in browser.tokens.values() if token != browser.jar]
    check_dead(pool, random.Random(count).choice(old))
    assert ended(cluster, session) == (True, 2)
    check_dead(pool, browser.jar)


def come_around_the_end(pool, token, over, i):
    """Show it shortly before the grace is over, or shortly after; before, some do
    not stay for the answer."""
    chance = random.Random(i)
    before = i % 2 == 0
    wait = chance.uniform(SHORT / 80, SHORT / 8)
    time.sleep(max(0, over + (-wait if before else wait) - time.time()))
    if before and i % 3 == 0:
        send_and_hang_up(pool, token)
    sent = time.time()
    answer = refresh(pool, token)
    return Shown(0, sent, time.time(), answer.status), answer


@pytest.mark.parametrize("count", [2, 8, 32])
def test_around_the_end_of_the_grace(quick, cluster, person, sign_in, count):
    """Many hold the token before the current one, and come at once when its grace
    ends: who is in time is served, who comes after ends the session."""
    def attempt():
        session = Session(contract.check_signed_in(
            sign_in(quick, person.email, person.password)))
        let_age(cluster, session, SHORT + 1)
        new = refreshed(refresh(quick, session.refresh))
        over = row(cluster, session, "rotated_at")[0].timestamp() + SHORT
        came = at_once(count, lambda i: come_around_the_end(
            quick, session.refresh, over, i))
        in_time = [answer for one, answer in came if one.answered < over]
        after = [answer for one, answer in came if one.sent > over]
        for answer in in_time:
            assert refreshed(answer).refresh == new.refresh
        for answer in after:
            contract.check_refused(answer, 401, "INVALID_SESSION_TOKEN")
        if after:
            ended_at, why = row(cluster, session, "ended_at, ended_why")
            assert (ended_at.timestamp() >= over, why) == (True, 2)
            check_dead(quick, new.refresh)
        return in_time and after

    assert any(attempt() for _ in range(5)), \
        "the machine stood still, again and again"


@pytest.mark.parametrize("count", [2, 8, 32])
def test_an_old_token_among_honest_ones(pool, cluster, session, count):
    """A thief comes in the very moment of the rotation, with the token before:
    whoever wins, afterwards the session has ended."""
    old = session.refresh
    let_age(cluster, session)
    session = refreshed(refresh(pool, old))
    let_age(cluster, session)
    statuses = at_once(count, lambda i: refresh(
        pool, old if i == 0 else session.refresh).status)
    assert statuses[0] == 401
    assert set(statuses[1:]) <= {200, 401}
    assert ended(cluster, session) == (True, 2)
    check_dead(pool, session.refresh)
