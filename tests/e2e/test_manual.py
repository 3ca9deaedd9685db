"""The manual knows every setting and option, and says of each what is so."""

import re

import pytest

from harness import process, tree

CONF = tree.TOP / "man/postern.conf.5"
FCGI = tree.TOP / "man/postern.fcgi.8"


def table():
    """What --settings prints, without file and environment: (name, fixed,
    default)."""
    done = process.run([tree.POSTERN, "--settings"], check=True)
    rows = re.findall(r"^([* ])([a-z_0-9]+) +(.*?) *default$",
                      done.stdout.decode(), re.M)
    assert len(rows) > 20
    return [(name, mark == "*", value) for mark, name, value in rows]


def entry(name):
    """The words of a setting in the manual, as they are read."""
    found = re.search(rf"^\.It Cm {name}( No \(fixed\))?\n(.*?)"
                      r"^\.(?:It|El)\b", CONF.read_text(), re.M | re.S)
    assert found, f"{name} stands not in the manual"
    return bool(found[1]), re.sub(r"^\.[A-Z][a-z] ", "", found[2], flags=re.M)


def test_every_setting_has_an_entry():
    for name, fixed, default in table():
        said_fixed, words = entry(name)
        assert said_fixed == fixed, f"{name}: what SIGHUP changes"
        assert "default" in words, name
        if name == "key_dir":
            continue  # its default is the build's
        assert re.search(rf"(?<!\w){re.escape(default)}(?!\w)", words) \
            if default else "mpty" in words, \
            f"{name}: its default is {default!r}"


def test_no_entry_is_left_over():
    written = re.findall(r"^\.It Cm (\w+)", CONF.read_text(), re.M)
    assert sorted(written) == sorted(name for name, _, _ in table())


def test_the_example_is_accepted(room):
    example = re.search(r"^\.Bd -literal.*?\n(.*?)^\.Ed", CONF.read_text(),
                        re.M | re.S)[1]
    (room / "settings").write_text(example)
    done = process.run([tree.POSTERN, "--config", room / "settings",
                        "--settings"], check=True)
    assert b"https://login.example.com" in done.stdout


@pytest.mark.parametrize("program, page", [(tree.POSTERN, FCGI)],
                         ids=["postern.fcgi"])
def test_every_option_has_an_entry(program, page):
    help_text = process.run([program, "--help"], check=True).stdout.decode()
    options = re.findall(r"^  -(\w), --([a-z-]+)", help_text, re.M)
    assert options
    for short, long in options:
        assert re.search(rf"^\.It Fl {short} , Fl -{long}\b", page.read_text(),
                         re.M), long


def test_words_fit_into_80_columns():
    for arguments in (["--help"], ["--settings"], ["--no-such-option"],
                      ["operand"]):
        done = process.run([tree.POSTERN, *arguments])
        # getopt says how we were called, which may be a long way.
        said = (done.stdout + done.stderr).decode().replace(
            str(tree.POSTERN), tree.POSTERN.name)
        for line in said.splitlines():
            assert len(line) <= 80, line
    assert done.returncode == 2 and not done.stdout
    assert 'no "operand"' in said and said.endswith(
        "see: postern.fcgi --help\n")
