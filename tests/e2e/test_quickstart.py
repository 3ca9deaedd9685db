"""deploy/quickstart: what a newcomer runs first, and scripts build upon."""

import os
import re
import shlex
import time

import pytest

from conftest import Quickstart, SIGN_IN
from harness import contract, process, web
from harness.terminal import Terminal

pytestmark = pytest.mark.timeout(1000)


def sign_in(env, password=None):
    import json
    port = int(env["BASE_URL"].rsplit(":", 1)[1])
    return web.fetch(port, "POST", SIGN_IN, json.dumps(
        {"email": env["EMAIL"], "password": password or env["PASSWORD"]})
        .encode(), {"Content-Type": "application/json",
                    "x-api-key": env["API_KEY"]})


def test_signs_in(quickstart):
    env = quickstart.env()
    contract.check_signed_in(sign_in(env))
    contract.check_refused(sign_in(env, "wrong"), 401, "INVALID_CREDENTIALS")


def test_env_names_all_that_is_promised(quickstart):
    assert set(quickstart.env()) >= set("""BASE_URL API_KEY SECRET_API_KEY EMAIL
        PASSWORD FCGI_SOCK FCGI_WORKERS JWKS_URL PGHOST PGDATABASE PGUSER
        POSTERN_CONFIG POSTERN_PID PGCTL_RESTART""".split())
    # It holds secrets.
    assert (quickstart.directory / "env").stat().st_mode & 0o077 == 0


def test_every_variable_works(quickstart):
    from harness import fastcgi
    from harness.postern import Ctl
    env = quickstart.env()
    shell = process.clean_environment(**env)

    assert env["BASE_URL"] == f"http://127.0.0.1:{quickstart.port}"
    assert fastcgi.ask(env["FCGI_SOCK"], "GET", "/v2/auth/health").status == 200
    workers = process.children(int(env["POSTERN_PID"]))
    assert len(workers) == int(env["FCGI_WORKERS"])
    done = process.run(["psql", "-XAtc", "SELECT count(*) FROM postern.logins"],
                       env=shell, check=True)
    assert int(done.stdout) >= 1
    ctl = Ctl(env["POSTERN_CONFIG"])
    ctl("check")
    assert env["EMAIL"] in ctl("user", "list")
    assert env["SECRET_API_KEY"].startswith("sk.")
    assert env["API_KEY"].startswith("pk.")
    assert env["JWKS_URL"] == env["BASE_URL"] + "/.well-known/jwks.json"


def test_database_restart(quickstart):
    env = quickstart.env()
    contract.check_signed_in(sign_in(env))
    process.run(shlex.split(env["PGCTL_RESTART"]), check=True, within=120)
    contract.check_signed_in(sign_in(env))


def test_second_start_finds_the_first(quickstart):
    before = quickstart.env()
    done = quickstart.start("--set", "scrypt_log2_n=10", "--set",
                            "scrypt_p=1", within=120)
    assert b"running" in done.stdout
    after = quickstart.env()
    assert after == before
    contract.check_signed_in(sign_in(after))


