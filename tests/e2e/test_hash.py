"""posternctl hash: hashes made and checked, for scripts."""

import json
import re
import secrets

import pytest

from harness import tree
from harness.terminal import Terminal
from test_foreign_hashes import NAMES, VECTORS
from test_posternctl import is_password

_, _, PASSWORD, HASH = VECTORS[0]
COSTLY = "$2b$31$abcdefghijklmnopqrstu.abcdefghijklmnopqrstuvwxyzABCDE"


def check(ctl, *lines, json=False, options=()):
    stdin = b"".join(line if isinstance(line, bytes) else line.encode() + b"\n"
                     for line in lines)
    return ctl.run(*(["--json"] if json else []), "hash", "check", *options,
                   stdin=stdin, check=False)


def test_made_hash_is_ours(ctl):
    password = secrets.token_urlsafe(12)
    made = ctl.run("hash", "make", stdin=f"{password}\n".encode())
    assert made.stderr == b""
    assert made.stdout.decode().endswith("\n")
    verifier = made.stdout.decode().strip()
    assert verifier.startswith("$s1$0a0801$")
    assert is_password(verifier, password)
    assert not is_password(verifier, password + "x")
    again = ctl.json("hash", "make", "--password-stdin",
                     stdin=f"{password}\r\n".encode())["hash"]
    assert again != verifier and is_password(again, password)

    done = check(ctl, verifier, password, json=True)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"match": True, "form": "scrypt",
                                       "needsRehash": False}


def test_made_hash_can_be_imported(ctl, cluster, pool, sign_in):
    email = f"{secrets.token_hex(6)}@example.test"
    password = secrets.token_urlsafe(12)
    verifier = ctl("hash", "make", stdin=f"{password}\n".encode())
    ctl("user", "import", "-", stdin=f"email,hash\n{email},{verifier}\n"
        .encode())
    assert sign_in(pool, email, password).status == 200
    assert sign_in(pool, email, password + "x").status == 401


@pytest.mark.parametrize("password, why", [
    ("", "no password was given"), ("short", "fewer than 8 characters"),
    ("x" * 1025, "longer than 1024 bytes"), ("\0" * 10, "contains a NUL")])
def test_make_holds_passwords_against_the_rules(ctl, password, why):
    made = ctl.run("hash", "make", stdin=f"{password}\n".encode(), check=False)
    assert made.returncode == 1
    assert made.stdout == b""
    assert why in made.stderr.decode()


@pytest.mark.parametrize("form, made_by, password, verifier", VECTORS,
                         ids=NAMES)
def test_check(ctl, form, made_by, password, verifier):
    done = check(ctl, verifier, password)
    assert done.returncode == 0
    assert done.stdout.decode() == \
        f"match: {form}, made anew at the next sign-in\n"
    done = check(ctl, verifier, "x" + password)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"no match\n",
                                                           b"")
    done = check(ctl, verifier, "x" + password, json=True)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"match": False, "form": form,
                                       "needsRehash": True}


def test_hash_file(ctl, room):
    path = room / "hash"
    path.write_text(HASH + "\r\nmore\n")
    for options in [("--hash-file", path),
                    ("--hash-file", path, "--password-stdin")]:
        assert check(ctl, PASSWORD, options=options).returncode == 0
        assert check(ctl, "x", options=options).returncode == 1
    missing = check(ctl, PASSWORD, options=("--hash-file", room / "none"))
    assert missing.returncode == 3
    assert b"No such file" in missing.stderr


@pytest.mark.parametrize("lines, why", [
    (("$1$12345678$o2n/JiO/h5VviOInWJ4OQ/", "x"), "it is of no known form"),
    ((HASH[:-1], PASSWORD), "it is cut off or garbled"),
    ((COSTLY, PASSWORD), "it would take too much time, or more memory"),
    (("", PASSWORD), "it is empty"),
    ((HASH.encode() + b"\0\n", PASSWORD), "there is a NUL in it"),
    (("x" * 5000, PASSWORD), "it is of no known form"),
    ((b"",), "it is empty"),
    ((HASH, ""), "no password was given"),
    ((HASH,), "no password was given")])
def test_what_cannot_be_checked(ctl, lines, why):
    done = check(ctl, *lines)
    assert done.returncode == 2
    assert done.stdout == b""
    said = done.stderr.decode()
    assert why.replace("it would", "checking it would") in said
    assert not re.search(r"\$2b|correct horse", said)


def test_a_password_in_argv_is_not_taken(ctl):
    for words in [(HASH, PASSWORD), ("--password", PASSWORD)]:
        done = ctl.run("hash", "check", *words, check=False)
        assert done.returncode == 2
        assert PASSWORD.encode() not in done.stderr


def test_asks_at_a_terminal(ctl):
    with Terminal([tree.POSTERNCTL, "--config", ctl.settings_file, "hash",
                   "check"]) as terminal:
        terminal.expect("Hash: ")
        terminal.type(HASH + "\n")
        terminal.expect("Password: ")
        terminal.wait_until_silent()
        terminal.type(PASSWORD + "\n")
        assert terminal.wait() == 0
        assert "match: bcrypt" in terminal.screen
        assert PASSWORD not in terminal.screen
    with Terminal([tree.POSTERNCTL, "--config", ctl.settings_file, "hash",
                   "make"]) as terminal:
        for prompt in ["New password: ", "The same again: "]:
            terminal.expect(prompt)
            terminal.wait_until_silent()
            terminal.type(PASSWORD + "\n")
        assert terminal.wait() == 0
        assert "$s1$0a0801$" in terminal.screen
