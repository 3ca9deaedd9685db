"""What a sign-in leaves behind, and what it must not."""

import json
import os
import re
import threading
import urllib.parse
import base64

import pytest

from conftest import SIGN_IN
from harness import contract, fastcgi, process, tree


def audit(cluster, since=None):
    return cluster.ask(
        "SELECT user_id::text, kind, reason, address, sid::text "
        "FROM postern.audit_events WHERE at > %s ORDER BY at, event_id", since)


@pytest.fixture
def now(cluster):
    [(at,)] = cluster.ask("SELECT now()")
    return at


NOBODY = "00000000-0000-0000-0000-000000000000"


def test_audit_of_a_success(pool, people, sign_in, cluster, now):
    body = contract.check_signed_in(
        sign_in(pool, people.alice.email, people.alice.password))
    payload = body["accessToken"].split(".")[1]
    sid = json.loads(base64.urlsafe_b64decode(
        payload + "=" * (-len(payload) % 4)))["sid"]
    assert audit(cluster, now) == [
        (people.alice.user_id, 1, None, "192.0.2.7", sid)]


@pytest.mark.parametrize("who, password, reason", [
    ("alice", "wrong", "wrong_password"),
    ("passwordless", "wrong", "no_password"),
    ("nobody", "wrong", "unknown_login"),
    ("unconfirmed", None, "unconfirmed"),
    ("force_change", None, "change_password"),
    ("reset", None, "reset_required"),
    ("disabled", None, "disabled"),
    ("disabled", "wrong", "wrong_password"),
])
def test_audit_of_a_refusal(pool, people, sign_in, cluster, now, who, password,
                            reason):
    person = getattr(people, who, None)
    email = person.email if person else "nobody@example.test"
    answer = sign_in(pool, email, password or person.password)
    assert answer.status == 401
    assert audit(cluster, now) == [
        (person.user_id if person else NOBODY, 2, reason, "192.0.2.7", None)]


def test_audit_of_single_sign_on(pool, people, sign_in, cluster, now):
    """Of an account, after its password.  A domain is nobody, and anybody can name
    it as often as he likes."""
    answer = sign_in(pool, "who@corp.test", "x")
    assert pool.request_event(answer.header("X-Request-Id"))["outcome"] == \
        "sso_account"
    assert audit(cluster, now) == []
    person = people.external
    sign_in(pool, person.email, person.password)
    assert audit(cluster, now) == [
        (person.user_id, 2, "sso_account", "192.0.2.7", None)]


