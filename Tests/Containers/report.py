"""What a run says: one line for each thing that must hold, and a count at the end."""

import time


class Report:
    def __init__(self):
        self.passed, self.failed = 0, []
        self.started = time.monotonic()

    def title(self, text):
        print(f"# {time.monotonic() - self.started:5.0f} s  {text}", flush=True)

    def note(self, text):
        print(f"#          {text}", flush=True)

    def check(self, holds, name, seen=None):
        """`seen` is shown where it does not hold."""
        if holds:
            self.passed += 1
        else:
            self.failed.append(name)
        print(f"{'ok' if holds else 'not ok'} - {name}", flush=True)
        if not holds and seen is not None:
            print("\n".join(f"#          {line}" for line in str(seen).strip().splitlines()[-12:]), flush=True)
        return holds

    def end(self):
        seconds = time.monotonic() - self.started
        print(f"# {self.passed} ok, {len(self.failed)} not ok, {seconds:.0f} s", flush=True)
        return 1 if self.failed or not self.passed else 0


def wait_until(holds, seconds=15, pause=0.1):
    """Whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
