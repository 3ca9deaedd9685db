"""The source tree as the house tests see it."""

import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SRC = TOP / "src"

# Where configure and make worked; their config.h is needed to compile a file.
BUILD = Path(os.environ.get("POSTERN_BUILD", TOP)).resolve()

# The repository, when the tests run on a copy of its files.
CHECKOUT = Path(os.environ.get("POSTERN_CHECKOUT", TOP)).resolve()

C_FILES = sorted(SRC.rglob("*.[ch]"))
HEADERS = [path for path in C_FILES if path.suffix == ".h"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)


def name(path):
    """A file's name as the sources write it: "base/log.h"."""
    return str(path.relative_to(SRC))


def includes(path):
    """What a file includes: (own or outside, name)."""
    return [(kind == '"', what) for kind, what in
            INCLUDE.findall(path.read_text())]


def compiler_flags():
    packages = ["fcgi", "json-c", "libpq", "libcrypto", "libargon2",
                "libxcrypt", "cmocka"]
    found = subprocess.run(["pkg-config", "--cflags", *packages], check=True,
                           capture_output=True, text=True, timeout=120)
    return ["-std=gnu17", "-D_GNU_SOURCE", f"-I{SRC}", f"-I{BUILD}",
            '-DSYSCONFDIR="/etc"', '-DLOCALSTATEDIR="/var"',
            *found.stdout.split()]


def tracked_files():
    """All files of the project; of a copy or release, all that are there."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(CHECKOUT), "ls-files",
         "-z", "--cached"], capture_output=True, timeout=120)
    if listed.returncode != 0:
        return None
    return [part.decode() for part in listed.stdout.split(b"\0") if part]


def run(command, **options):
    """Run a checker; returns its status and all it said."""
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=1500, **options)
    return done.returncode, done.stdout
