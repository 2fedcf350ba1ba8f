"""What fit, evaluate and predict print: a bar (verbose 1), one line per epoch (verbose 2) or nothing (verbose 0)."""

import shutil
import sys
import time

_WIDTH = 30
_INTERVAL = 0.05  # seconds between two drawings of the bar


def _duration(seconds):
    """7s, 2:05 (minutes) or 1:02:05 (hours)."""
    seconds = round(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    if seconds >= 60:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds}s"


def _per_step(seconds):
    if seconds >= 1:
        return f"{seconds:.0f}s/step"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/step"
    return f"{seconds * 1e6:.0f}us/step"


def _values(logs):
    return "".join(
        f" - {key}: {value:.4f}" if abs(value) > 1e-3 or value == 0 else f" - {key}: {value:.4e}"
        for key, value in logs.items()
        if isinstance(value, (int, float))
    )


def _bar(step, total):
    done = min(_WIDTH, _WIDTH * step // total)
    if 0 < done < _WIDTH:
        return "=" * (done - 1) + ">" + "." * (_WIDTH - done)
    return "=" * done + "." * (_WIDTH - done)


class Progress:
    """Prints one epoch, or one evaluation or prediction.

    A bar is redrawn in place on a terminal and in a notebook; in a pipe or a file only the finished line appears.
    total: the number of steps, None if it is not known. title: a line above ("Epoch 1/10"). To be entered as a context:
    an error inside does not leave the cursor in a bar that will not be finished.
    """

    def __init__(self, verbose, total=None, title=None):
        self.verbose = verbose if sys.stdout is not None else 0
        self.total = total
        self.title = title
        self._stream = sys.stdout
        terminal = self.verbose and hasattr(self._stream, "isatty") and self._stream.isatty()
        self._live = self.verbose == 1 and (terminal or "ipykernel" in sys.modules)
        self._columns = shutil.get_terminal_size().columns if terminal else None
        self._length = 0  # of the line that the next drawing must cover
        self._start = self._drawn = time.perf_counter()
        if title and self.verbose:
            self._print(title + "\n")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._length:
            self._print("\n")

    def due(self):
        """Whether it is time to draw the bar again."""
        return self._live and time.perf_counter() - self._drawn > _INTERVAL

    def draw(self, step, logs):
        """The bar after `step` steps, the values so far, and the time that is left or, if that is unknown, gone by."""
        self._drawn = time.perf_counter()
        elapsed = self._drawn - self._start
        if self.total is None:
            line = f"{step}/Unknown - {_duration(elapsed)} {_per_step(elapsed / step)}{_values(logs)}"
        else:
            left = elapsed / step * (self.total - step)
            line = f"{self._count(step)} [{_bar(step, self.total)}] - ETA: {_duration(left)}{_values(logs)}"
        if self._columns is not None:
            line = line[: self._columns - 1]  # a line that wraps cannot be drawn over
        self._redraw(line)

    def finish(self, steps, logs):
        """The finished line: the time in all and per step, and the values."""
        elapsed = time.perf_counter() - self._start
        if self.verbose == 1:
            self.total = self.total or steps
            bar = _bar(steps, self.total)
            each = _per_step(elapsed / max(steps, 1))
            self._redraw(f"{self._count(steps)} [{bar}] - {_duration(elapsed)} {each}{_values(logs)}")
            self._print("\n")
            self._length = 0
        elif self.verbose == 2:
            count = "" if self.title else f"{steps}/{self.total or steps}"  # below a title the line begins with a blank
            self._print(f"{count} - {_duration(elapsed)}{_values(logs)}\n")

    def _count(self, step):
        return f"{step:{len(str(self.total))}d}/{self.total}"

    def _redraw(self, line):
        if self._live:
            self._print("\r" + line.ljust(self._length))
            self._length = len(line)
        else:
            self._print(line)

    def _print(self, text):
        self._stream.write(text)
        self._stream.flush()
