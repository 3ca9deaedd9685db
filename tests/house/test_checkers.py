"""What others' tools say about our files: nothing."""

import concurrent.futures
import os
import re
import shutil

import pytest

import sources

SKIPPED_FOLDERS = {".git", "build", "autom4te.cache", "build-aux"}
SUPPRESSIONS = sources.TOP / "tests/house/cppcheck-suppressions"


def files():
    for path in sorted(sources.TOP.rglob("*")):
        parts = path.relative_to(sources.TOP).parts
        if path.is_file() and not SKIPPED_FOLDERS & set(parts[:-1]):
            yield path


def is_shell(path):
    if path.name in ("configure", "configure~"):
        return False
    with path.open("rb") as file:
        first = file.readline(80)
    return re.match(rb"#!.*\b(ba|da)?sh\b", first) is not None \
        or path.suffix in (".sh", ".bash")


SHELL = [path for path in files() if is_shell(path)]
SHELL.append(sources.TOP / "build-aux/embed-sql")
MANUALS = [path for path in files() if re.fullmatch(r"\.[1-8]", path.suffix)
           and path.parent.name == "man"]
C_TESTS = [path for path in files() if path.suffix == ".c"
           and "tests" in path.relative_to(sources.TOP).parts]
UNITS = [path for path in sources.C_FILES if path.suffix == ".c"]


# Remarks that were looked into and are wrong: (file, check) and why.
ANSWERED = {
    ("src/base/board_file.c", "clang-analyzer-unix.StdCLibraryFunctions"):
        "a folder that is open has a descriptor",
    ("src/hash/foreign_argon2.c", "readability-non-const-parameter"):
        "libargon2 writes the hash through it",
    ("src/token/key.c", "readability-non-const-parameter"):
        "the callback's type is OpenSSL's",
    ("src/token/key_list.c", "cert-err34-c"):
        "what sscanf() read is written again and compared",
}

# Not asked of tests: their strings are their own, and odd on purpose; and an
# assertion that fails does not return, which the analyser cannot know.
NOT_OF_TESTS = ",".join("""-clang-analyzer-security.insecureAPI.strcpy
    -bugprone-suspicious-missing-comma -cert-err34-c
    -misc-misleading-bidirectional -misc-redundant-expression
    -readability-redundant-declaration -bugprone-unused-return-value
    -clang-analyzer-core.NonNullParamChecker -clang-analyzer-unix.Errno
    -clang-analyzer-unix.StdCLibraryFunctions""".split())


def relative(path):
    return str(path.relative_to(sources.TOP))


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


@pytest.mark.parametrize("path", SHELL, ids=map(relative, SHELL))
def test_shellcheck(path):
    need("shellcheck")
    # Completion files carry no #! line; they are read by bash.
    shell = ["-s", "bash"] if path.suffix == ".bash" \
        or "completion" in path.parts else []
    status, said = sources.run(["shellcheck", "-x", *shell, path],
                               cwd=sources.TOP)
    assert status == 0, said


@pytest.mark.parametrize("path", MANUALS, ids=map(relative, MANUALS))
def test_manual(path):
    need("mandoc")
    status, said = sources.run(["mandoc", "-T", "lint", "-W", "style", path])
    # A page of a system that mandoc does not know by name; and pages of other
    # packages, which need not be on this machine.
    said = "\n".join(line for line in said.splitlines()
                     if "operating system explicitly specified" not in line
                     and "referenced manual not found" not in line
                     and "outdated mandoc.db lacks" not in line)
    assert not said


def test_cppcheck():
    need("cppcheck")
    status, said = sources.run([
        "cppcheck", "--quiet", "--std=c11", "--language=c", "--force",
        "--enable=warning,performance,portability", "--inline-suppr",
        f"--suppressions-list={SUPPRESSIONS}",
        f"--library={sources.TOP}/tests/house/cppcheck.cfg", "--error-exitcode=1",
        f"-j{os.cpu_count()}", "--library=posix", f"-I{sources.SRC}",
        *UNITS, *C_TESTS], cwd=sources.TOP)
    assert status == 0, said


@pytest.fixture(scope="module")
def tidy():
    """clang-tidy's words on each file; several at once, because it is slow."""
    need("clang-tidy")

    def one(path):
        checks = [f"--checks={NOT_OF_TESTS}"] if path in C_TESTS else []
        return sources.run(["clang-tidy", "--quiet", *checks, path, "--",
                            *sources.compiler_flags()], cwd=sources.TOP)

    if not (sources.BUILD / "config.h").exists():
        pytest.skip("not configured: there is no config.h")
    paths = UNITS + C_TESTS
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(paths, pool.map(one, paths)))


@pytest.mark.parametrize("path", UNITS + C_TESTS,
                         ids=map(relative, UNITS + C_TESTS))
def test_clang_tidy(path, tidy):
    _, said = tidy[path]
    remarks = [line for line in said.splitlines()
               if re.search(r": (warning|error): ", line)
               and not any(relative(path) == file and f"[{check}]" in line
                           for file, check in ANSWERED)]
    assert not remarks, "\n".join(remarks)
