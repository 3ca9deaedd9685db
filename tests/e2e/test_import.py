"""posternctl user import: people of another system, out of a file."""

import csv
import io
import json
import os
import re
import secrets
import signal
import subprocess

import pytest

from harness import contract, process, tree
from harness.terminal import Terminal
from test_foreign_hashes import VECTORS

_, _, PASSWORD, HASH = VECTORS[0]


@pytest.fixture
def domain():
    """So that one test's people are nobody else's."""
    return f"{secrets.token_hex(6)}.test"


@pytest.fixture
def run_import(ctl, room):
    """Import a text or bytes as a file; the finished process."""
    def run(content, *options, json=False):
        path = room / "people"
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode())
        return ctl.run(*(["--json"] if json else []), "user", "import",
                       *options, path, check=False)
    return run


def rows(cluster, domain):
    return cluster.ask(
        "SELECT l.login_key, l.email, l.pw_hash, l.status, u.name"
        " FROM postern.logins l JOIN postern.users u"
        " USING (user_id, login_key, email, status, created_at)"
        " WHERE l.login_key LIKE %s ORDER BY 1", f"%@{domain}")


def counted(done, added=0, there=0, refused=0, dry=False):
    """Exit code, counts and problems of a run with --json."""
    answer = json.loads(done.stdout)
    assert done.returncode == (1 if refused else 0), done.stderr
    assert (answer["added"], answer["alreadyThere"], answer["refused"],
            answer["dryRun"], answer["interrupted"]) == (
                added, there, refused, dry, False)
    assert len(answer["problems"]) == refused
    return answer["problems"]


def many(domain, count):
    return "email,hash\n" + "".join(f"p{i}@{domain},{HASH}\n"
                                    for i in range(count))


# ---- what is imported --------------------------------------------------------

def test_csv_becomes_accounts(run_import, cluster, domain):
    done = run_import(
        "email,hash,status,name\r\n"
        f"Ann@{domain.upper()},{HASH},CONFIRMED,Ann\r\n"
        f"bob@{domain},,disabled,\r\n"
        f'"carl@{domain}","{HASH}",,"Carl ""C"", of D"\r\n')
    assert done.returncode == 0
    assert done.stderr == b""
    assert re.fullmatch(r"/\S+/people: added: 3, had an account: 0,"
                        r" refused: 0\n", done.stdout.decode())
    assert rows(cluster, domain) == [
        (f"ann@{domain}", f"Ann@{domain.upper()}", HASH, 0, "Ann"),
        (f"bob@{domain}", f"bob@{domain}", None, 5, None),
        (f"carl@{domain}", f"carl@{domain}", HASH, 0, 'Carl "C", of D')]


def test_lines_of_json_become_accounts(run_import, cluster, domain):
    people = [
        {"email": f"ann@{domain}", "passwordHash": HASH,
         "displayName": "D\u00f6ra \U0001f600", "status": "unconfirmed"},
        {"email": f"b\u00f6b@{domain}", "hash": None},
        {"email": f"carl@{domain}", "status": "RESET_REQUIRED"}]
    done = run_import("".join(json.dumps(one) + "\n" for one in people),
                      json=True)
    counted(done, added=3)
    assert rows(cluster, domain) == [
        (f"ann@{domain}", f"ann@{domain}", HASH, 1, "D\u00f6ra \U0001f600"),
        (f"b\u00f6b@{domain}", f"b\u00f6b@{domain}", None, 0, None),
        (f"carl@{domain}", f"carl@{domain}", None, 3, None)]


def test_stdin_by_a_hyphen(ctl, cluster, domain):
    done = ctl.run("user", "import", "-", stdin=many(domain, 2).encode())
    assert done.stdout == b"-: added: 2, had an account: 0, refused: 0\n"
    assert len(rows(cluster, domain)) == 2


def test_what_python_writes_is_read(run_import, cluster, domain):
    """The csv module quotes as spreadsheets do."""
    names = ['A "quoted" one', "comma, inside", " blanks ", "plain",
             "apostrophe's", "semi;colon", "\u00fcml\u00e4ut"]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["name", "email"])
    for i, name in enumerate(names):
        writer.writerow([name, f"p{i}@{domain}"])
    assert run_import("\ufeff" + text.getvalue()).returncode == 0
    assert [row[4] for row in rows(cluster, domain)] == names


def test_people_can_sign_in(run_import, cluster, domain, pool, sign_in, ctl):
    people = [(f"p{i}@{domain}", password, verifier)
              for i, (_, _, password, verifier) in enumerate(VECTORS)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["email", "hash"])
    writer.writerows((email, verifier) for email, _, verifier in people)
    counted(run_import(text.getvalue(), json=True), added=len(VECTORS))
    assert {row[0]: row[2] for row in rows(cluster, domain)} == {
        email: verifier for email, _, verifier in people}
    for email, password, _ in people:
        contract.check_signed_in(sign_in(pool, email, password))
    assert all(row[2].startswith("$s1$") for row in rows(cluster, domain))


