"""The house of CONTRIBUTING.md: who may include whom."""

import fnmatch

import pytest

import sources

# A file includes from lower floors and from its own folder.
FLOORS = {
    "base": 0,
    "hash": 1,
    "token": 1,
    "store": 2,
    "acts": 3,
    "web": 4,
    "ctl": 4,  # posternctl's commands: beside web, so neither sees the other
    "process": 5,
    "": 6,  # the programs
}

# What a program must not see although it is lower: posternctl has no HTTP in it,
# the network-facing program no administration.
NEVER = {
    "posternctl.c": ("web", "process"),
    "postern.c": ("ctl",),
}

# Each outside library's only home.
HOMES = {
    "json-c/*": ("base/json.c",),
    "json.h": ("base/json.c",),
    "uni*.h": ("base/text.c", "base/normal.c"),
    "libscrypt.h": ("hash/scrypt.c",),
    "crypt.h": ("hash/foreign_crypt.c",),
    "argon2.h": ("hash/foreign_argon2.c",),
    "openssl/*": ("base/secret.c", "base/digest.c", "base/pbkdf2.c", "base/aes.c",
                  "token/*.c"),
    "libpq-fe.h": ("store/db*",),
    "postgres*": ("store/*.c",),
    "pg_*": ("store/*.c",),
    "fcgi*": ("web/libfcgi.c",),
    "seccomp.h": ("process/confine.c",),
}

# Besides the C library and the system, which every floor may use.
SYSTEM = """
    arpa/* assert.h cpuid.h ctype.h dirent.h endian.h errno.h fcntl.h fnmatch.h
    getopt.h grp.h immintrin.h inttypes.h libgen.h limits.h linux/* locale.h
    malloc.h math.h netdb.h netinet/* poll.h pthread.h pwd.h sched.h setjmp.h
    signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h
    stdlib.h stdnoreturn.h string.h strings.h sys/* syslog.h termios.h time.h
    unistd.h x86intrin.h
""".split()


def folder(name):
    return name.rpartition("/")[0]


@pytest.mark.parametrize("path", sources.C_FILES, ids=sources.name)
def test_includes_look_downward(path):
    name = sources.name(path)
    assert folder(name) in FLOORS, f"{name} stands on no floor"
    for own, included in sources.includes(path):
        if not own or included == "config.h":
            continue
        assert (sources.SRC / included).is_file(), \
            f'{name}: "{included}" is not of the form "floor/file.h"'
        below = FLOORS[folder(included)] < FLOORS[folder(name)]
        assert below or folder(included) == folder(name), \
            f"{name} looks upward, to {included}"
        assert folder(included) not in NEVER.get(name, ()), \
            f"{name} must not know {included}"


def unit(name):
    """What a file belongs to: foo.c, foo.h and foo_private.h are one unit, and
    so are the modules that fill several files."""
    stem = name.rpartition(".")[0].removesuffix("_private")
    for whole in UNITS:
        if stem == whole or stem.startswith(whole + "_"):
            return whole
    return stem


# Modules that fill several files: each foo_*.c is a part of foo.
UNITS = ("base/config", "base/json", "store/db", "ctl/ctl")


def test_no_circle():
    graph = {}
    for path in sources.C_FILES:
        own_unit = unit(sources.name(path))
        graph.setdefault(own_unit, set()).update(
            unit(what) for own, what in sources.includes(path)
            if own and what != "config.h" and unit(what) != own_unit)
    finished = set()

    def visit(name, way):
        assert name not in way, " -> ".join([*way, name])
        if name not in finished:
            for following in graph.get(name, ()):
                visit(following, [*way, name])
            finished.add(name)

    for name in graph:
        visit(name, [])


@pytest.mark.parametrize("path", sources.C_FILES, ids=sources.name)
def test_outside_libraries_stay_at_home(path):
    name = sources.name(path)
    for own, included in sources.includes(path):
        if own:
            continue
        if any(fnmatch.fnmatch(included, system) for system in SYSTEM):
            continue
        homes = [homes for pattern, homes in HOMES.items()
                 if fnmatch.fnmatch(included, pattern)]
        assert homes, f"{name}: <{included}> belongs to no library we know"
        assert any(fnmatch.fnmatch(name, home) for home in homes[0]), \
            f"{name}: <{included}> belongs into {' '.join(homes[0])}"


@pytest.mark.parametrize("path", sources.HEADERS, ids=sources.name)
def test_header_has_a_guard_of_its_name(path):
    guard = "POSTERN_" + sources.name(path).upper().replace("/", "_")
    guard = guard.replace(".", "_").replace("-", "_")
    text = path.read_text()
    assert f"#ifndef {guard}\n#define {guard}\n" in text
    assert text.rstrip().endswith("#endif")
