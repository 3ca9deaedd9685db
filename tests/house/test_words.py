"""Calls that have a better replacement, and notes that nobody comes back to."""

import re

import pytest

import sources

# A call, and what to use.
CALLS = {
    "gets": "fgets",
    "strcpy": "memcpy with a checked size, or memory_text()",
    "strcat": "snprintf",
    "strncat": "snprintf",
    "strncpy": "memcpy with a checked size",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strtok": "strchr, or strsep",
    "atoi": "strtol, with its end and range checked",
    "atol": "strtol, with its end and range checked",
    "atoll": "strtoll, with its end and range checked",
    "atof": "strtod",
    "alloca": "an array with a limit, or memory_zeroed()",
    "system": "nothing: no shell is started",
    "popen": "nothing: no shell is started",
    "rand": "secret_random()",
    "random": "secret_random()",
    "srand": "secret_random()",
    "tmpnam": "mkstemp",
    "mktemp": "mkstemp",
    "signal": "sigaction",
    "asctime": "clock_format()",
    "ctime": "clock_format()",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "strerror_l": "strerror",
    "OPENSSL_cleanse": "secret_wipe()",
    "explicit_bzero": "secret_wipe()",
    "bzero": "memset, or secret_wipe()",
    "CRYPTO_memcmp": "secret_equal()",
}

# Where the replacement itself lives.
HOME = {
    "OPENSSL_cleanse": "base/secret.c",
    "CRYPTO_memcmp": "base/secret.c",
}

NOTES = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b|\bfor now\b", re.I)

COMMENT_OR_STRING = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)


def code(path):
    """A file's code: comments and strings blanked, lines kept."""
    return COMMENT_OR_STRING.sub(
        lambda m: re.sub(r"[^\n]", " ", m.group()), path.read_text())


@pytest.mark.parametrize("path", sources.C_FILES, ids=sources.name)
def test_no_dangerous_call(path):
    found = []
    for number, line in enumerate(code(path).splitlines(), 1):
        for call in re.findall(r"(?<![\w.>])(\w+)\s*\(", line):
            if call in CALLS and HOME.get(call) != sources.name(path):
                found.append(f"{number}: {call}(): use {CALLS[call]}")
    assert not found, "\n".join(found)


TEXTS = [path for path in sorted(sources.TOP.rglob("*"))
         if path.is_file() and path.suffix in
         (".c", ".h", ".am", ".ac", ".sql", ".md", ".py", ".html", ".css",
          ".js", ".service", ".conf", ".8", ".7", ".5", "")
         and not {".git", "autom4te.cache", "build-aux", "build"}
         & set(path.relative_to(sources.TOP).parts)
         and not path.name.startswith(("configure", "aclocal", "Makefile.in"))
         and path.stat().st_size < 1_000_000]


@pytest.mark.parametrize(
    "path", [p for p in TEXTS if p != sources.Path(__file__).resolve()
             and "seeds" not in p.parts],
    ids=lambda p: str(p.relative_to(sources.TOP)))
def test_no_note_to_come_back(path):
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        pytest.skip("not a text")
    found = [f"{number}: {line.strip()}"
             for number, line in enumerate(text.splitlines(), 1)
             if NOTES.search(line)]
    assert not found, "\n".join(found)