def test_status_of_those_who_have_none(run_import, cluster, domain):
    done = run_import(f"email,status\na@{domain},\nb@{domain},disabled\n",
                      "--status", "unconfirmed")
    assert done.returncode == 0
    assert [row[3] for row in rows(cluster, domain)] == [1, 5]


def test_ignore_unknown(run_import, cluster, domain):
    text = (f'id,email,address,password\n1,a@{domain},"Street 1\nTown",x\n'
            f"2,b@{domain},,\n")
    refused = run_import(text)
    assert refused.returncode == 2
    assert b'there is no field "id"' in refused.stderr
    assert b"--ignore-unknown" in refused.stderr
    assert rows(cluster, domain) == []
    assert run_import(text, "--ignore-unknown").returncode == 0
    assert [row[0] for row in rows(cluster, domain)] == [
        f"a@{domain}", f"b@{domain}"]


# ---- what is refused ---------------------------------------------------------

def test_one_bad_line_never_stops_the_rest(run_import, cluster, domain):
    text = ("email,hash,status\n"
            f"a@{domain},{HASH},\n"
            "no address,,\n"
            f"b@{domain},correct horse,\n"
            f"c@{domain},$2b$31{HASH[6:]},\n"
            f"d@{domain},,asleep\n"
            f"e@{domain},\"{HASH},\n"
            f"A@{domain.upper()},,\n"
            "\n"
            f"f@{domain}\n"
            f"z@{domain},{HASH},\n")
    done = run_import(text, json=True)
    problems = counted(done, added=2, refused=7)
    assert [(one["line"], one["reason"]) for one in problems] == [
        (3, "what should be the e-mail address is none"),
        (4, "the hash cannot be used: it is of no known form"),
        (5, "the hash cannot be used: checking it would take too much time,"
            " or more memory than hash_other_mib"),
        (6, "there is no such status"),
        (7, "a quote is not closed"),
        (8, "the address stands in line 2 already"),
        (10, "there are 1 fields instead of 3")]
    assert done.stderr.decode().splitlines() == [
        f"posternctl: line {one['line']}: {one['reason']}"
        for one in problems]
    assert [row[0] for row in rows(cluster, domain)] == [
        f"a@{domain}", f"z@{domain}"]
    # A hash or password never comes back on the screen.
    assert b"$2b$" not in done.stderr and b"horse" not in done.stderr


def test_same_address_far_apart(run_import, cluster, domain):
    """Further than a batch."""
    done = run_import(many(domain, 2500) + f"P7@{domain}\n,\n", json=True)
    problems = counted(done, added=2500, refused=2)
    assert problems[0] == {"line": 2502, "reason":
                           "there are 1 fields instead of 2"}
    done = run_import(many(domain, 2500) + f"P7@{domain},\n", json=True)
    problems = counted(done, there=2500, refused=1)
    assert problems == [{"line": 2502, "reason":
                         "the address stands in line 9 already"}]


@pytest.mark.parametrize("content, reason", [
    (b"", "there is nothing in it"),
    (b"\n\n", "there is nothing in it"),
    (b"\xff\xfee\0m\0a\0i\0l\0", "one of the fields is unknown"),
    (b"Email;Hash\n", 'there is no field "Email;Hash"'),
    (b"hash,status\n", 'no column is called "email"'),
    (b"email,password\n", "passwords are not taken, only their hashes"),
    (b"email,email\n", "two columns have the same meaning"),
    (b'[{"email":"a@example.org"}]', "it is a JSON array"),
    (b"\x1b[31mmail\n", "\\u{1b}[31mmail"),
    (b"email" + b"x" * 100000, "the line is too long")])
def test_file_that_is_no_list_of_people(run_import, content, reason):
    done = run_import(content)
    assert done.returncode == 2
    assert done.stdout == b""
    assert reason in done.stderr.decode()


def test_file_that_cannot_be_read(ctl, room):
    for path, reason in [(room / "none", b"No such file"),
                         (room, b"Is a directory")]:
        done = ctl.run("user", "import", path, check=False)
        assert done.returncode in (2, 3)
        assert reason in done.stderr
    assert ctl.run("user", "import", check=False).returncode == 2
    assert ctl.run("user", "import", "--status", "asleep", "-",
                   check=False).returncode == 2


def test_lists_no_more_problems_than_memory_has(run_import):
    done = run_import("email\n" + "x\n" * 1500, json=True)
    answer = json.loads(done.stdout)
    assert answer["refused"] == 1500
    assert len(answer["problems"]) == 1000
    assert len(done.stderr.splitlines()) == 1500


def test_database_that_says_no(run_import, cluster, domain):
    cluster.ask("REVOKE INSERT ON postern.users FROM postern_admin")
    try:
        done = run_import(many(domain, 2))
    finally:
        cluster.ask("GRANT INSERT ON postern.users TO postern_admin")
    assert done.returncode == 1
    assert b"could not add the accounts: " in done.stderr
    assert b"added so far: 0; run it again to go on" in done.stderr
    assert rows(cluster, domain) == []


