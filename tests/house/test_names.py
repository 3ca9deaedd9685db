"""What foo.c exports is called foo_..., so a name tells which file to open."""

import fnmatch
import re

import pytest

import sources

# Files whose exports carry another name, and why.
PREFIXES = {
    # The store's typed calls read as one interface to those above it.
    "store/*": "store_",
    # The parts of one interface, store/db.h.
    "store/db_*": "db_",
    # The parts of one interface, hash/gate.h.
    "hash/gate_*": "gate_",
    # The parts of one interface, base/config.h.
    "base/config_*": "config_",
    # The parts of one interface, process/listen.h.
    "process/listen_*": "listen_",
    # What changes the keys; apart from keys.c to keep out of postern.fcgi.
    "token/keys_admin.c": "keys_",
    # One file an address; all share endpoint.h.
    "web/endpoint_*": "endpoint_",
}


@pytest.fixture(scope="session")
def symbols():
    """{"base/log.c": ["log_open", ...]} from the objects of the build."""
    found = {}
    for path in sources.C_FILES:
        if path.suffix != ".c":
            continue
        stem = sources.BUILD / "src" / sources.name(path)
        objects = [*stem.parent.glob(stem.stem + ".o"),
                   *stem.parent.glob("*-" + stem.stem + ".o")]
        if not objects:
            continue
        status, said = sources.run(["nm", "-g", "--defined-only", objects[0]])
        assert status == 0, said
        found[sources.name(path)] = re.findall(r"^\w+ [A-Z] (\w+)$", said,
                                               re.M)
    if not found:
        pytest.skip("nothing is built")
    return found


def prefixes(name):
    for pattern, prefix in PREFIXES.items():
        if fnmatch.fnmatch(name, pattern):
            yield prefix
    stem = name.rpartition("/")[2].removesuffix(".c")
    yield stem
    # keys.c may export key_of_...: of one of them.
    if stem.endswith("s"):
        yield stem.removesuffix("s")


@pytest.mark.parametrize("path", [p for p in sources.C_FILES
                                  if p.suffix == ".c"], ids=sources.name)
def test_exports_carry_the_name_of_their_file(path, symbols):
    name = sources.name(path)
    if name not in symbols:
        pytest.skip("not built here")
    strange = [symbol for symbol in symbols[name] if symbol != "main"
               and not symbol.startswith(tuple(prefixes(name)))]
    assert not strange
