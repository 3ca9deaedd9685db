"""A session is opened while somebody changes what it rests on: the account, its
password, the API key.  Whoever comes first, none is left.

Rows that a test holds decide who comes first.  posternctl reaches a session only
when it has changed account or key; a sign-in reaches the account only when it has
looked at password or key.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import key_id
from harness import contract
from harness.sessions import Session, ask

REFRESH_URI = "/v2/auth/refresh"


class Scene:
    """One person, the ways in, and what is done to the account."""

    def __init__(self, pool, cluster, ctl, person, sign_in):
        self.pool, self.cluster, self.ctl = pool, cluster, ctl
        self.person, self.sign_in = person, sign_in
        self.key = ctl("api-key", "create", "--scope", "secret", "--user",
                       person.email)

    def by_password(self):
        return self.sign_in(self.pool, self.person.email, self.person.password)

    def by_key(self):
        return ask(self.pool, "GET", "/v2/auth/session",
                   headers={"x-api-key": self.key})

    def revoke(self):
        self.ctl("api-key", "revoke", key_id(self.key))

    def set_password(self):
        self.ctl("user", "set-password", self.person.email,
                 stdin=b"quite another password\n")

    def set_status(self, status):
        self.ctl("user", "set-status", self.person.email, status)

    def delete(self):
        self.ctl("user", "delete", self.person.email, "--yes")

    @contextlib.contextmanager
    def held(self, table):
        """The person's rows of a table are somebody's until the end."""
        connection = self.cluster.connect()
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT FROM postern.{table} WHERE user_id = %s"
                               " FOR UPDATE", [self.person.user_id])
                assert cursor.rowcount >= 1
            yield
        finally:
            connection.close()

    def meet(self, table, first, second):
        """`first` waits for rows of a table, `second` for `first`; what came of
        both."""
        with ThreadPoolExecutor() as threads:
            with self.held(table):
                one = threads.submit(first)
                self.cluster.wait_for_waiters(1)
                other = threads.submit(second)
                self.cluster.wait_for_waiters(2)
            return one.result(), other.result()

    def sessions(self):
        """How many are left that have not ended."""
        [(count,)] = self.cluster.ask(
            "SELECT count(*) FROM postern.sessions WHERE user_id = %s AND "
            "ended_at IS NULL", self.person.user_id)
        return count

    def check_over(self, answer):
        """It gave a session, which is over."""
        session = Session(contract.check_signed_in(answer))
        contract.check_refused(
            ask(self.pool, "POST", REFRESH_URI,
                {"refreshToken": session.refresh}), 401,
            "INVALID_SESSION_TOKEN")


@pytest.fixture(scope="module")
def pool(start_pool_for_session):
    return start_pool_for_session(db_timeout_ms=20000)


@pytest.fixture
def scene(pool, cluster, ctl, new_person, sign_in):
    return Scene(pool, cluster, ctl, new_person(), sign_in)


CHANGES = {
    "password": Scene.set_password,
    "reset": lambda scene: scene.set_status("reset-required"),
    "disabled": lambda scene: scene.set_status("disabled"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change_before_a_sign_in(scene, name):
    """The password was right when it was looked at, and is not when the session
    would be written."""
    contract.check_signed_in(scene.by_password())
    _, answer = scene.meet("sessions", lambda: CHANGES[name](scene),
                           scene.by_password)
    contract.check_refused(answer, 401, "INVALID_CREDENTIALS")
    assert scene.sessions() == 0


@pytest.mark.parametrize("name", CHANGES)
def test_sign_in_before_a_change(scene, name):
    answer, _ = scene.meet("users", scene.by_password,
                           lambda: CHANGES[name](scene))
    scene.check_over(answer)
    assert scene.sessions() == 0


# Between the two statements of one operator comes another.
RIVAL = """
CREATE FUNCTION rival() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE postern.logins SET pw_hash = 'rival' WHERE login_key = NEW.login_key;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rival AFTER UPDATE ON postern.logins
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.pw_hash <> NEW.pw_hash AND 'rival' NOT IN (OLD.pw_hash, NEW.pw_hash))
  EXECUTE FUNCTION rival()
"""


def test_two_operators_and_one_password(scene):
    """The later one's stays."""
    with contextlib.closing(scene.cluster.connect()) as connection:
        connection.cursor().execute(RIVAL)
        scene.set_password()
        connection.cursor().execute(
            "DROP TRIGGER rival ON postern.logins; DROP FUNCTION rival()")
    assert scene.cluster.ask(
        "SELECT pw_hash FROM postern.logins WHERE user_id = %s",
        scene.person.user_id) == [("rival",)]


# What is done to a key or its owner, and what is said of it then.
ENDS_OF_A_KEY = {
    "revoked": (Scene.revoke, "UNAUTHORISED"),
    "reset": (CHANGES["reset"], "PASSWORD_RESET_REQUIRED"),
    "disabled": (CHANGES["disabled"], "FORBIDDEN"),
}


@pytest.mark.parametrize("name", ENDS_OF_A_KEY)
def test_end_of_a_key_before_its_session(scene, name):
    end, code = ENDS_OF_A_KEY[name]
    # (Its use is noted, too: from now on not for an hour.)
    contract.check_signed_in(scene.by_key())
    _, answer = scene.meet("sessions", lambda: end(scene), scene.by_key)
    contract.check_refused(answer, 401, code)
    assert scene.sessions() == 0


@pytest.mark.parametrize("name", ENDS_OF_A_KEY)
def test_session_before_the_end_of_its_key(scene, name):
    end, _ = ENDS_OF_A_KEY[name]
    answer, _ = scene.meet("users", scene.by_key, lambda: end(scene))
    scene.check_over(answer)
    assert scene.sessions() == 0


# ---- an account that is deleted ----------------------------------------------

@pytest.mark.parametrize("way", [Scene.by_password, Scene.by_key])
def test_session_before_the_end_of_its_account(scene, way):
    """Nothing of the person is left, and what came of it is of no use."""
    answer, _ = scene.meet("users", lambda: way(scene), scene.delete)
    scene.check_over(answer)
    for table in ("logins", "users", "sessions", "api_keys"):
        assert scene.cluster.ask(f"SELECT count(*) FROM postern.{table} WHERE"
                                 " user_id = %s",
                                 scene.person.user_id) == [(0,)]


@pytest.mark.parametrize("way, code", [
    (Scene.by_password, "INVALID_CREDENTIALS"),
    (Scene.by_key, "UNAUTHORISED")])
def test_end_of_an_account_before_its_session(scene, way, code):
    """(posternctl removes the rows of the table users last.)"""
    _, answer = scene.meet("users", scene.delete, lambda: way(scene))
    contract.check_refused(answer, 401, code)
    assert scene.sessions() == 0
