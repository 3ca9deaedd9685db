"""Wrong settings stop the start, with name and reason."""

import os

import pytest

from harness import process, tree
from harness.postern import write_settings


def start(settings_file, *arguments, env=None):
    """Start where it must not run; returns its status and words."""
    done = process.run([tree.POSTERN, "--config", settings_file, *arguments],
                       env=env)
    return done.returncode, (done.stdout + done.stderr).decode()


WRONG = [
    ("workers", "none"), ("workers", "-1"), ("workers", "1000000"),
    ("workers", "4x"), ("workers", ""), ("workers", "4.5"),
    ("body_limit", "0"), ("scrypt_log2_n", "40"), ("scrypt_log2_n", "0"),
    ("scrypt_r", "0"), ("scrypt_p", "99999999999999999999"),
    ("client_auth", "maybe"), ("secure_cookies", "yes please"),
    ("base_path", "v2"), ("base_path", "/v2/"), ("base_path", "/v2/../x"),
    ("listen_mode", "999"), ("listen_mode", "rw"),
    ("access_token_seconds", "0"), ("session_seconds", "-5"),
    ("refresh_grace_seconds", "301"), ("db_prepare", "perhaps"),
    ("log_format", "xml"), ("log_level", "loud"),
    ("db_timeout_ms", "0"), ("io_timeout_ms", "ten"),
]


@pytest.mark.parametrize("name, value", WRONG)
def test_bad_value(room, settings, name, value):
    config = write_settings(room / "settings", {**settings, name: value})
    status, said = start(config, "--listen", f"unix:{room}/sock")
    assert status not in (0, 1 << 8), said
    assert name in said
    assert str(config) in said, "it does not name the file"
    # The line is named, as editors take it.
    line = config.read_text().splitlines().index(f"{name}={value}") + 1
    assert str(line) in said
    assert len(said.strip().splitlines()) == 1, said
    assert not (room / "sock").exists()


@pytest.mark.parametrize("name, value", [("workers", "none"),
                                         ("log_format", "xml")])
def test_bad_value_in_the_environment(room, settings, name, value):
    config = write_settings(room / "settings", settings)
    status, said = start(config, "--listen", f"unix:{room}/sock",
                         env=process.clean_environment(
                             **{f"POSTERN_{name.upper()}": value}))
    assert status != 0
    assert f"POSTERN_{name.upper()}" in said


@pytest.mark.parametrize("text, words", [
    ("no_such_setting=1", ["no_such_setting"]),
    ("workers", ["NAME=VALUE"]), # not shown: it may be a password
    ("workers=1\nworkers=2", ["workers"]),
    ("=1", []),
    ("workers=\"1", ["workers"]),
])
def test_bad_line(room, settings, text, words):
    chosen = {name: value for name, value in settings.items()
              if name != "workers"}
    config = write_settings(room / "settings", chosen)
    with config.open("a") as file:
        file.write(text + "\n")
    status, said = start(config, "--listen", f"unix:{room}/sock")
    assert status != 0
    assert str(config) in said
    for word in words:
        assert word in said


def test_unknown_variable(room, settings):
    config = write_settings(room / "settings", settings)
    status, said = start(config, "--listen", f"unix:{room}/sock",
                         env=process.clean_environment(POSTERN_WORKRES="2"))
    assert status != 0
    assert "POSTERN_WORKRES" in said


def test_file_that_is_not_there(room):
    status, said = start(room / "nothing")
    assert status != 0
    assert "nothing" in said and "No such file" in said


def test_environment_wins_over_the_file(room, settings):
    config = write_settings(room / "settings", {
        **settings, "issuer": "https://file.test"})
    done = process.run([tree.POSTERN, "--config", config, "--settings"],
                       env=process.clean_environment(
                           POSTERN_ISSUER="https://environment.test"),
                       check=True)
    assert b"https://environment.test" in done.stdout
    assert b"https://file.test" not in done.stdout


