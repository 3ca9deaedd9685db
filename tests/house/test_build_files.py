"""Makefile.am knows every file, and the repository holds no made ones."""

import fnmatch
import re

import pytest

import sources

MAKEFILE = re.sub(r"(?m)^#.*", "", (sources.TOP / "Makefile.am").read_text())
MADE = ["src/store/migrations.c", "src/web/openapi_text.c"]

GENERATED = """*.o *.a *.lo *.la *.log *.trs *.pyc *.tar.* */.deps/*
    */__pycache__/* */.dirstamp config.h config.h.in config.status configure
    aclocal.m4 autom4te.cache/* Makefile Makefile.in stamp-h1 postern.fcgi
    posternctl build-aux/compile build-aux/depcomp build-aux/install-sh
    build-aux/missing build-aux/ar-lib build-aux/test-driver
    src/store/migrations.c src/web/openapi_text.c *~ *.orig *.rej *.swp core core.*""".split()


def in_makefile(name):
    return re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/.-])", MAKEFILE)


@pytest.mark.parametrize("path", sources.C_FILES, ids=sources.name)
def test_makefile_lists_source(path):
    assert in_makefile(f"src/{sources.name(path)}")


@pytest.mark.parametrize(
    "path", sorted((sources.TOP / "tests").glob("unit/*.c"))
    + sorted((sources.TOP / "tests").glob("fuzz/*.c")),
    ids=lambda path: path.name)
def test_makefile_lists_test(path):
    # A test of one file is named as a program; its source is implied.
    assert in_makefile(str(path.relative_to(sources.TOP))) or \
        in_makefile(str(path.relative_to(sources.TOP).with_suffix("")))


def test_makefile_names_no_file_that_is_not_there():
    named = set(re.findall(r"(?<![\w/.$)-])(?:src|tests|sql|man|deploy)/"
                           r"[\w./-]+\.(?:[ch]|sql|[158]|py)\b", MAKEFILE))
    assert named
    missing = sorted(name for name in named if name not in MADE
                     and not (sources.TOP / name).exists())
    assert not missing


def test_repository_holds_nothing_generated():
    files = sources.tracked_files()
    if files is None:
        pytest.skip("not a git checkout")
    made = sorted({name for name in files for pattern in GENERATED
                   if fnmatch.fnmatch(name, pattern)})
    assert not made
