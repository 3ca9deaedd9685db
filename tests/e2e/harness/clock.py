"""Time as the machine had it.

A machine that many share stands still for seconds, and then goes on as if nothing
had been.  What a test measures, or waits for, is counted by a clock that stood
still with it; and where a stop spoils what a test wants to see, it looks again."""

import threading
import time

TICK = 0.01
# What is later than this was not a slow tick.
STOPPED = 0.1


class _Clock:
    """Ticks in a thread of its own; ticks that come late are time that the machine
    did not give us."""

    def __init__(self):
        self.lock = threading.Lock()
        self.last = time.monotonic()
        self.lost = 0.0
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self):
        while True:
            time.sleep(TICK)
            self.note()

    def note(self):
        """(now, what was lost until now)"""
        with self.lock:
            now = time.monotonic()
            late = now - self.last - TICK
            if late > STOPPED:
                self.lost += late
            self.last = now
            return now, self.lost


_clock = _Clock()


def lost():
    """Seconds that the machine stood still, since the tests began."""
    return _clock.note()[1]


def running():
    """A monotonic clock that stands still while the machine does."""
    now, stood_still = _clock.note()
    return now - stood_still


class Watch:
    """How long something takes: by the running clock for what must not take
    longer, by the real one for what must not be shorter."""

    def __init__(self):
        self.began, self.began_really = running(), time.monotonic()
        self.stop()

    def stop(self):
        self.running = running() - self.began
        self.real = time.monotonic() - self.began_really
        return self

    @property
    def lost(self):
        return self.real - self.running


def timed(ask, *arguments, **options):
    """What it returns, and the Watch beside it."""
    watch = Watch()
    return ask(*arguments, **options), watch.stop()


def in_time(attempt, within=None, tries=10):
    """attempt() as often as the machine is too slow for it: when it failed, and
    took longer than `within` (or, without that, was stopped meanwhile), its failure
    says nothing.  A failure in time is one."""
    for left in reversed(range(tries)):
        watch = Watch()
        try:
            return attempt()
        except AssertionError:
            watch.stop()
            spoilt = watch.lost > 0 if within is None else watch.real >= within
            if not spoilt or not left:
                raise
