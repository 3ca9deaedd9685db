"""Postern's two programs as an operator runs them."""

import json
import os
import re
import signal
import socket
import time
from pathlib import Path

from . import process
from .tree import POSTERN, POSTERNCTL


def write_settings(path, settings):
    """A settings file as an operator writes it."""
    path = Path(path)
    path.write_text("".join(f"{name}={value}\n"
                            for name, value in settings.items()))
    path.chmod(0o600)
    return path


def check_reports(log):
    """A sanitizer's report would otherwise pass unseen in a worker."""
    report = re.search(r"(ERROR: \w+Sanitizer|runtime error:).*", log)
    assert report is None, log[report.start():][:4000]


class Ctl:
    """posternctl with one settings file."""

    def __init__(self, settings_file):
        self.settings_file = settings_file

    def run(self, *arguments, stdin=b"", check=True):
        return process.run([POSTERNCTL, "--config", self.settings_file,
                            *arguments], stdin=stdin, check=check)

    def __call__(self, *arguments, stdin=b""):
        """Its output, when it succeeds."""
        return self.run(*arguments, stdin=stdin).stdout.decode().strip()

    def json(self, *arguments, stdin=b""):
        return json.loads(self("--json", *arguments, stdin=stdin))


class Pool:
    """postern.fcgi on a Unix socket of its own."""

    def __init__(self, directory, settings, command=None, **options):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.settings_file = write_settings(self.directory / "settings",
                                            settings)
        self.address = str(self.directory / "sock")
        self.log_file = self.directory / "log"
        if command is None:
            command = [POSTERN, "--config", self.settings_file, "--listen",
                       f"unix:{self.address}"]
        self.process = process.Process(
            [str(part).replace("{sock}", self.address)
             .replace("{settings}", str(self.settings_file))
             for part in command], self.log_file, **options)
        try:
            self.process.wait_until_it_answers(self.address)
            # All of them: a test compares them before and after.
            wanted = int(settings.get("workers", 1))
            process.wait_until("its workers",
                               lambda: len(self.workers()) >= wanted)
        except BaseException:
            self.process.popen.kill()
            raise

    @property
    def pid(self):
        return self.process.pid

    def workers(self):
        return process.children(self.pid)

    def log(self):
        return self.process.output()

    def events(self, name=None):
        """The log's lines that are JSON."""
        found = []
        for line in self.log().splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if name is None or event.get("event") == name:
                    found.append(event)
        return found

    def request_event(self, request_id):
        """The one line about a request; it is written after the answer."""
        def find():
            return [event for event in self.events("request")
                    if event.get("id") == request_id]
        found = process.wait_until(f"log line of request {request_id}", find)
        assert len(found) == 1
        return found[0]

    def change(self, **settings):
        """Write other settings into its file."""
        chosen = dict(line.split("=", 1) for line in
                      self.settings_file.read_text().splitlines())
        write_settings(self.settings_file, {**chosen, **settings})

    def hang_up(self):
        os.kill(self.pid, signal.SIGHUP)

    def reload(self, workers=1):
        """SIGHUP; returns when there are workers, so many, and all of them new."""
        before = set(self.workers())
        self.hang_up()

        def are_new():
            now = set(self.workers())
            return len(now) >= workers and not before & now
        process.wait_until("new workers", are_new)

    def stop(self):
        status = self.process.stop()
        check_reports(self.log())
        return status


class Unit:
    """postern.fcgi as systemd runs it: the socket is the manager's, so whoever
    comes between two lives of the program waits there."""

    def __init__(self, directory, settings):
        self.directory = Path(directory)
        self.settings_file = write_settings(self.directory / "settings",
                                            settings)
        self.address = str(self.directory / "sock")
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(self.address)
        self.door.listen(128)
        self.lives = []

    def __enter__(self):
        self.start()
        process.wait_until("its workers", self.workers)
        return self

    def __exit__(self, *_):
        if self.process.is_running():
            self.process.popen.kill()
            self.process.wait()
        self.door.close()

    @property
    def process(self):
        return self.lives[-1]

    def start(self):
        # systemd's way: the socket is fd 3, for the process of this id.
        self.lives.append(process.Process(
            ["bash", "-c", f"exec 3<&{self.door.fileno()} && "
             'export LISTEN_FDS=1 LISTEN_PID=$$ && exec "$0" "$@"', POSTERN,
             "--config", self.settings_file],
            self.directory / f"log{len(self.lives)}",
            pass_fds=[self.door.fileno()]))

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def follow(self):
        """The manager starts the next after 100 ms."""
        time.sleep(0.1)
        self.start()

    def workers(self):
        return process.children(self.process.pid)

    def stop(self):
        assert self.process.stop() == 0

    def log(self):
        return "".join(life.output() for life in self.lives)