def test_file_as_people_write_it(room, settings):
    config = room / "settings"
    config.write_text("# comment\n; comment\n\n  POSTERN_ISSUER = "
                      "\"https://quoted.test\"  \nAudience='https://single.test'"
                      "\n")
    done = process.run([tree.POSTERN, "--config", config, "--settings"],
                       check=True)
    assert b"https://quoted.test" in done.stdout
    assert b"https://single.test" in done.stdout


# ---- what the settings lead to -----------------------------------------------

def test_key_directory_that_is_not_there(room, settings):
    config = write_settings(room / "settings",
                            {**settings, "key_dir": room / "no-keys"})
    status, said = start(config, "--listen", f"unix:{room}/sock")
    assert status != 0
    assert "no-keys" in said


def test_key_that_others_may_read(room, settings, ctl):
    import shutil
    shutil.copytree(settings["key_dir"], room / "keys")
    pem = next((room / "keys").glob("*.pem"))
    pem.chmod(0o644)
    config = write_settings(room / "settings",
                            {**settings, "key_dir": room / "keys"})
    status, said = start(config, "--listen", f"unix:{room}/sock")
    assert status != 0
    assert str(pem) in said


@pytest.mark.parametrize("listen, words", [
    ("unix:/no/such/directory/sock", "No such file"),
    ("unix:" + "/tmp/" + "x" * 200, "long"),
    ("127.0.0.1:99999", "65535"), ("127.0.0.1", "HOST:PORT"),
    ("nothing", "HOST:PORT"), ("unix:", "unix:"),
])
def test_socket_that_cannot_be_made(room, settings, ctl, listen, words):
    config = write_settings(room / "settings", settings)
    status, said = start(config, "--listen", listen)
    assert status != 0
    assert "listen" in said or listen[5:] in said
    assert words in said


def test_socket_in_the_way(room, settings, ctl, pool):
    """A live socket is refused, a stale one replaced, a file left alone."""
    config = write_settings(room / "settings", settings)
    status, said = start(config, "--listen", f"unix:{pool.address}")
    assert status != 0
    assert pool.address in said
    assert process.answers(pool.address)

    precious = room / "precious"
    precious.write_text("data")
    status, said = start(config, "--listen", f"unix:{precious}")
    assert status != 0
    assert precious.read_text() == "data"


def test_stale_socket_is_replaced(room, settings, ctl):
    import socket
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(room / "sock"))
    stale.close()
    config = write_settings(room / "settings", settings)
    started = process.Process([tree.POSTERN, "--config", config, "--listen",
                               f"unix:{room}/sock"], room / "log")
    started.wait_until_it_answers(str(room / "sock"))
    assert oct((room / "sock").stat().st_mode)[-3:] == "660"
    assert started.stop() == 0
    assert not (room / "sock").exists()


def test_socket_mode_and_group(room, settings, ctl):
    if os.getuid() != 0:
        pytest.skip("giving a file away needs root")
    import grp
    config = write_settings(room / "settings", {
        **settings, "listen": f"unix:{room}/sock", "listen_mode": "0666",
        "listen_group": "www-data"})
    started = process.Process([tree.POSTERN, "--config", config], room / "log")
    started.wait_until_it_answers(str(room / "sock"))
    seen = (room / "sock").stat()
    assert seen.st_mode & 0o777 == 0o666
    assert seen.st_gid == grp.getgrnam("www-data").gr_gid
    started.stop()


@pytest.mark.parametrize("argument", ["--version", "--help"])
@pytest.mark.parametrize("program", [tree.POSTERN, tree.POSTERNCTL],
                         ids=lambda path: path.name)
def test_version_and_help(program, argument):
    done = process.run([program, argument], check=True)
    assert done.stdout and not done.stderr
    assert program.name.encode() in done.stdout or b"postern" in done.stdout


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["stray"],
                                       ["--listen"]])
def test_usage(arguments):
    done = process.run([tree.POSTERN, *arguments])
    assert done.returncode == 2
    assert b"sage" in done.stderr and not done.stdout
