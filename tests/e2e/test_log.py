"""The log of a pool whose workers all write at once, and one that nobody takes."""

import fcntl
import json
import os
import re
import statistics
from concurrent.futures import ThreadPoolExecutor

from harness import clock, fastcgi, process, prometheus, tree
from harness.postern import write_settings

WORKERS = 8


def ask(address, number):
    """A request whose line in the log is long; the longest ones are cut."""
    path = f"/v2/{number}/" + "x" * (number * 977 % 4200)
    answer = fastcgi.ask(address, "GET", path)
    assert answer.status in (400, 404)
    return answer.header("X-Request-Id"), path


def ask_all(address, count):
    with ThreadPoolExecutor(2 * WORKERS) as many:
        return dict(many.map(lambda i: ask(address, i), range(count)))


def check_lines(text, asked, least):
    """Every line by itself, and one for each of so many requests."""
    assert text.endswith("\n")
    events = [json.loads(line) for line in text.splitlines()]
    requests = {event["id"]: event for event in events
                if event.get("event") == "request"}
    assert set(requests) <= set(asked) and len(requests) >= least
    assert len({event["pid"] for event in requests.values()}) > 1
    for request, event in requests.items():
        if "path" in event:
            assert asked[request].startswith(event["path"])


def test_many_workers_and_one_file(start_pool, people, room):
    pool = start_pool(workers=WORKERS, log=room / "log")
    asked = ask_all(pool.address, 600)
    pool.stop()
    check_lines((room / "log").read_text(), asked, 600)


class Piped:
    """A pool that writes to a pipe, as a service manager gives it."""

    def __init__(self, room, settings):
        self.address = str(room / "sock")
        config = write_settings(room / "settings", {
            **settings, "workers": WORKERS})
        self.reader, writer = os.pipe()
        self.process = process.Process(
            [tree.POSTERN, "--config", config, "--listen",
             f"unix:{self.address}"], f"/proc/{os.getpid()}/fd/{writer}")
        os.close(writer)
        self.process.wait_until_it_answers(self.address)


def test_many_workers_and_one_pipe(room, settings, people):
    pool = Piped(room, settings)
    with open(pool.reader) as pipe, ThreadPoolExecutor(1) as one:
        text = one.submit(pipe.read)
        asked = ask_all(pool.address, 600)
        assert pool.process.stop() == 0
        # A reader that is late for a moment may miss some.
        check_lines(text.result(), asked, 300)


def usual_time(pool):
    """Of a request, in seconds."""
    return statistics.median(clock.timed(ask, pool.address, i)[1].running
                             for i in range(21))


def test_nobody_reads(room, settings, people):
    """A log that is stuck costs each worker a moment, once, and no request."""
    pool = Piped(room, settings)
    fcntl.fcntl(pool.reader, fcntl.F_SETPIPE_SZ, 4096)
    process.wait_until("its workers", lambda: len(
        process.children(pool.process.pid)) == WORKERS)
    workers = process.children(pool.process.pid)
    asked, took = clock.timed(ask_all, pool.address, 400)
    assert len(asked) == 400
    assert took.running < (10 if not tree.SANITIZED else 60)
    # The moment is 200 ms; a busy machine may take as long, but not each time.
    assert any(usual_time(pool) < 0.15 for _ in range(5))
    assert process.children(pool.process.pid) == workers
    lost = prometheus.read(fastcgi.ask(
        pool.address, "GET", "/metrics", REMOTE_ADDR="127.0.0.1"
    ).body.decode())["postern_log_lines_lost_total"].total()
    assert lost > 300
    # Once somebody reads, and is never late, it goes on, and says what is
    # missing; whoever has no more requests, when it ends.
    fcntl.fcntl(pool.reader, fcntl.F_SETPIPE_SZ, 1 << 20)
    with open(pool.reader) as pipe, ThreadPoolExecutor(1) as one:
        text = one.submit(pipe.read)
        ask_all(pool.address, 100)
        assert pool.process.stop() == 0
        said = re.findall(r"(\d+) log lines before this one were lost",
                          text.result())
    assert sum(map(int, said)) >= lost


def test_the_disk_is_full(start_pool, people):
    """/dev/full takes nothing: lines go to stderr, and requests are served."""
    pool = start_pool(log="/dev/full", workers=WORKERS)
    asked = ask_all(pool.address, 100)
    process.wait_until("all lines", lambda: len(pool.events("request")) == 100)
    assert {event["id"] for event in pool.events("request")} == set(asked)
