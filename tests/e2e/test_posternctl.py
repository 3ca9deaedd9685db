"""posternctl as an operator and a script meet it, on a cluster of its own, since
some of these tests rename roles or stop the server."""

import base64
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import stat
import subprocess
import unicodedata
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from harness import clock, process, tree
from harness.postern import Ctl, write_settings
from harness.postgres import Cluster
from harness.terminal import Terminal

GROUPS = ["migrate", "check", "calibrate", "key", "api-key", "user", "session",
          "audit", "throttle", "hash"]
STATUSES = ["confirmed", "unconfirmed", "force-change-password",
            "reset-required", "external-provider", "disabled"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


# ---- what the tests stand on -------------------------------------------------

@pytest.fixture(scope="module")
def own_cluster(runtime):
    cluster = Cluster(runtime / "ctlpg")
    yield cluster
    cluster.stop()


def conninfo(cluster, database, role):
    where = re.sub(r"dbname=\S+", f"dbname={database}", cluster.conninfo)
    return f"{where} user={role}"


def make_place(directory, cluster, name, **changes):
    """posternctl with a database and a key directory of its own."""
    settings = {
        "owner_database": conninfo(cluster, name, "postern_owner"),
        "admin_database": conninfo(cluster, name, "postern_admin"),
        "database": conninfo(cluster, name, "postern_service"),
        "issuer": "https://sign-in.test",
        "key_dir": directory / "keys",
        "scrypt_log2_n": 10,
        "scrypt_p": 1,
        "password_min_length": 8,
        "db_timeout_ms": 10000,
        **changes,
    }
    ctl = Ctl(write_settings(directory / "settings", settings))

    def ask(sql, *values):
        import psycopg2
        connection = psycopg2.connect(
            conninfo(cluster, name, "postgres"))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    return SimpleNamespace(ctl=ctl, ask=ask, settings=settings,
                           directory=directory, database=name,
                           cluster=cluster)


def make_database(cluster, owner="postern_owner"):
    name = "ctl_" + secrets.token_hex(4)
    cluster.ask(f"CREATE DATABASE {name} OWNER {owner}")
    return name


@pytest.fixture
def empty(room, own_cluster):
    """A database that nobody has migrated."""
    return make_place(room, own_cluster, make_database(own_cluster))


@pytest.fixture(scope="module")
def place(runtime, own_cluster):
    """A migrated database with a signing key; most tests share it."""
    directory = runtime / "ctl"
    directory.mkdir()
    place = make_place(directory, own_cluster, make_database(own_cluster))
    place.ctl("migrate")
    place.ctl("key", "new")
    return place


@pytest.fixture(scope="module")
def ctl(place):
    return place.ctl


@pytest.fixture
def person(ctl):
    """Somebody new: address and password."""
    email = f"p{secrets.token_hex(6)}@example.test"
    password = secrets.token_urlsafe(15)
    ctl("user", "add", email, stdin=f"{password}\n".encode())
    return SimpleNamespace(email=email, password=password,
                           id=ctl.json("user", "show", email)["userId"])


def refused(done, status=1):
    """A refusal: its status, nothing on stdout, a sentence on stderr."""
    said = done.stderr.decode()
    assert done.returncode == status, said
    assert done.stdout == b""
    assert said.startswith("posternctl: ")
    assert not re.search(r"Sanitizer|runtime error", said)
    return said


def stored_hash(place, email):
    [(verifier,)] = place.ask(
        "SELECT pw_hash FROM postern.logins WHERE login_key = %s", email)
    return verifier


def is_password(verifier, password):
    """Check libscrypt's form with another implementation of scrypt."""
    _, form, cost, salt, hashed = verifier.split("$")
    assert form == "s1"
    log2_n, r, p = (int(cost[at:at + 2], 16) for at in (0, 2, 4))
    return base64.b64decode(hashed) == hashlib.scrypt(
        password.encode(), salt=base64.b64decode(salt), n=1 << log2_n, r=r,
        p=p, dklen=64)


# What a terminal would obey, or hide: C0, DEL, C1, a mark of direction, a tag.
DEVICE = "Firefox \x1b[31m \x7f \x9b31m \u202e \U000e0001 \u00f6"
DEVICE_SHOWN = ("Firefox \\u{1b}[31m \\u{7f} \\u{9b}31m \\u{202e} \\u{e0001}"
                " \u00f6")


def add_session(place, user, *, age="0 days", rotated=None, expires="30 days",
                ended=None, why=None):
    sid = str(uuid.uuid4())
    place.ask(
        "INSERT INTO postern.sessions (user_id, sid, token_hash, created_at,"
        " rotated_at, expires_at, ended_at, ended_why, address, device)"
        " VALUES (%s, %s, %s, now() - %s::interval, now() - %s::interval,"
        " now() + %s::interval, now() - %s::interval, %s, '192.0.2.7', %s)",
        user, sid, secrets.token_bytes(32), age, rotated or age, expires,
        ended, why, DEVICE)
    return sid


def session_state(place, sid):
    [(ended, why)] = place.ask(
        "SELECT ended_at IS NOT NULL, ended_why FROM postern.sessions"
        " WHERE sid = %s", sid)
    return ended, why


# ---- help and usage ----------------------------------------------------------

def help_of(*words):
    done = process.run([tree.POSTERNCTL, *words, "--help"])
    assert done.returncode == 0 and done.stderr == b""
    return done.stdout.decode()


def commands():
    """All commands, as the help lists them."""
    part = help_of().split("commands:\n")[1].split("\n\n")[0]
    return [re.match(r"  ((?:\S+ )?\S+)  ", line).group(1).split()
            for line in part.splitlines()]


def test_help_lists_every_group():
    assert {words[0] for words in commands()} == set(GROUPS)
    assert len(commands()) >= 18


@pytest.mark.parametrize("words", [[], *([name] for name in GROUPS)],
                         ids=lambda words: " ".join(words) or "all")
def test_help_shows_usage_commands_and_examples(words):
    text = help_of(*words)
    assert text.startswith("usage: posternctl")
    assert re.search(r"^(examples|first steps):\n  posternctl ", text, re.M)
    assert max(len(line) for line in text.splitlines()) <= 80


def test_each_command_has_help():
    for words in commands():
        text = help_of(*words)
        assert text.startswith(f"usage: posternctl {' '.join(words)} ")
        assert "--json" in text
        assert max(len(line) for line in text.splitlines()) <= 80


def test_manual_and_completion_know_every_command_and_option():
    manual = (tree.TOP / "man/posternctl.8").read_text()
    completion = (tree.TOP / "deploy/completion/posternctl.bash").read_text()
    for words in commands():
        assert f".It Cm {' '.join(words)}" in manual
        assert words[-1] in completion
        for option in re.findall(r"^  --([a-z-]+)", help_of(*words), re.M):
            assert f"Fl -{option}" in manual
            assert f"--{option}" in completion


def test_completion_offers_what_may_follow():
    script = '''. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        compopt() { :; }; _posternctl; printf '%s\\n' "${COMPREPLY[@]}"'''

    def offered(*words):
        done = process.run(
            ["bash", "-c", script, "-",
             tree.TOP / "deploy/completion/posternctl.bash", "posternctl",
             *words], check=True)
        return set(done.stdout.decode().split())

    assert set(GROUPS) <= offered("")
    assert offered("--json", "user", "set-") == {"set-password", "set-status"}
    assert offered("user", "set-status", "a@b.test", "dis") == {"disabled"}
    assert offered("user", "add", "--status", "") == set(STATUSES)
    assert offered("migrate", "--d") == {"--dry-run"}


def test_version():
    done = process.run([tree.POSTERNCTL, "--version"], check=True)
    assert re.fullmatch(rb"posternctl \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words, told", [
    (["usr"], 'no command "usr"'),
    (["user", "remove"], 'no command "user remove"'),
    (["user", "add"], "missing: EMAIL"),
    (["user", "set-status", "a@b.test"], "missing: EMAIL STATUS"),
    (["user", "list", "extra"], "too many words"),
    (["user", "list", "--limit"], "--limit wants a value"),
    (["user", "list", "--limit", "0"], "from 1 to 1000"),
    (["user", "list", "--limit", "1001"], "from 1 to 1000"),
    (["user", "list", "--limit", "10x"], "from 1 to 1000"),
    (["user", "list", "--limit=99999999999999999999"], "from 1 to 1000"),
    (["user", "list", "--limit", ""], "from 1 to 1000"),
    (["user", "list", "--yes"], 'unknown option "--yes"'),
    (["user", "list", "--lim", "3"], 'unknown option "--lim"'),
    (["user", "delete", "a@b.test", "--yes=no"], "takes no value"),
    (["--nonsense"], 'unknown option "--nonsense"'),
])
def test_wrong_usage(words, told):
    done = process.run([tree.POSTERNCTL, *words])
    said = refused(done, 2)
    assert told in said
    assert re.search(r"^  see: posternctl.* --help$", said, re.M)


@pytest.mark.parametrize("words", [[], ["user"], ["--json", "key"]])
def test_half_a_command_shows_the_help(words):
    done = process.run([tree.POSTERNCTL, *words])
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.startswith(b"usage: ")


@pytest.mark.parametrize("words", [
    ["user", "add", "a@b.test", "--status", "fine"],
    ["user", "set-status", "a@b.test", "Confirmed"],
    ["user", "list", "--status", "0"],
    ["key", "new", "--algorithm", "rs256"],
    ["api-key", "create"],
    ["api-key", "create", "--scope", "all"],
    ["api-key", "create", "--scope", "secret"],
    ["api-key", "revoke", "no-id"],
    ["session", "list"],
    ["session", "list", "a@b.test", "--all"],
    ["session", "list", "--all", "--after", "nonsense"],
    ["session", "revoke"],
    ["session", "revoke", "no-id"],
    ["audit", "list"],
    ["audit", "list", "--unknown", "--after", "nonsense"],
    ["throttle", "show"],
    ["throttle", "clear"],
    ["throttle", "list", "--after", "nonsense"],
])
def test_wrong_values(ctl, words):
    refused(ctl.run(*words, check=False), 2)


def test_what_may_be_a_password_is_not_repeated(ctl):
    for words in (["user", "add", "a@b.test", "hunter2hunter2"],
                  ["user", "add", "a@b.test", "--password=hunter2hunter2"],
                  ["user", "set-password", "a@b.test", "-hunter2hunter2"],
                  ["session", "cleanup", "--days", "hunter2hunter2"]):
        assert "hunter2" not in refused(ctl.run(*words, check=False), 2)


# ---- migrate -----------------------------------------------------------------

def latest():
    return len(list((tree.TOP / "sql").glob("[0-9]*_*.sql")))


def test_migrate_from_nothing_and_again(empty):
    dry = empty.ctl.json("migrate", "--dry-run")
    assert dry["version"] == 0 and dry["applied"] == []
    assert len(dry["pending"]) == latest()
    assert empty.ask("SELECT to_regclass('postern.logins')") == [(None,)]

    done = empty.ctl.json("migrate")
    assert done == {"versionBefore": 0, "version": latest(),
                    "applied": dry["pending"], "pending": []}
    rows = empty.ask("SELECT number, name FROM postern.schema_migrations"
                     " ORDER BY number")
    assert rows == list(enumerate(dry["pending"], 1))
    owners = empty.ask("SELECT DISTINCT tableowner FROM pg_tables"
                       " WHERE schemaname = 'postern'")
    assert owners == [("postern_owner",)]

    assert empty.ctl.json("migrate")["applied"] == []
    assert "nothing to do" in empty.ctl("migrate")


def test_a_superuser_migrates_for_the_owner(empty):
    write_settings(empty.ctl.settings_file, {
        **empty.settings, "owner_database":
            conninfo(empty.cluster, empty.database, "postgres")})
    empty.ctl("migrate")
    owners = empty.ask("SELECT DISTINCT tableowner FROM pg_tables"
                       " WHERE schemaname = 'postern'")
    assert owners == [("postern_owner",)]


def test_many_migrate_at_once(empty):
    runs = [subprocess.Popen(
        [tree.POSTERNCTL, "--config", empty.ctl.settings_file, "--json",
         "migrate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=process.clean_environment()) for _ in range(6)]
    applied = []
    for one in runs:
        out, err = one.communicate(timeout=120)
        assert one.returncode == 0, err
        answer = json.loads(out)
        assert answer["version"] == latest()
        applied += answer["applied"]
    assert len(applied) == len(set(applied)) == latest()
    assert empty.ask("SELECT count(*) FROM postern.schema_migrations") == \
        [(latest(),)]


def test_migrate_waits_for_another(empty):
    """One who is in the middle of it has the others wait, then all is well."""
    import psycopg2
    other = psycopg2.connect(
        conninfo(empty.cluster, empty.database, "postern_owner"))
    with other.cursor() as cursor:
        cursor.execute((tree.TOP / "sql/0001_initial.sql").read_text())
        cursor.execute("INSERT INTO postern.schema_migrations"
                       " VALUES (1, '0001_initial.sql', now())")
    ours = subprocess.Popen(
        [tree.POSTERNCTL, "--config", empty.ctl.settings_file, "migrate"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=process.clean_environment())
    process.wait_until("migrate to wait", lambda: empty.ask(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'posternctl'"
        " AND wait_event_type = 'Lock'"))
    other.commit()
    other.close()
    out, err = ours.communicate(timeout=120)
    assert ours.returncode == 0, err
    assert b"somebody else applied 0001_initial.sql" in out


def test_a_failed_migration_leaves_nothing(empty):
    empty.ask("CREATE SCHEMA postern AUTHORIZATION postern_owner")
    empty.ask("CREATE TABLE postern.audit_events ()")
    done = empty.ctl.run("migrate", check=False)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert "could not apply 0001_initial.sql" in said
    assert '"audit_events" already exists' in said
    assert empty.ask("SELECT to_regclass('postern.logins')") == [(None,)]
    empty.ask("DROP TABLE postern.audit_events")
    assert empty.ctl.json("migrate")["version"] == latest()


def test_migrate_names_missing_roles(empty):
    empty.ask("ALTER ROLE postern_service RENAME TO someone_else")
    try:
        said = refused(empty.ctl.run("migrate", check=False))
    finally:
        empty.ask("ALTER ROLE someone_else RENAME TO postern_service")
    assert "lacks roles: postern_service\n" in said
    assert "sql/roles.sql" in said
    assert "CREATE ROLE postern_service LOGIN;" in said


def test_migrate_by_the_wrong_role(empty):
    write_settings(empty.ctl.settings_file,
                   {**empty.settings, "owner_database": ""})
    said = refused(empty.ctl.run("migrate", check=False))
    assert '"postern_admin" may not act as postern_owner' in said
    assert "owner_database" in said


def test_migrate_in_somebody_elses_database(room, own_cluster):
    place = make_place(room, own_cluster, make_database(own_cluster,
                                                       "postgres"))
    said = refused(place.ctl.run("migrate", check=False))
    assert f'ALTER DATABASE "{place.database}" OWNER TO postern_owner' in said


def test_a_newer_database_is_left_alone(empty):
    empty.ctl("migrate")
    empty.ask("INSERT INTO postern.schema_migrations"
              " VALUES (999, '0999_future.sql', now())")
    for words in (["migrate"], ["user", "list"]):
        said = refused(empty.ctl.run(*words, check=False))
        assert "999" in said and "newer" in said


def test_other_commands_ask_to_migrate(empty):
    said = refused(empty.ctl.run("user", "list", check=False))
    assert "run: posternctl migrate" in said


# ---- calibrate ---------------------------------------------------------------

def test_calibrate(place, room):
    """What is recommended keeps to the wish, and is a setting."""
    answer = place.ctl.json("calibrate", "--latency-ms", "60", "--memory-mib",
                            "64")
    assert answer["slots"] >= 1
    assert {"log2N": 10, "r": 8, "p": 1}.items() <= answer["now"].items()
    assert answer["now"]["belowOwasp"] is True
    found = answer["recommended"]
    assert 1 <= found["memoryMiB"] <= 64
    assert found["hashesPerMinute"] > 0 and found["aloneMs"] > 0
    write_settings(room / "settings", {
        **place.settings, "scrypt_log2_n": found["log2N"],
        "scrypt_r": found["r"], "scrypt_p": found["p"],
        "hash_lanes": found["lanes"]})
    done = process.run([tree.POSTERN, "--config", room / "settings",
                        "--settings"], check=True)
    assert b"hash_lanes" in done.stdout


def test_calibrate_as_a_person_reads_it(place):
    text = place.ctl("calibrate", "--latency-ms", "20", "--memory-mib", "40")
    assert re.search(r"^now +2\^10 +8 +1 ", text, re.M)
    assert re.search(r"^recommended +2\^1\d +8 ", text, re.M)
    assert re.search(r"^scrypt_log2_n=1\d$", text, re.M)
    assert "OWASP" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_calibrate_without_room(place):
    refused(place.ctl.run("calibrate", "--memory-mib", "2", check=False))
    refused(place.ctl.run("calibrate", "--latency-ms", "0", check=False), 2)


# ---- check -------------------------------------------------------------------

def check(place, status):
    done = place.ctl.run("--json", "check", check=False)
    assert done.returncode == status, done.stdout
    answer = json.loads(done.stdout)
    assert answer["result"] == ("fail" if status else
                                max((line["result"] for line in
                                     answer["checks"]),
                                    key=["ok", "warn", "fail"].index))
    for line in answer["checks"]:
        assert set(line) == {"check", "result", "found", "mend"}
    return {line["check"]: line for line in answer["checks"]}


def test_check_of_a_whole_installation(place):
    place.ctl("api-key", "create", "--scope", "publishable")
    lines = check(place, 0)
    assert list(lines) == ["settings", "keys", "database", "clock", "schema",
                           "privileges", "api-keys", "administration"]
    assert {line["result"] for line in lines.values()} == {"ok"}
    assert {line["mend"] for line in lines.values()} == {None}
    text = place.ctl("check")
    assert len(re.findall(r"^ok    ", text, re.M)) == len(lines)


def test_check_finds_what_is_missing(empty):
    lines = check(empty, 1)
    assert lines["keys"]["result"] == "fail"
    assert "posternctl key new" in lines["keys"]["mend"]
    assert lines["schema"]["result"] == "fail"
    assert "posternctl migrate" in lines["schema"]["mend"]
    empty.ctl("migrate")
    empty.ctl("key", "new")
    lines = check(empty, 1)
    assert [name for name, line in lines.items()
            if line["result"] != "ok"] == ["api-keys"]
    write_settings(empty.ctl.settings_file,
                   {**empty.settings, "client_auth": "optional"})
    check(empty, 0)


def test_check_of_too_strong_and_too_weak_roles(empty):
    empty.ctl("migrate")
    empty.ctl("key", "new")
    empty.ctl("api-key", "create", "--scope", "publishable")
    as_role = {role: conninfo(empty.cluster, empty.database, role)
               for role in ("postgres", "postern_admin", "postern_service")}

    write_settings(empty.ctl.settings_file,
                   {**empty.settings, "database": as_role["postgres"]})
    lines = check(empty, 0)
    assert lines["database"]["result"] == "warn"
    assert "superuser" in lines["database"]["found"]

    write_settings(empty.ctl.settings_file,
                   {**empty.settings, "database": as_role["postern_admin"]})
    lines = check(empty, 0)
    assert lines["privileges"]["result"] == "warn"
    found = lines["privileges"]["found"]
    assert re.search(r"DELETE, INSERT, UPDATE \(login_key, [a-z_, ]*\) on logins",
                     found)
    assert "DELETE, SELECT on audit_events" in found

    write_settings(empty.ctl.settings_file, empty.settings)
    empty.ask("REVOKE UPDATE (pw_hash) ON postern.logins FROM postern_service")
    lines = check(empty, 1)
    assert lines["privileges"]["result"] == "fail"
    assert "UPDATE (pw_hash) on logins" in lines["privileges"]["found"]

    write_settings(empty.ctl.settings_file,
                   {**empty.settings, "admin_database": ""})
    assert check(empty, 1)["administration"]["result"] == "warn"


# What the service may have too much of, and how that is told.
SURPLUS = [
    ("UPDATE (email) ON postern.users", "UPDATE (email) on users"),
    ("DELETE, UPDATE (name, login_key) ON postern.users",
     "DELETE, UPDATE (login_key, name) on users"),
    ("INSERT (number, name) ON postern.schema_migrations",
     "INSERT (number, name) on schema_migrations"),
    ("INSERT ON postern.schema_migrations", "INSERT on schema_migrations"),
    ("SELECT (reason) ON postern.audit_events",
     "SELECT (reason) on audit_events"),
    ("REFERENCES, TRIGGER, TRUNCATE ON postern.sessions",
     "REFERENCES, TRIGGER, TRUNCATE on sessions"),
    ("CREATE ON SCHEMA postern", "CREATE in the schema"),
    ("CREATE ON DATABASE {database}", "CREATE in the database"),
]


def test_check_finds_each_surplus(empty):
    empty.ctl("migrate")
    empty.ctl("key", "new")
    empty.ctl("api-key", "create", "--scope", "publishable")
    for grant, told in SURPLUS:
        grant = grant.format(database=empty.database)
        empty.ask(f"GRANT {grant} TO postern_service")
        line = check(empty, 0)["privileges"]
        assert line["result"] == "warn"
        assert line["found"] == \
            f"the service's role has more than it needs: {told}"
        empty.ask(f"REVOKE {grant} FROM postern_service")
    # Tables that others put there, and all of them at once.
    empty.ask("CREATE TABLE postern.notes (note text)")
    empty.ask("GRANT SELECT ON postern.notes TO PUBLIC")
    assert check(empty, 0)["privileges"]["found"].endswith(
        ": SELECT on notes")
    empty.ask("GRANT ALL ON ALL TABLES IN SCHEMA postern TO postern_service")
    found = check(empty, 0)["privileges"]["found"]
    assert sorted(re.findall(r" on (\w+)", found)) == [
        "api_keys", "audit_events", "logins", "notes", "schema_migrations",
        "sessions", "throttle", "users"]


def test_check_finds_what_leads_to_more(empty):
    empty.ctl("migrate")
    empty.ctl("key", "new")
    empty.ctl("api-key", "create", "--scope", "publishable")
    try:
        empty.ask("ALTER ROLE postern_service CREATEROLE")
        empty.ask("GRANT pg_read_server_files TO postern_service")
        line = check(empty, 0)["privileges"]
        assert line["result"] == "warn"
        assert line["found"].endswith(
            "needs: CREATEROLE, the role pg_read_server_files")
    finally:
        empty.ask("ALTER ROLE postern_service NOCREATEROLE")
        empty.ask("REVOKE pg_read_server_files FROM postern_service")
    assert check(empty, 0)["privileges"]["result"] == "ok"


def test_check_finds_what_the_service_lacks(empty):
    empty.ctl("migrate")
    for taken, told in (
            ("UPDATE (failures, failed_at) ON postern.throttle",
             "UPDATE (failures, failed_at) on throttle"),
            ("INSERT ON postern.sessions", "INSERT on sessions")):
        empty.ask(f"REVOKE {taken} FROM postern_service")
        line = check(empty, 1)["privileges"]
        assert line["result"] == "fail"
        assert line["found"] == f"the service's role lacks {told}"
        empty.ask(f"GRANT {taken} TO postern_service")
    empty.ask("DROP TABLE postern.throttle")
    assert check(empty, 1)["privileges"]["found"].endswith(
        "lacks the table throttle")


def test_check_of_wrong_settings(empty):
    write_settings(empty.ctl.settings_file, {**empty.settings, "wokers": 3})
    lines = check(empty, 1)
    assert list(lines) == ["settings"]
    assert "wokers" in lines["settings"]["found"]


def test_check_of_keys_others_may_read(empty):
    empty.ctl("key", "new")
    (empty.directory / "keys/master.key").chmod(0o644)
    lines = check(empty, 1)
    assert lines["keys"]["result"] == "fail"
    assert "master.key" in lines["keys"]["found"]


# ---- accounts ----------------------------------------------------------------

def test_add_and_show(place, ctl):
    name = secrets.token_hex(6)
    typed = f"Ann.{name.upper()}@Example.TEST"
    key = typed.lower()
    answer = ctl.json("user", "add", typed, stdin=b"correct horse battery\n")
    assert answer["email"] == key and answer["status"] == "confirmed"
    assert answer["hasPassword"] is True

    shown = ctl.json("user", "show", typed)
    assert shown["userId"] == answer["userId"]
    assert shown["writtenAs"] == typed
    assert shown["passwordHash"] == "scrypt N=2^10 r=8 p=1"
    assert TIME.fullmatch(shown["createdAt"])
    assert shown["lastSignInAt"] is None and shown["liveSessions"] == 0

    verifier = stored_hash(place, key)
    assert is_password(verifier, "correct horse battery")
    text = ctl("user", "show", typed)
    for part in verifier.split("$")[3:]:
        assert part not in text and part not in json.dumps(shown)
    assert place.ask("SELECT login_key, status FROM postern.users"
                     " WHERE user_id = %s", shown["userId"]) == [(key, 0)]


def test_an_address_is_taken_once(place, ctl, person):
    for typed in (person.email, person.email.upper()):
        said = refused(ctl.run("user", "add", typed, "--no-password",
                               check=False))
        assert f'"{person.email}" has an account already' in said
    assert is_password(stored_hash(place, person.email), person.password)


def test_two_add_the_same_address(place):
    email = f"race{secrets.token_hex(6)}@example.test"
    runs = [subprocess.Popen(
        [tree.POSTERNCTL, "--config", place.ctl.settings_file, "user", "add",
         email, "--no-password"], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env=process.clean_environment())
        for _ in range(6)]
    statuses = sorted(one.wait(30) for one in runs)
    for one in runs:
        one.stderr.close()
    assert statuses == [0, 1, 1, 1, 1, 1]
    assert place.ask("SELECT count(*) FROM postern.users"
                     " WHERE login_key = %s", email) == [(1,)]


@pytest.mark.parametrize("typed", ["", "ann", "ann@", "@example.test",
                                   "ann@localhost", "a b@example.test",
                                   "ann@example.test\n",
                                   "a" * 250 + "@example.test"])
def test_what_is_no_address(ctl, typed):
    refused(ctl.run("user", "add", typed, "--no-password", check=False))


@pytest.mark.parametrize("number, name", enumerate(STATUSES))
def test_each_status(place, ctl, number, name):
    email = f"s{secrets.token_hex(6)}@example.test"
    ctl("user", "add", email, "--no-password", "--status", name)
    assert ctl.json("user", "show", email)["status"] == name
    assert place.ask("SELECT l.status, u.status FROM postern.logins l"
                     " JOIN postern.users u USING (user_id)"
                     " WHERE l.login_key = %s", email) == [(number, number)]


def test_nobody_is_told_of(ctl):
    for words in (["show"], ["set-password"], ["delete", "--yes"]):
        said = refused(ctl.run("user", words[0], "nobody@example.test",
                               *words[1:], stdin=b"long enough\n",
                               check=False))
        assert "nobody@example.test" in said
    refused(ctl.run("user", "set-status", "nobody@example.test", "disabled",
                    check=False))
    refused(ctl.run("session", "list", "nobody@example.test", check=False))
    refused(ctl.run("audit", "list", "nobody@example.test", check=False))


@pytest.mark.parametrize("stdin, password", [
    (b"correct horse\n", "correct horse"),
    (b"correct horse", "correct horse"),
    (b"correct horse\r\n", "correct horse"),
    (b"  blanks stay  \n", "  blanks stay  "),
    (b"first line\nsecond line\n", "first line"),
    ("schöne Brücke\n".encode(), "schöne Brücke"),
    ("\N{KELVIN SIGN}elvin ﬁsh\n".encode(), "Kelvin fish"),  # NFKC
    (b"x" * 1024 + b"\n", "x" * 1024),
])
def test_password_from_stdin(place, ctl, stdin, password):
    email = f"w{secrets.token_hex(6)}@example.test"
    ctl("user", "add", email, "--password-stdin", stdin=stdin)
    assert is_password(stored_hash(place, email), password)


@pytest.mark.parametrize("stdin, told", [
    (b"", "no password"),
    (b"\n", "no password"),
    (b"short\n", "fewer than 8 characters"),
    ("äöüäöüä\n".encode(), "fewer than 8 characters"),
    (b"x" * 1025 + b"\n", "longer than 1024 bytes"),
    (b"y" * 100000, "longer than 1024 bytes"),
    (b"long enough\0\n", "U+0000"),
    (b"long\0enough\n", "U+0000"),
    (b"caf\xe9 latin\n", "not UTF-8"),
])
def test_passwords_that_are_refused(place, ctl, person, stdin, told):
    before = stored_hash(place, person.email)
    done = ctl.run("user", "set-password", person.email, "--password-stdin",
                   stdin=stdin, check=False)
    assert told in refused(done)
    assert stored_hash(place, person.email) == before


@pytest.mark.parametrize("before, flag, after", [
    ("confirmed", [], "confirmed"),
    ("force-change-password", [], "confirmed"),
    ("reset-required", [], "confirmed"),
    ("unconfirmed", [], "unconfirmed"),
    ("disabled", [], "disabled"),
    ("confirmed", ["--force-change"], "force-change-password"),
    ("force-change-password", ["--force-change"], "force-change-password"),
    ("disabled", ["--force-change"], "disabled"),
])
def test_set_password(place, ctl, person, before, flag, after):
    ctl("user", "set-status", person.email, before)
    old = ctl.json("user", "show", person.email)
    sid = add_session(place, person.id)
    over = add_session(place, person.id, ended="1 day", why=1)
    answer = ctl.json("user", "set-password", person.email.upper(), *flag,
                      stdin=b"another long password\n")
    assert answer == {"email": person.email, "statusBefore": before,
                      "status": after, "sessionsEnded": 1}
    assert is_password(stored_hash(place, person.email),
                       "another long password")
    new = ctl.json("user", "show", person.email)
    assert new["status"] == after
    assert new["passwordChangedAt"] > old["passwordChangedAt"]
    assert session_state(place, sid) == (True, 4)
    assert session_state(place, over) == (True, 1)


@pytest.mark.parametrize("status", STATUSES)
def test_set_status(place, ctl, person, status):
    sid = add_session(place, person.id)
    before = stored_hash(place, person.email)
    answer = ctl.json("user", "set-status", person.email, status)
    ends = status != "confirmed"
    assert answer["sessionsEnded"] == int(ends)
    assert session_state(place, sid) == (ends, 4 if ends else None)
    assert ctl.json("user", "show", person.email)["status"] == status
    assert stored_hash(place, person.email) == before


@pytest.mark.parametrize("words, stdin", [
    (["set-password"], b"another long password\n"),
    (["set-status", "reset-required"], b"")])
def test_session_that_was_being_opened_ends_too(place, ctl, person, words,
                                                stdin):
    """A sign-in has the user's row, and is not done yet: what changes the account
    waits for it, and has to see what it could not see when it began."""
    import psycopg2
    sign_in = psycopg2.connect(conninfo(place.cluster, place.database,
                                        "postgres"))
    try:
        with sign_in.cursor() as cursor, ThreadPoolExecutor() as others:
            cursor.execute("UPDATE postern.users SET last_sign_in_at = now()"
                           " WHERE user_id = %s", [person.id])
            change = others.submit(ctl.json, "user", words[0], person.email,
                                   *words[1:], stdin=stdin)
            process.wait_until("the change waits", lambda: place.ask(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"))
            sid = add_session(SimpleNamespace(
                ask=lambda sql, *values: cursor.execute(sql, values)),
                person.id)
            sign_in.commit()
            assert change.result()["sessionsEnded"] == 1
    finally:
        sign_in.close()
    assert session_state(place, sid) == (True, 4)


def test_two_change_one_account(place, person):
    """Each change is whole: login and user never tell different statuses."""
    runs = [subprocess.Popen(
        [tree.POSTERNCTL, "--config", place.ctl.settings_file, "user",
         "set-status", person.email, name], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env=process.clean_environment())
        for name in STATUSES]
    for one in runs:
        _, err = one.communicate(timeout=120)
        assert one.returncode == 0 or b"try again" in err
    [(login, user)] = place.ask(
        "SELECT l.status, u.status FROM postern.logins l"
        " JOIN postern.users u USING (user_id) WHERE l.login_key = %s",
        person.email)
    assert login == user


def test_list_pages(room, own_cluster):
    place = make_place(room, own_cluster, make_database(own_cluster))
    place.ctl("migrate")
    place.ask("WITH l AS (INSERT INTO postern.logins (login_key, user_id,"
              " email, status, created_at) SELECT 'u' || lpad(n::text, 4, '0')"
              " || '@example.test', gen_random_uuid(), 'User', n %% 6, now()"
              " FROM generate_series(1, 25) n RETURNING *)"
              " INSERT INTO postern.users (user_id, login_key, email, status,"
              " created_at) SELECT user_id, login_key, email, status,"
              " created_at"
              " FROM l WHERE %s", True)
    seen, after, pages = [], [], 0
    while True:
        page = place.ctl.json("user", "list", "--limit", "10", *after)
        seen += [row["email"] for row in page["users"]]
        pages += 1
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert pages == 3
    assert seen == [f"u{n:04}@example.test" for n in range(1, 26)]

    disabled = place.ctl.json("user", "list", "--status", "disabled")["users"]
    assert [row["email"] for row in disabled] == \
        [f"u{n:04}@example.test" for n in range(5, 26, 6)]
    text = place.ctl("user", "list", "--limit", "2")
    assert text.splitlines()[-1].endswith("--after u0002@example.test")
    assert "--after" not in place.ctl("user", "list")
    assert place.ctl.json("user", "list", "--after", "z")["users"] == []


def test_delete(place, ctl, person):
    other = f"o{secrets.token_hex(6)}@example.test"
    ctl("user", "add", other, "--no-password")
    other_session = add_session(place, ctl.json("user", "show",
                                                other)["userId"])
    add_session(place, person.id)
    add_session(place, person.id, ended="1 day", why=1)
    ctl("api-key", "create", "--scope", "secret", "--user", person.email)
    place.ask("INSERT INTO postern.audit_events (user_id, event_id, at, kind)"
              " VALUES (%s, %s, now(), 1)", person.id, str(uuid.uuid4()))

    said = refused(ctl.run("user", "delete", person.email, check=False))
    assert "--yes" in said
    answer = ctl.json("user", "delete", person.email, "--yes")
    assert answer == {"email": person.email, "userId": person.id,
                      "sessionsRemoved": 2, "apiKeysRemoved": 1}
    refused(ctl.run("user", "show", person.email, check=False))
    for table, left in (("logins", 0), ("users", 0), ("sessions", 0),
                        ("api_keys", 0), ("audit_events", 1)):
        assert place.ask(f"SELECT count(*) FROM postern.{table}"
                         " WHERE user_id = %s", person.id) == [(left,)]
    assert session_state(place, other_session) == (False, None)


def test_show_counts_live_sessions_and_keys(place, ctl, person):
    add_session(place, person.id)
    add_session(place, person.id, ended="1 day", why=1)
    add_session(place, person.id, expires="-1 day")
    add_session(place, person.id, age="20 days", rotated="15 days")  # idle
    ctl("api-key", "create", "--scope", "secret", "--user", person.email)
    shown = ctl.json("user", "show", person.email)
    assert shown["liveSessions"] == 1 and shown["activeApiKeys"] == 1


# ---- at a terminal -----------------------------------------------------------

def at_terminal(place, *words, columns=0):
    return Terminal([tree.POSTERNCTL, "--config", place.ctl.settings_file,
                     *words], columns=columns)


def test_password_at_the_terminal(place):
    email = f"t{secrets.token_hex(6)}@example.test"
    with at_terminal(place, "user", "add", email) as terminal:
        terminal.expect("New password: ")
        terminal.wait_until_silent()
        terminal.type("typed at the terminal\n")
        terminal.expect("The same again: ")
        terminal.wait_until_silent()
        terminal.type("typed at the terminal\n")
        assert "typed" not in terminal.expect("added")
        assert terminal.wait() == 0
        assert terminal.echoes()
    assert is_password(stored_hash(place, email), "typed at the terminal")


def test_passwords_that_differ(place, person):
    with at_terminal(place, "user", "set-password", person.email) as terminal:
        terminal.expect("New password: ")
        terminal.wait_until_silent()
        terminal.type("typed at the terminal\n")
        terminal.expect("The same again: ")
        terminal.wait_until_silent()
        terminal.type("typed at the terminaL\n")
        terminal.expect("differ")
        assert terminal.wait() == 1
        assert terminal.echoes()
    assert is_password(stored_hash(place, person.email), person.password)


def test_a_short_password_is_not_asked_for_twice(place, person):
    with at_terminal(place, "user", "set-password", person.email) as terminal:
        terminal.expect("New password: ")
        terminal.wait_until_silent()
        terminal.type("short\n")
        before = terminal.expect("fewer than 8 characters")
        assert "again" not in before
        assert terminal.wait() == 1


def test_no_password_at_the_terminal(place, person):
    with at_terminal(place, "user", "set-password", person.email) as terminal:
        terminal.expect("New password: ")
        terminal.wait_until_silent()
        terminal.type("\x04")
        terminal.expect("no password was given")
        assert terminal.wait() == 1
        assert terminal.echoes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM,
                                    signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_gives_the_terminal_back(place, person, number):
    with at_terminal(place, "user", "set-password", person.email) as terminal:
        terminal.expect("New password: ")
        terminal.wait_until_silent()
        if number == signal.SIGINT:
            terminal.type("half\x03")
        else:
            os.kill(terminal.pid, number)
        assert terminal.wait() == -number
        assert terminal.echoes()
    assert is_password(stored_hash(place, person.email), person.password)


def test_stopped_and_continued(place, person):
    shell = 'set -m; "$@"; echo "stopped: $?"; read -r _; fg; exit $?'
    with Terminal(["/bin/bash", "-c", shell, "-", tree.POSTERNCTL, "--config",
                   place.ctl.settings_file, "user", "set-password",
                   person.email]) as terminal:
        terminal.expect("New password: ")
        terminal.wait_until_silent()
        terminal.type("half\x1a")
        terminal.expect("stopped: 148")
        assert terminal.echoes()
        terminal.type("\n")
        terminal.expect("New password: ")
        for prompt in ("The same again: ", "password set"):
            terminal.wait_until_silent()
            terminal.type("after the pause\n")
            terminal.expect(prompt)
        assert terminal.wait() == 0
    assert is_password(stored_hash(place, person.email), "after the pause")


@pytest.mark.parametrize("answer, status", [
    ("yes\n", 0), ("no\n", 1), ("\n", 1), ("y\n", 1), ("\x04", 1),
    ("yes, indeed\n", 1)])
def test_delete_asks(place, ctl, person, answer, status):
    with at_terminal(place, "user", "delete", person.email) as terminal:
        question = terminal.expect('Type "yes" to go ahead: ')
        assert f"Delete {person.email}" in question
        terminal.type(answer)
        assert terminal.wait() == status
    shown = ctl.run("user", "show", person.email, check=False)
    assert shown.returncode == (1 if status == 0 else 0)


def test_stdin_although_there_is_a_terminal(place, person):
    with at_terminal(place, "user", "set-password", person.email,
                     "--password-stdin") as terminal:
        terminal.type("typed for all to see\n")
        terminal.expect("password set")
        assert terminal.wait() == 0
    assert is_password(stored_hash(place, person.email),
                       "typed for all to see")


# ---- where a password must not be --------------------------------------------

def test_a_password_leaves_no_trace(place, ctl):
    email = f"h{secrets.token_hex(6)}@example.test"
    password = "Trace-" + secrets.token_urlsafe(18)
    running = subprocess.Popen(
        [tree.POSTERNCTL, "--verbose", "--config", ctl.settings_file, "user",
         "add", email, "--password-stdin"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=process.clean_environment())
    running.stdin.write(password.encode())
    running.stdin.flush()
    for name in ("cmdline", "environ"):
        with open(f"/proc/{running.pid}/{name}", "rb") as file:
            assert password.encode() not in file.read()
    out, _ = running.communicate(b"\n", timeout=120)
    assert running.returncode == 0, out
    assert password.encode() not in out
    assert is_password(stored_hash(place, email), password)
    log = place.cluster.log()
    assert email in log  # statements are logged with their parameters
    assert password not in log
    assert password not in place.cluster.dump()


# ---- signing keys ------------------------------------------------------------

def test_the_first_key_signs_at_once_the_next_later(room, own_cluster):
    place = make_place(room, own_cluster, "postern")
    first = place.ctl.json("key", "new")
    keys = place.ctl.json("key", "list")["keys"]
    assert [(key["kid"], key["state"]) for key in keys] == \
        [(first["kid"], "signing")]
    second = place.ctl.json("key", "new", "--algorithm", "eddsa")
    assert second["algorithm"] == "EdDSA"
    keys = {key["kid"]: key for key in place.ctl.json("key", "list")["keys"]}
    assert keys[first["kid"]]["state"] == "signing"
    assert keys[second["kid"]]["state"] == "published"
    assert keys[second["kid"]]["signFrom"] > keys[second["kid"]]["createdAt"]

    directory = room / "keys"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for file in directory.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {"keys.json", "master.key", first["kid"] + ".pem"} <= \
        {file.name for file in directory.iterdir()}


def test_retire(room, own_cluster):
    place = make_place(room, own_cluster, "postern")
    first = place.ctl.json("key", "new")["kid"]
    refused(place.ctl.run("key", "retire", first, check=False))
    refused(place.ctl.run("key", "retire", "A" * 43, check=False))
    second = place.ctl.json("key", "new", "--sign-in-seconds", "0")["kid"]
    answer = place.ctl.json("key", "retire", first)
    assert answer["kid"] == first and answer["keysRemoved"] == 0
    states = {key["kid"]: key["state"]
              for key in place.ctl.json("key", "list")["keys"]}
    assert states == {first: "retired", second: "signing"}
    assert "master.key" in os.listdir(room / "keys")


def test_revoke_a_key(room, own_cluster):
    place = make_place(room, own_cluster, "postern")
    first = place.ctl.json("key", "new")["kid"]
    refused(place.ctl.run("key", "revoke", first, check=False))
    second = place.ctl.json("key", "new", "--sign-in-seconds", "0")["kid"]
    place.ctl("key", "retire", first)
    answer = place.ctl.json("key", "revoke", first)
    assert answer["kid"] == first and answer["keysRemoved"] == 1
    assert [key["kid"] for key in place.ctl.json("key", "list")["keys"]] == \
        [second]
    assert first + ".pem" not in os.listdir(room / "keys")


def test_keys_need_no_database(room, own_cluster):
    place = make_place(room, own_cluster, "no_such_database")
    place.ctl("key", "new")
    assert len(place.ctl("key", "list").splitlines()) == 2


def test_keys_out_of_reach(room, own_cluster):
    place = make_place(room, own_cluster, "postern",
                       key_dir=room / "not/there/keys")
    for words in (["key", "list"], ["key", "new"]):
        said = refused(place.ctl.run(*words, check=False), 3)
        assert said.count("not/there/keys") == 1
        assert "\n  is the setting key_dir right?  " in said


def test_a_key_that_is_not_there(place):
    said = refused(place.ctl.run("key", "retire", "none", check=False), 1)
    assert '"none"' in said and "\n  see: posternctl key list\n" in said


# ---- API keys ----------------------------------------------------------------

def test_api_key_is_shown_once(place, ctl):
    text = ctl("api-key", "create", "--scope", "publishable", "--name",
               "front end")
    assert re.fullmatch(r"pk\.[\w-]{43}\.[\w-]{43}", text)
    ids = base64.urlsafe_b64decode(text.split(".")[1] + "=")
    key_id = str(uuid.UUID(bytes=ids[16:]))
    assert ids[:16] == bytes(16)
    [(digest, scope)] = place.ask(
        "SELECT secret_hash, scope FROM postern.api_keys WHERE key_id = %s",
        key_id)
    assert bytes(digest) == hashlib.sha256(text.encode()).digest()
    assert scope == 0
    listed = {key["keyId"]: key
              for key in ctl.json("api-key", "list")["apiKeys"]}
    assert listed[key_id]["name"] == "front end"
    assert listed[key_id]["state"] == "active"
    assert listed[key_id]["userId"] is None
    assert text.split(".")[2] not in ctl("api-key", "list")
    assert text.split(".")[2] not in place.cluster.log()


@pytest.mark.parametrize("name, told", [
    ("\u00e9" * 100, None),
    ("\u00e9" * 100 + "x", "at most 200 bytes"),
    ("caf\udce9", "takes UTF-8"),  # the byte e9
])
def test_name_of_an_api_key(ctl, person, name, told):
    done = ctl.run("--json", "api-key", "create", "--scope", "publishable",
                   "--user", person.email, "--name", name, check=False)
    listed = ctl.json("api-key", "list", "--user", person.email)["apiKeys"]
    if told is None:
        assert json.loads(done.stdout)["name"] == name
        assert [key["name"] for key in listed] == [name]
    else:
        assert told in refused(done, 2)
        assert listed == []


def test_secret_api_key(place, ctl, person):
    answer = ctl.json("api-key", "create", "--scope", "secret", "--user",
                      person.email.upper(), "--expires-days", "7")
    assert answer["apiKey"].startswith("sk.")
    assert answer["userId"] == person.id
    assert TIME.fullmatch(answer["expiresAt"])
    listed = ctl.json("api-key", "list", "--user", person.email)["apiKeys"]
    assert [key["keyId"] for key in listed] == [answer["keyId"]]
    assert listed[0]["email"] == person.email
    refused(ctl.run("api-key", "create", "--scope", "secret", "--user",
                    "nobody@example.test", check=False))


def test_revoke_api_key(ctl, person):
    created = ctl.json("api-key", "create", "--scope", "publishable",
                       "--user", person.email)
    first = ctl.json("api-key", "revoke", created["keyId"])
    again = ctl.json("api-key", "revoke", created["keyId"])
    assert first == again
    [key] = ctl.json("api-key", "list", "--user", person.email)["apiKeys"]
    assert key["state"] == "revoked" and key["revokedAt"] == first["revokedAt"]
    refused(ctl.run("api-key", "revoke", str(uuid.uuid4()), check=False))


def test_api_key_pages(ctl, person):
    made = {ctl.json("api-key", "create", "--scope", "publishable", "--user",
                     person.email)["keyId"] for _ in range(5)}
    seen, after = [], []
    while True:
        page = ctl.json("api-key", "list", "--user", person.email, "--limit",
                        "2", *after)
        seen += [key["keyId"] for key in page["apiKeys"]]
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert len(seen) == 5 and set(seen) == made


# Ways to run a program whose output goes nowhere.
NOWHERE = {
    "full": 'exec "$@" >/dev/full',
    "closed": 'exec "$@" >&-',
    "closed, all": 'exec "$@" <&- >&- 2>"$0"',
    "no reader": 'exec "$@"',
}


def run_nowhere(place, way, *words):
    """Exit status, and what was said."""
    told = place.directory / "told"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            ["sh", "-c", NOWHERE[way], str(told), tree.POSTERNCTL, "--config",
             place.ctl.settings_file, *words], stdout=writer,
            stderr=subprocess.PIPE, env=process.clean_environment(),
            timeout=120)
    finally:
        os.close(writer)
    said = done.stderr.decode()
    if told.exists():
        said += told.read_text()
        told.unlink()
    return done.returncode, said


def create_for_nobody(place, way):
    """Make an API key that cannot be shown: exit status, what was said, and the
    state of each new key by its id."""
    def states():
        return {key["keyId"]: key["state"]
                for key in place.ctl.json("api-key", "list", "--limit",
                                          "1000")["apiKeys"]}

    before = states()
    status, said = run_nowhere(place, way, "api-key", "create", "--scope",
                               "publishable")
    return status, said, {key: state for key, state in states().items()
                          if key not in before}


@pytest.mark.parametrize("way", NOWHERE)
def test_a_key_that_cannot_be_shown_is_taken_back(place, way):
    status, said, made = create_for_nobody(place, way)
    assert status == 3
    assert said == ("posternctl: could not write the key to stdout\n"
                    "  it has been revoked: make another one\n")
    assert list(made.values()) == ["revoked"]


def test_a_key_that_cannot_be_taken_back_is_named(empty):
    empty.ctl("migrate")
    empty.ask("REVOKE UPDATE ON postern.api_keys FROM postern_admin")
    status, said, made = create_for_nobody(empty, "full")
    assert status == 3
    [(key, state)] = made.items()
    assert state == "active"
    assert "could not revoke it: permission denied" in said
    assert f"run: posternctl api-key revoke {key}" in said


@pytest.mark.parametrize("way", NOWHERE)
def test_an_answer_that_cannot_be_written_is_no_success(place, way):
    assert run_nowhere(place, way, "user", "list") == (
        3, "posternctl: could not write the answer to stdout\n")


# ---- sessions ----------------------------------------------------------------

def test_session_list(place, ctl, person):
    live = add_session(place, person.id)
    over = {add_session(place, person.id, ended="1 hour", why=why): state
            for why, state in enumerate(
                ["signed-out", "token-reused", "revoked",
                 "account-changed"], 1)}
    over[add_session(place, person.id, expires="-1 hour")] = "expired"
    over[add_session(place, person.id, age="20 days")] = "idle"
    [only] = ctl.json("session", "list", person.email)["sessions"]
    assert only["sessionId"] == live and only["state"] == "live"
    assert only["email"] == person.email and only["userId"] == person.id
    assert only["address"] == "192.0.2.7" and only["generation"] == 0
    assert only["device"] == DEVICE
    everything = ctl.json("session", "list", person.email,
                          "--ended")["sessions"]
    assert {row["sessionId"]: row["state"] for row in everything} == \
        {live: "live", **over}
    # A terminal never gets to see the orders in somebody's User-Agent.
    text = ctl("session", "list", person.email)
    assert DEVICE_SHOWN in text and text.replace("\n", "").isprintable()
    text = ctl("session", "list", person.email, "--json")
    assert text.replace("\n", "").isprintable()


def test_session_list_of_all_pages(place, ctl, person):
    made = {add_session(place, person.id) for _ in range(3)}
    seen, after, pages = set(), [], 0
    while pages < 1000:
        page = ctl.json("session", "list", "--all", "--limit", "2", *after)
        assert len(page["sessions"]) <= 2
        seen |= {row["sessionId"] for row in page["sessions"]}
        pages += 1
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert made <= seen


def test_session_revoke(place, ctl, person):
    sids = [add_session(place, person.id) for _ in range(4)]
    assert ctl.json("session", "revoke", sids[0])["sessionsEnded"] == 1
    assert ctl.json("session", "revoke", sids[0])["sessionsEnded"] == 0
    assert session_state(place, sids[0]) == (True, 3)
    assert session_state(place, sids[1]) == (False, None)
    assert ctl.json("session", "revoke", sids[1], "--user",
                    person.email)["sessionsEnded"] == 1
    assert ctl.json("session", "revoke", "--user",
                    person.email)["sessionsEnded"] == 2
    assert session_state(place, sids[3]) == (True, 3)
    refused(ctl.run("session", "revoke", str(uuid.uuid4()), check=False))


def test_a_session_of_somebody_else_is_not_revoked(place, ctl, person):
    other = f"o{secrets.token_hex(6)}@example.test"
    ctl("user", "add", other, "--no-password")
    sid = add_session(place, person.id)
    refused(ctl.run("session", "revoke", sid, "--user", other, check=False))
    assert session_state(place, sid) == (False, None)


def test_cleanup(room, own_cluster):
    place = make_place(room, own_cluster, make_database(own_cluster))
    place.ctl("migrate")
    users = [str(uuid.uuid4()) for _ in range(3)]
    kept = {add_session(place, users[0]),
            add_session(place, users[0], age="60 days", ended="29 days",
                        why=1),
            add_session(place, users[1], expires="-29 days")}
    for user in users:
        add_session(place, user, ended="31 days", why=1)
        add_session(place, user, expires="-31 days")
    # More than fit in one step, for several users.
    place.ask("INSERT INTO postern.sessions (user_id, sid, token_hash,"
              " created_at, rotated_at, expires_at) SELECT u, gen_random_uuid(),"
              " sha256('x'), now(), now(), now() - interval '40 days'"
              " FROM unnest(%s::uuid[]) u, generate_series(1, 900)", users)
    place.ask("INSERT INTO postern.audit_events (user_id, event_id, at, kind)"
              " SELECT %s, gen_random_uuid(), now() - n * interval '1 day', 2"
              " FROM generate_series(1, 20) n", users[0])

    place.ask("INSERT INTO postern.throttle SELECT sha256(n::text::bytea), 3,"
              " now() - n * interval '60 seconds'"
              " FROM generate_series(1, 3000) n")

    answer = place.ctl.json("session", "cleanup")
    assert answer.pop("throttleRemoved") in (1560, 1561)  # older than a day
    assert answer == {"sessionsSeen": 2709, "sessionsRemoved": 2706,
                      "throttleSeen": 3000,
                      "auditSeen": 0, "auditRemoved": 0}
    left = {str(sid) for (sid,) in place.ask(
        "SELECT sid FROM postern.sessions")}
    assert left == kept
    answer = place.ctl.json("session", "cleanup", "--days", "1",
                            "--audit-days", "10")
    assert answer["sessionsRemoved"] == 2
    assert answer["auditSeen"] == 20 and answer["auditRemoved"] in (10, 11)
    assert place.ctl.json("session", "cleanup")["sessionsRemoved"] == 0


# ---- audit -------------------------------------------------------------------

def test_audit_list(place, ctl, person):
    events = [str(uuid.UUID(int=(n << 80) | (7 << 76) | (8 << 60) |
                            secrets.randbits(60))) for n in range(1, 6)]
    for n, event in enumerate(events):
        place.ask("INSERT INTO postern.audit_events (user_id, event_id, at,"
                  " kind, address, reason) VALUES (%s, %s, now(), %s,"
                  " '192.0.2.1', %s)", person.id, event, 1 + n % 2,
                  "wrong_password" if n % 2 else None)
    page = ctl.json("audit", "list", person.email, "--limit", "3")
    assert [row["eventId"] for row in page["events"]] == events[:1:-1]
    rest = ctl.json("audit", "list", person.email, "--after", page["next"])
    assert [row["eventId"] for row in rest["events"]] == events[1::-1]
    assert rest["next"] is None
    assert rest["events"][0]["kind"] == "sign-in-refused"
    assert rest["events"][0]["reason"] == "wrong_password"
    assert rest["events"][1]["kind"] == "sign-in"
    assert ctl.json("audit", "list", "--unknown")["events"] == []


# ---- when something is away --------------------------------------------------

def run_within(place, words, seconds):
    done, took = clock.timed(place.ctl.run, *words, check=False)
    assert took.running < seconds * (5 if tree.SANITIZED else 1)
    return done


@pytest.mark.parametrize("words", [["migrate"], ["user", "list"],
                                   ["--json", "session", "cleanup"]])
def test_no_database(room, own_cluster, words):
    place = make_place(room, own_cluster, "no_such_database",
                       db_timeout_ms=1000)
    for name in ("owner_database", "admin_database", "database"):
        place.settings[name] = f"host={room} user=postern_admin"
    write_settings(place.ctl.settings_file, place.settings)
    said = refused(run_within(place, words, 3), 3)
    assert "could not connect" in said and str(room) in said
    # libpq says it in two lines.
    assert "No such file or directory; Is the server running" in said


def test_a_database_that_never_answers(room, own_cluster):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        place = make_place(room, own_cluster, "postern", admin_database=(
            f"host=127.0.0.1 port={silent.getsockname()[1]} "
            "user=postern_admin"), db_timeout_ms=1000)
        said = refused(run_within(place, ["user", "list"], 3), 3)
    assert "could not connect" in said


@pytest.mark.parametrize("words, told", [
    (["user", "list"], b"-c statement_timeout=54000"),
    (["migrate"], b"-c statement_timeout=3240000"),
    (["check"], b"-c statement_timeout=900"),
])
@pytest.mark.parametrize("db_prepare", ["on", "off"])
def test_the_server_is_told_of_the_time(room, own_cluster, words, told,
                                        db_prepare):
    """A statement that posternctl has given up must not be done after all.
    Poolers do not let themselves be told."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(room / ".s.PGSQL.5432"))
        server.listen(8)
        server.settimeout(60)
        away = f"host={room} user=postern_admin"
        place = make_place(room, own_cluster, "postern", db_timeout_ms=1000,
                           db_prepare=db_prepare, database=away,
                           admin_database=away, owner_database=away)
        ours = subprocess.Popen(
            [tree.POSTERNCTL, "--config", place.ctl.settings_file, *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=process.clean_environment())
        with server.accept()[0] as connection:
            connection.settimeout(60)
            start = connection.recv(4096)
        ours.communicate(timeout=120)
    assert b"application_name" in start
    assert (b"options\0" + told + b"\0" in start) == (db_prepare == "on")
    assert (b"statement_timeout" in start) == (db_prepare == "on")


def test_a_statement_that_the_server_ends(place, ctl, person):
    """Somebody holds the row for longer than it may take."""
    import psycopg2
    holder = psycopg2.connect(conninfo(place.cluster, place.database,
                                       "postgres"))
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT FROM postern.users WHERE user_id = %s"
                           " FOR UPDATE", [person.id])
        done = process.run(
            [tree.POSTERNCTL, "--config", ctl.settings_file, "user",
             "set-status", person.email, "disabled"],
            env=process.clean_environment(
                PGOPTIONS="-c statement_timeout=300"))
    finally:
        holder.close()
    said = refused(done, 3)
    assert "could not set the status" in said
    assert "statement timeout (SQLSTATE 57014)" in said
    assert "does somebody hold a lock?" in said
    assert place.ask("SELECT l.status, u.status FROM postern.logins l"
                     " JOIN postern.users u USING (user_id)"
                     " WHERE user_id = %s", person.id) == [(0, 0)]


def test_a_database_password_is_not_shown(room, own_cluster):
    place = make_place(room, own_cluster, "postern", admin_database=(
        f"host={room} user=postern_admin password=hunter2hunter2"))
    done = place.ctl.run("--verbose", "user", "list", check=False)
    assert done.returncode == 3
    assert b"hunter2" not in done.stderr + done.stdout


def test_check_without_database(room, own_cluster):
    place = make_place(room, own_cluster, "postern", **{
        name: f"host={room} user=postern_service"
        for name in ("database", "admin_database")})
    place.ctl("key", "new")
    lines = check(place, 1)
    assert lines["database"]["result"] == "fail"
    assert lines["keys"]["result"] == "ok"
    assert "schema" not in lines


def test_words_at_a_terminal_fit_into_80_columns(room, own_cluster):
    """What goes elsewhere stays on its line, for scripts that look for it."""
    place = make_place(room, own_cluster, "postern", **{
        name: f"host={room} user=postern_service"
        for name in ("database", "admin_database")})
    for words, indent in ((["check"], 22), (["user", "list"], 2)):
        done = place.ctl.run(*words, check=False)
        elsewhere = (done.stdout + done.stderr).decode()
        assert max(map(len, elsewhere.splitlines())) > 80
        with at_terminal(place, *words) as terminal:
            assert terminal.wait() == done.returncode
            seen = terminal.screen.replace("\r\n", "\n")
        assert all(len(line) <= 80 for line in seen.splitlines()
                   if " " in line.strip())
        assert re.sub(r"\s+", " ", seen) == re.sub(r"\s+", " ", elsewhere)
        assert re.search(rf"^ {{{indent}}}\S", seen, re.M)


def lines_at_terminal(place, *words, columns=0):
    with at_terminal(place, *words, columns=columns) as terminal:
        assert terminal.wait() == 0
        return terminal.screen.replace("\r\n", "\n").splitlines()


@pytest.fixture(scope="module")
def lists(runtime, own_cluster):
    """Commands whose tables are wide, and what must stay whole in each."""
    directory = runtime / "lists"
    directory.mkdir()
    place = make_place(directory, own_cluster, make_database(own_cluster))
    place.ctl("migrate")
    email = "ann.of.a.long.name@department.of.many.example.test"
    place.ctl("user", "add", "--no-password", email)
    user = place.ctl.json("user", "show", email)["userId"]
    place.ctl("api-key", "create", "--scope", "publishable")
    place.ctl("api-key", "create", "--scope", "secret", "--user", email,
              "--expires-days", "9", "--name", " ".join(["\u6771\u4eac"] * 12))
    sid = add_session(place, user)
    place.ask("INSERT INTO postern.audit_events (event_id, at, kind, user_id,"
              " address, sid) VALUES (%s, now(), 1, %s, '192.0.2.7', %s)",
              str(uuid.uuid4()), user, sid)
    place.ask("INSERT INTO postern.throttle (digest, failures, failed_at)"
              " VALUES (%s, 50, now())", secrets.token_bytes(32))
    kids = [place.ctl.json("key", "new")["kid"] for _ in range(2)]
    keys = place.ctl.json("api-key", "list")["apiKeys"]
    [count] = place.ctl.json("throttle", "list")["counts"]
    return place, {
        ("key", "list"): kids,
        ("api-key", "list"): [key["keyId"] for key in keys] + [email],
        ("session", "list", email): [sid, email],
        ("audit", "list", email): [sid],
        ("throttle", "list"): [count["digest"]],
        ("user", "list"): [email],
    }


LISTS = ["key", "api-key", "session", "audit", "throttle", "user"]


def columns_of(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


@pytest.mark.parametrize("group", LISTS)
@pytest.mark.parametrize("columns", [60, 80, 120, 0])
def test_a_list_fits_the_terminal(lists, group, columns):
    place, commands = lists
    [(words, whole)] = [item for item in commands.items()
                        if item[0][0] == group]
    lines = lines_at_terminal(place, *words, columns=columns)
    assert max(map(columns_of, lines)) <= (columns or 80)
    for text in whole:
        assert any(text in line.split("  ") for line in lines), (text, lines)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("group", LISTS)
def test_a_list_is_a_line_a_row_elsewhere(lists, group):
    """And on a terminal that has room, where nobody needs milliseconds."""
    place, commands = lists
    [words] = [words for words in commands if words[0] == group]
    heading, *lines = place.ctl(*words).splitlines()
    [rows] = [value for value in place.ctl.json(*words).values()
              if isinstance(value, list)]
    assert len(lines) == len(rows)
    assert TIME.search(lines[0])
    wide = lines_at_terminal(place, *words, columns=400)
    assert [line.split() for line in wide] == \
        [re.sub(r"\.\d{3}Z", "Z", line).split() for line in (heading, *lines)]


def test_what_a_narrow_list_leaves_out(lists):
    place, commands = lists
    [words] = [words for words in commands if words[0] == "session"]
    assert "generation" in place.ctl(*words)
    lines = lines_at_terminal(place, *words)
    assert not any("generation" in line for line in lines)
    assert lines[-1].endswith("...") and "Firefox \\u{1b}" in lines[-1]
    # A further line that has nothing to tell is none.
    place.ask("UPDATE postern.throttle SET failures = 1")
    heading, further, *rows = lines_at_terminal(place, "throttle", "list")
    assert further == "  locked until" and len(rows) == 1


def test_no_settings(room):
    ctl = Ctl(room / "no-such-file")
    said = refused(ctl.run("user", "list", check=False), 3)
    assert "no-such-file" in said


# ---- the network-facing program ----------------------------------------------

def test_the_service_has_no_administration_in_it():
    assert b"admin_account_add" in tree.POSTERNCTL.read_bytes()
    program = tree.POSTERN.read_bytes()
    for name in (b"admin_account_add", b"admin_session_end",
                 b"DELETE FROM postern.users"):
        assert name not in program