# ---- trying, and going on ----------------------------------------------------

def test_dry_run_adds_nobody(run_import, cluster, domain):
    text = many(domain, 5)
    done = run_import(text + f"p1@{domain},\nx,\n", "--dry-run")
    assert done.returncode == 1
    assert b"would be added: 5, had an account: 0, refused: 2" in done.stdout
    assert rows(cluster, domain) == []
    counted(run_import(many(domain, 3), json=True), added=3)
    counted(run_import(text, "--dry-run", json=True), added=2, there=3,
            dry=True)
    assert len(rows(cluster, domain)) == 3


def test_second_run_leaves_everybody_alone(run_import, cluster, domain,
                                           pool, sign_in):
    text = many(domain, 3)
    counted(run_import(text, json=True), added=3)
    contract.check_signed_in(sign_in(pool, f"p0@{domain}", PASSWORD))
    before = rows(cluster, domain)
    assert before[0][2].startswith("$s1$")
    counted(run_import(text, json=True), there=3)
    assert rows(cluster, domain) == before


class Held:
    """An import whose stdin stays open."""

    def __init__(self, ctl, text):
        self.popen = subprocess.Popen(
            [tree.POSTERNCTL, "--config", ctl.settings_file, "--json", "user",
             "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=process.clean_environment())
        self.popen.stdin.write(text.encode())
        self.popen.stdin.flush()

    def end(self, number):
        os.kill(self.popen.pid, number)
        out, _ = self.popen.communicate(timeout=120)
        return out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_tells_what_it_did(ctl, run_import, cluster, domain,
                                           number):
    text = many(domain, 10000)
    held = Held(ctl, text)
    process.wait_until("some accounts", lambda: rows(cluster, domain))
    answer = json.loads(held.end(number))
    assert held.popen.returncode == -number
    assert answer["interrupted"]
    assert answer["added"] == len(rows(cluster, domain)) > 0
    counted(run_import(text, json=True), added=10000 - answer["added"],
            there=answer["added"])


def test_killed_run_leaves_whole_batches(ctl, run_import, cluster, domain):
    text = many(domain, 10000)
    held = Held(ctl, text)
    process.wait_until("some accounts", lambda: rows(cluster, domain))
    assert held.end(signal.SIGKILL) == b""
    there = process.wait_until("the last batch", lambda: len(
        rows(cluster, domain)) % 1000 == 0 and len(rows(cluster, domain)))
    counted(run_import(text, json=True), added=10000 - there, there=there)


def test_two_runs_at_once_share_the_work(ctl, room, cluster, domain):
    path = room / "people"
    path.write_text(many(domain, 5000))
    runs = [subprocess.Popen(
        [tree.POSTERNCTL, "--config", ctl.settings_file, "--json", "user",
         "import", path], stdout=subprocess.PIPE,
        env=process.clean_environment()) for _ in range(2)]
    answers = [json.loads(run.communicate(timeout=120)[0]) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum(answer["added"] for answer in answers) == 5000
    assert sum(answer["alreadyThere"] for answer in answers) == 5000
    assert len(rows(cluster, domain)) == 5000


def test_bar_on_a_terminal(ctl, room, domain):
    path = room / "people"
    path.write_text(many(domain, 20000) + "x,\n")
    with Terminal([tree.POSTERNCTL, "--config", ctl.settings_file, "user",
                   "import", path]) as terminal:
        assert terminal.wait(120) == 1
        screen = terminal.screen
    bars = re.findall(r"\[(#* *)\] +(\d+) %  people: (\d+)", screen)
    assert bars
    assert all(len(bar) == 40 for bar, _, _ in bars)
    assert [int(part) for _, part, _ in bars] == sorted(
        int(part) for _, part, _ in bars)
    # The last thing to be seen is the answer, with no bar before it.
    assert re.search(r"\r\x1b\[Kposternctl: line 20002: what should be [^\n]*"
                     r"\n(.*\r\x1b\[K)?[^\r\n]*: added: 20000, had an account:"
                     r" 0, refused: 1\r\n$", screen, re.S)


# ---- beside it ---------------------------------------------------------------

def test_names_of_added_people(ctl, domain):
    ctl("user", "add", "--no-password", "--name", "Ann E.", f"ann@{domain}")
    assert ctl.json("user", "show", f"ann@{domain}")["name"] == "Ann E."
    assert re.search(r"^name +Ann E\.$",
                     ctl("user", "show", f"ann@{domain}"), re.M)
    for name in ["", " ", "x" * 201, "a\nb"]:
        done = ctl.run("user", "add", "--no-password", "--name", name,
                       f"bob@{domain}", check=False)
        assert done.returncode == 1
        assert b"the name is longer than 200 bytes, or no text" in done.stderr
