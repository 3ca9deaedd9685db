"""Many requests, while something happens."""

import threading

from . import process


class Crowd:
    """Calls side by side, each of which goes on until `ended` is set: that is
    what leaving the `with` does."""

    def __init__(self, calls):
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=call, daemon=True)
                        for call in calls]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


class Load(Crowd):
    """Clients that ask one after another, each answer noted, until stopped."""

    def __init__(self, ask, clients=4):
        super().__init__([self._run] * clients)
        self.ask = ask
        self.answers = []

    def _run(self):
        while not self.ended.is_set():
            try:
                answer = self.ask().status
            except OSError as error:
                answer = type(error).__name__
            self.answers.append(answer)

    def other_than(self, *expected):
        return [answer for answer in self.answers if answer not in expected]

    def wait_for_more(self, count=20):
        before = len(self.answers)
        process.wait_until(f"{count} more answers",
                           lambda: len(self.answers) >= before + count)