def test_one_log_line_a_request(pool, people, sign_in, keys):
    from conftest import key_id
    answer = sign_in(pool, people.alice.email, people.alice.password)
    event = pool.request_event(answer.header("X-Request-Id"))
    assert event["method"] == "POST"
    assert event["path"] == SIGN_IN
    assert event["status"] == 200
    assert event["address"] == "192.0.2.7"
    assert event["key"] == key_id(keys.publishable)
    assert "code" not in event
    assert event["us"] > 0

    answer = sign_in(pool, people.alice.email, "wrong")
    event = pool.request_event(answer.header("X-Request-Id"))
    assert (event["status"], event["code"]) == (401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize("uri", [
    '/v2/%0a{"event":"request"}', '/v2/"},{"', "/v2/\n\r\x1b[2J",
    "/v2/\u2028\u0085", "/v2/\x80\xff", "/v2/%e2%80%ae", "/v2/" + "b" * 20000])
def test_a_path_forges_no_log_line(pool, uri):
    answer = fastcgi.ask(pool.address, "GET", uri)
    assert answer.status in (400, 404)
    pool.request_event(answer.header("X-Request-Id"))
    for line in pool.log().splitlines():
        json.loads(line)
        assert line.isprintable()


def test_text_lines_are_not_forged_either(start_pool):
    pool = start_pool(log_format="plain")
    process.wait_until("its first line", lambda: " start " in pool.log())
    before = len(pool.log().splitlines())
    fastcgi.ask(pool.address, "GET", "/v2/\nrequest id=1")
    fastcgi.ask(pool.address, "\nrequest id=2", "/v2")
    process.wait_until("two lines", lambda: len(
        pool.log().splitlines()) >= before + 2)
    assert len(pool.log().splitlines()) == before + 2


# ---- what must stay unseen ---------------------------------------------------

def spellings(secret):
    """A secret as it may slip through: as it is, escaped, encoded, in part."""
    raw = secret.encode()
    whole = base64.b64encode(raw).decode().rstrip("=")
    return {secret, urllib.parse.quote(secret, safe=""),
            json.dumps(secret)[1:-1], raw.hex(), raw.hex().upper(),
            whole, whole.replace("+", "-").replace("/", "_")}


def process_list():
    """Arguments and environments of all processes, as root or owner sees
    them."""
    seen = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{entry}/{name}", "rb") as file:
                    seen.append(file.read().decode(errors="replace"))
            except OSError:
                continue
    return "\n".join(seen)


@pytest.mark.parametrize("log_level", ["info", "debug"])
def test_secrets_stay_unseen(start_pool, start_lighttpd, new_person, keys,
                             cluster, ctl, log_level):
    from harness import lighttpd as web_server
    pool = start_pool(log_level=log_level)
    server = start_lighttpd(web_server.to_socket(pool.address))
    person = new_person()
    wrong = 'Wr0ng "pass\u00e4" word \\ %41'
    headers = {"x-api-key": keys.secret,
               "Authorization": "Basic c2VjcmV0OnNlY3JldC1iYXNpYw==",
               "Cookie": "postern-refresh=cookie-that-is-secret"}
    seen = []
    stop = threading.Event()

    def watch():
        while not stop.wait(0.005):
            seen.append(process_list())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        body = contract.check_signed_in(server.post_json(
            SIGN_IN, {"email": person.email, "password": person.password},
            headers))
        for attempt in ({"email": person.email, "password": wrong},
                        {"email": wrong, "password": wrong},
                        {"email": person.email, "password": [wrong]}):
            assert server.post_json(SIGN_IN, attempt, headers).status in (400,
                                                                          401)
        server.post_json(SIGN_IN, f'{{"password":"{person.password}'.encode(),
                         headers)
        server.fetch("POST", f"{SIGN_IN}?sessionId={body['accessToken']}",
                     b"{}", headers)
    finally:
        stop.set()
        watcher.join()
    pool.stop()
    assert seen

    master = (pool.settings_file.parent.parent / "keys/master.key")
    secrets = {
        "password": person.password, "wrong password": wrong,
        "access token": body["accessToken"],
        "access token's signature": body["accessToken"].split(".")[2],
        "refresh token": body["refreshToken"],
        "refresh token's secret": body["refreshToken"].split(".")[1],
        "API key": keys.secret, "API key's secret": keys.secret.split(".")[2],
        "Basic": "c2VjcmV0OnNlY3JldC1iYXNpYw",
        "cookie": "cookie-that-is-secret",
        "master secret": master.read_text().strip(),
    }
    places = {
        "log": pool.log(), "web server's log": server.log(),
        "database": cluster.dump(), "database's log": cluster.log(),
        "process list": "\n".join(seen),
    }
    assert person.email in places["database"]  # the right one was looked into
    assert "postern.fcgi" in places["process list"]
    found = [f"{what} in {where}" for what, secret in secrets.items()
             for spelling in spellings(secret)
             for where, text in places.items()
             # bytea and statements are written in hexadecimal
             if spelling in text]
    assert not found


def test_posternctl_shows_no_secret(ctl, new_person, keys, cluster):
    person = new_person()
    shown = "".join(
        ctl(*arguments) for arguments in (
            ("user", "show", person.email), ("user", "list"),
            ("--json", "user", "list"), ("api-key", "list"), ("key", "list"),
            ("--json", "api-key", "list"), ("session", "list", person.email)))
    assert person.email in shown
    assert "$s1$" not in shown
    assert keys.secret.split(".")[2] not in shown
    assert "PRIVATE" not in shown


def test_settings_are_printed_without_secrets(room, settings):
    from harness.postern import write_settings
    config = write_settings(room / "settings", {
        **settings, "database": "host=db user=x password=hunter2secret"})
    done = process.run([tree.POSTERN, "--config", config, "--settings"],
                       check=True)
    text = done.stdout.decode()
    assert "scrypt_log2_n" in text and "https://sign-in.test" in text
    assert "hunter2secret" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_files_of_keys_are_private(settings, ctl):
    key_dir = settings["key_dir"]
    assert key_dir.stat().st_mode & 0o777 == 0o700
    for file in key_dir.iterdir():
        if file.name != "keys.json":
            assert file.stat().st_mode & 0o077 == 0, file


def test_core_holds_no_password_for_long(pool, new_person, sign_in):
    """After the answer, the workers' memory does not hold the password."""
    if os.getuid() != 0:
        pytest.skip("reading another process's memory needs root")
    if tree.SANITIZED:
        pytest.skip("AddressSanitizer keeps freed memory in quarantine")
    person = new_person()
    answers = [sign_in(pool, person.email, person.password) for _ in range(8)]
    body = contract.check_signed_in(answers[-1])
    pool.request_event(answers[-1].header("X-Request-Id"))
    needles = {"password": person.password.encode(),
               "refresh token": body["refreshToken"].encode(),
               "signature": body["accessToken"].split(".")[2].encode()}
    found = [f"{what} in worker {pid}" for pid in pool.workers()
             for what in held(pid, needles)]
    assert not found


def held(pid, needles):
    found = set()
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            area = re.match(r"(\w+)-(\w+) rw", line)
            if not area or "[v" in line:
                continue
            start, end = (int(part, 16) for part in area.groups())
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError):
                continue
            found |= {what for what, needle in needles.items()
                      if needle in data}
    return found
