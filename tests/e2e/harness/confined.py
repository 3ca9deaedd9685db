"""confined.py EXPRESSION... -- COMMAND...: run a command with the system calls alone
that a unit's SystemCallFilter= lines allow, as systemd does (systemd.exec(5)); others
fail with EPERM."""

import ctypes
import errno
import os
import re
import subprocess
import sys

ALLOW, ERRNO = 0x7fff0000, 0x00050000


def listed(name):
    """The calls of a set; the sets in it are taken apart."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name],
                          capture_output=True, check=True, text=True).stdout
    names = re.findall(r"(?m)^    (@?[\w-]+)$", text)
    return set().union(*map(listed, names))


def allowed(expressions):
    """What remains of "@a b" and "~@c d", line by line."""
    calls = set()
    for line in expressions:
        names = set().union(*map(listed, line.lstrip("~").split()))
        calls = calls - names if line.startswith("~") else calls | names
    return calls | listed("@default")


def confine(calls):
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(
        ctypes.c_uint32(ERRNO | errno.EPERM)))
    assert context
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            assert seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW),
                                            number, 0) == 0, call
    assert seccomp.seccomp_load(context) == 0


if __name__ == "__main__":
    separator = sys.argv.index("--")
    calls = allowed(sys.argv[1:separator])
    command = sys.argv[separator + 1:]
    confine(calls)
    os.execv(command[0], command)
