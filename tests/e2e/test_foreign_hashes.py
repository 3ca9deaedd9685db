"""People whose password another system hashed: they sign in as ever, and from
then on their hash is ours."""

import re

import pytest

from harness import contract, tree

ENTRY = re.compile(r'\{ ("[^"]*"), ("[^"]*"),\s+("(?:\\.|[^"\\])*"),'
                   r'\s+("[^"]*") \}')


def c_string(text):
    return re.sub(rb"\\(\d{3})", lambda found: bytes([int(found[1], 8)]),
                  text[1:-1].encode()).decode()


VECTORS = [tuple(map(c_string, found.groups())) for found in ENTRY.finditer(
    (tree.TOP / "tests/unit/foreign_vectors.h").read_text())]
NAMES = [f"{form}-{made_by}" for form, made_by, _, _ in VECTORS]


@pytest.fixture
def move_in(new_person, cluster):
    """Somebody who came with a hash."""
    def move(password, verifier):
        person = new_person(password=False)
        person.password = password
        cluster.ask("UPDATE postern.logins SET pw_hash = %s,"
                    " pw_changed_at = now() WHERE login_key = %s",
                    verifier, person.email)
        return person
    return move


def stored(cluster, person):
    [(verifier,)] = cluster.ask(
        "SELECT pw_hash FROM postern.logins WHERE login_key = %s",
        person.email)
    return verifier


def test_there_is_something_to_try():
    assert len(VECTORS) > 20
    assert {form for form, _, _, _ in VECTORS} >= {
        "bcrypt", "sha256-crypt", "sha512-crypt", "yescrypt", "argon2id",
        "argon2i", "scrypt", "pbkdf2-sha256", "pbkdf2-sha512",
        "better-auth scrypt", "Firebase scrypt"}


@pytest.mark.parametrize("form, made_by, password, verifier", VECTORS,
                         ids=NAMES)
def test_first_sign_in_makes_the_hash_ours(
        pool, sign_in, cluster, ctl, move_in, form, made_by, password,
        verifier):
    person = move_in(password, verifier)
    shown = ctl.json("user", "show", person.email)["passwordHash"]
    assert shown == f"{form} of another system, until the next sign-in"

    contract.check_refused(sign_in(pool, person.email, "x" + password), 401,
                           "INVALID_CREDENTIALS")
    assert stored(cluster, person) == verifier

    contract.check_signed_in(sign_in(pool, person.email, password))
    ours = stored(cluster, person)
    assert ours.startswith("$s1$0a0801$")
    assert ctl.json("user", "show", person.email)["passwordHash"] == \
        "scrypt N=2^10 r=8 p=1"

    # From now on ours decides, and stays.
    assert sign_in(pool, person.email, password).status == 200
    assert sign_in(pool, person.email, "x" + password).status == 401
    assert stored(cluster, person) == ours


def test_too_large_for_the_setting(start_pool, sign_in, move_in, cluster):
    """Memory for a hash of another system is in the sum announced at the start,
    and no more is taken."""
    [(password, verifier)] = [
        (password, verifier) for _, _, password, verifier in VECTORS
        if "$m=4096,t=3,p=4$" in verifier]
    person = move_in(password, verifier)
    small = start_pool(hash_other_mib=3)
    contract.check_refused(sign_in(small, person.email, password), 401,
                           "INVALID_CREDENTIALS")
    assert stored(cluster, person) == verifier
    assert sign_in(start_pool(hash_other_mib=4), person.email,
                   password).status == 200


def test_only_the_right_status_gets_in(pool, sign_in, cluster, move_in):
    _, _, password, verifier = VECTORS[0]
    person = move_in(password, verifier)
    cluster.ask("UPDATE postern.logins SET status = 5 WHERE login_key = %s",
                person.email)
    contract.check_refused(sign_in(pool, person.email, password), 401,
                           "FORBIDDEN")
    assert stored(cluster, person) == verifier


@pytest.mark.parametrize("verifier", [
    "$2b$31$abcdefghijklmnopqrstu.abcdefghijklmnopqrstuvwxyzABCDE",
    "$argon2id$v=19$m=999999999,t=9,p=1$AAAAAAAAAAAAAAAAAAAAAA"
    "$AAAAAAAAAAAAAAAAAAAAAA",
    "$6$rounds=999999999$salt$" + "a" * 86,
    "$1$12345678$o2n/JiO/h5VviOInWJ4OQ/",
    "correct horse battery staple"])
def test_unreadable_hash_is_a_wrong_password(
        pool, sign_in, cluster, ctl, move_in, unharmed, verifier):
    person = move_in("correct horse battery staple", verifier)
    answer = sign_in(pool, person.email, person.password)
    nobody = sign_in(pool, "nobody@example.test", person.password)
    assert answer.status == 401
    assert answer.body == nobody.body
    assert stored(cluster, person) == verifier
    assert ctl.json("user", "show", person.email)[
        "passwordHash"].startswith("unreadable: ")
    [reason] = {event["reason"] for event in
                ctl.json("audit", "list", person.email)["events"]}
    assert reason == "unreadable_verifier"
