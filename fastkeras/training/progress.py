"""The progress bar and the line per epoch that fit, evaluate and predict print."""

import sys
import time

_WIDTH = 30
_INTERVAL = 0.05  # seconds between two drawings of the bar


def _per_step(seconds):
    if seconds >= 1:
        return f"{seconds:.0f}s/step"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/step"
    return f"{seconds * 1e6:.0f}us/step"


def _remaining(seconds):
    if seconds > 3600:
        return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{seconds % 60:02.0f}"
    if seconds > 60:
        return f"{seconds // 60:.0f}:{seconds % 60:02.0f}"
    return f"{seconds:.0f}s"


def _values(logs):
    return "".join(
        f" - {key}: {value:.4f}" if abs(value) > 1e-3 or value == 0 else f" - {key}: {value:.4e}"
        for key, value in logs.items()
    )


def rewrites(stream):
    """Whether a carriage return goes back to the start of the line: on a terminal and in a notebook, not in a pipe."""
    return (hasattr(stream, "isatty") and stream.isatty()) or "ipykernel" in sys.modules


class Progress:
    """Prints one epoch: verbose 0 nothing, 1 a bar, 2 one line.

    A bar is redrawn in place where the stream allows it; elsewhere only the finished line is written.
    """

    def __init__(self, verbose, total=None):
        self.verbose = verbose
        self.total = total
        self.stream = sys.stdout
        self.live = verbose == 1 and rewrites(self.stream)
        self.start = self._drawn = time.perf_counter()
        self._length = 0

    def due(self):
        """Whether it is time to draw the bar again."""
        return self.live and time.perf_counter() - self._drawn > _INTERVAL

    def draw(self, step, logs):
        """The bar after `step` steps, with the values so far and the time that is left."""
        self._drawn = now = time.perf_counter()
        elapsed = now - self.start
        if self.total is None:
            line = f"{step}/Unknown - {_remaining(elapsed)} {_per_step(elapsed / step)}{_values(logs)}"
        else:
            done = min(_WIDTH, _WIDTH * step // self.total)
            bar = (
                "=" * (done - 1) + ">" + "." * (_WIDTH - done)
                if 0 < done < _WIDTH
                else "=" * done + "." * (_WIDTH - done)
            )
            width = len(str(self.total))
            left = elapsed / step * (self.total - step)
            line = f"{step:{width}d}/{self.total} [{bar}] - ETA: {_remaining(left)}{_values(logs)}"
        self._write(line)

    def finish(self, steps, logs):
        """The last line of the epoch: all values, the time it took and the time per step."""
        elapsed = time.perf_counter() - self.start
        if self.verbose == 1:
            total = self.total or steps
            line = (
                f"{steps}/{total} [{'=' * _WIDTH}] - {elapsed:.0f}s {_per_step(elapsed / max(steps, 1))}{_values(logs)}"
            )
            self._write(line)
            self.stream.write("\n")
        elif self.verbose == 2:
            self.stream.write(f" - {elapsed:.0f}s{_values(logs)}\n")
        self.stream.flush()

    def _write(self, line):
        if self.live:
            self.stream.write("\r" + line + " " * max(0, self._length - len(line)))
            self._length = len(line)
        else:
            self.stream.write(line)
        self.stream.flush()


def headline(verbose, epoch, epochs):
    if verbose:
        sys.stdout.write(f"Epoch {epoch + 1}/{epochs}\n")
        sys.stdout.flush()
