"""A program at a terminal, and the person who sits there."""

import os
import pty
import select
import signal
import termios
import time

from . import process


class Terminal:
    """A program whose controlling terminal is ours to type at and look at; it does
    not tell its width unless that is given."""

    def __init__(self, command, env=None, columns=0):
        command = [str(part) for part in command]
        env = env or process.clean_environment()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                # A shell's background job ignores it, and so would its children.
                signal.signal(signal.SIGQUIT, signal.SIG_DFL)
                termios.tcsetwinsize(0, (24 if columns else 0, columns))
                os.execve(command[0], command, env)
            finally:
                os._exit(127)
        self.screen = ""
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        os.close(self.master)

    def _read(self, within):
        """What comes next, or "" when nothing does in time or ever will."""
        if not select.select([self.master], [], [], max(within, 0))[0]:
            return ""
        try:
            return os.read(self.master, 4096).decode(errors="replace")
        except OSError:  # the program closed its side
            return ""

    def expect(self, text, within=30):
        """Wait for a text; what stands before and with it is taken away."""
        end = time.monotonic() + within
        while text not in self.screen:
            more = self._read(end - time.monotonic())
            assert more, f"no {text!r} on the screen: {self.screen!r}"
            self.screen += more
        before, _, self.screen = self.screen.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def wait_until_silent(self):
        process.wait_until("echo off", lambda: not self.echoes())

    def wait(self, within=30):
        """Let it end; returns its status (negative: a signal's number)."""
        def ended():
            self.screen += self._read(0)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return (status,) if pid else None
        (status,) = process.wait_until("end of the program", ended, within)
        while more := self._read(0):
            self.screen += more
        self.status = os.waitstatus_to_exitcode(status)
        return self.status