def test_page_and_its_headers(quickstart):
    answer = web.fetch(quickstart.port, "GET", "/")
    assert answer.status == 200
    assert answer.header("Content-Type").startswith("text/html")
    policy = answer.header("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.header("X-Content-Type-Options") == "nosniff"
    # Everything the page needs is here, and nothing of it comes from elsewhere.
    for name in re.findall(rb'(?:src|href)="([^"]+)"', answer.body):
        assert b"//" not in name
        part = web.fetch(quickstart.port, "GET", "/" + name.decode())
        assert part.status == 200, name
        assert b"http://" not in part.body.replace(
            b"http://www.w3.org/", b"") or name.endswith(b".svg")


def test_nothing_else_is_served(quickstart):
    for path in ("/env", "/../env", "/state/secrets", "/postern.conf",
                 "/.git/config", "/%2e%2e/env"):
        assert web.fetch(quickstart.port, "GET", path).status in (400, 403, 404)


def test_processes_do_not_run_as_root(quickstart):
    if os.getuid() != 0:
        pytest.skip("not started as root")
    pid = int(quickstart.env()["POSTERN_PID"])
    for one in [pid, *process.children(pid)]:
        assert os.stat(f"/proc/{one}").st_uid != 0


# ---- what ends, ends whole ---------------------------------------------------

def processes_of(directory):
    """Who has this directory in its arguments or works in it."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode()
            place = os.readlink(f"/proc/{entry}/cwd")
        except OSError:
            continue
        if str(directory) in command or place.startswith(str(directory)):
            found.append((int(entry), command))
    return found


@pytest.fixture
def another(room, quickstart):
    """One that is not running.  That the sources can be built anywhere, the
    first one has shown."""
    one = Quickstart(room / "qs")
    one.take_build(quickstart)
    yield one
    if one.directory.exists():
        one.stop()


def test_start_stop_start(another):
    another.start("--set", "scrypt_log2_n=10", "--set", "scrypt_p=1")
    first = another.env()
    contract.check_signed_in(sign_in(first))
    assert processes_of(another.directory)
    another.stop()
    assert not processes_of(another.directory)
    assert not process.answers(("127.0.0.1", another.port))
    another.stop()  # once more does no harm

    another.start("--set", "scrypt_log2_n=10", "--set", "scrypt_p=1",
                  "--set", "secure_cookies=always")
    second = another.env()
    assert second["PASSWORD"] == first["PASSWORD"]
    assert "__Host-postern-access" in contract.cookies(sign_in(second))
    another.stop()
    assert not processes_of(another.directory)


@pytest.mark.parametrize("setting, words", [
    ("workers=none", "workers"), ("no_such_setting=1", "no_such_setting")])
def test_bad_setting_fails_with_its_reason(another, setting, words):
    done = another.start("--set", setting, check=False)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).decode()
    assert words in said
    assert "Settings failed" in said or "failed" in said
    assert not processes_of(another.directory)


def test_port_that_is_taken(room, quickstart):
    """Told before anything is made."""
    done = process.run([Quickstart.SCRIPT, "start", "--dir", room / "qs",
                        "--port", quickstart.port], within=120)
    assert done.returncode == 1
    assert str(quickstart.port).encode() in done.stderr
    assert not (room / "qs").exists()


@pytest.mark.parametrize("arguments", [
    ["--port", "0"], ["--port", "99999"], ["--port", "x"], ["--set", "x"],
    ["--set"], ["--no-such-option"], ["stray"], ["--dir", "/tmp/a b"]])
def test_usage(arguments):
    done = process.run([Quickstart.SCRIPT, "start", *arguments])
    assert done.returncode == 2, done
    assert done.stderr


@pytest.mark.parametrize("step", ["Build", "PostgreSQL", "Pool", "lighttpd"])
def test_interrupted_on_the_way(another, step):
    """By Ctrl-C, the moment a step begins, and a little later."""
    for pause in (0, 0.02, 0.05):
        with Terminal([Quickstart.SCRIPT, "--dir", another.directory, "--port",
                       another.port, "--set", "scrypt_log2_n=10"]) as terminal:
            terminal.expect(f"\n  {step}", 240)
            time.sleep(pause)
            terminal.type("\x03")
            assert terminal.wait(60) == 130
        assert "Nothing was left running" in terminal.screen
        assert not processes_of(another.directory)


def test_stopped_before_a_step_is_known(room, another):
    """In the moment between a step's birth and the note of its number."""
    (room / "at").write_text(
        "set -T\ntrap 'case ${step_name:-},$BASH_COMMAND in "
        "PostgreSQL*,step_pid=*!) kill -TERM $$ ;; esac' DEBUG\n")
    done = process.run(
        [Quickstart.SCRIPT, "start", "--dir", another.directory, "--port",
         another.port, "--set", "scrypt_log2_n=10"], within=240,
        env=process.clean_environment(BASH_ENV=str(room / "at")))
    assert done.returncode == 143
    assert b"Nothing was left running" in done.stderr
    assert not processes_of(another.directory)


def test_foreground_until_interrupted(another):
    import signal
    started = process.Process(
        [Quickstart.SCRIPT, "--dir", another.directory, "--port", another.port,
         "--set", "scrypt_log2_n=10"],
        another.directory.parent / "output")
    try:
        process.wait_until("the end of the start", lambda: "Ctrl-C" in
                           started.output() or not started.is_running(), 240,
                           0.2)
        assert started.is_running(), started.output()
        contract.check_signed_in(sign_in(another.env()))
    finally:
        started.signal(signal.SIGTERM)
        assert started.wait(60) in (0, 143)
    assert not processes_of(another.directory)
