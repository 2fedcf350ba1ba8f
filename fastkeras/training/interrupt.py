"""Ctrl-C during training takes effect between two steps, never inside one."""

import _signal  # what `signal` is made of, without its enums: setting a handler takes a tenth of the time
import threading


class Interrupt:
    """While it is entered, SIGINT that comes during a step waits for the step's end.

        with Interrupt() as interrupt:
            step = interrupt.protect(step)
            step(...)       # all of it happens, or none

    Outside a step (in a generator, a callback, the validation) the signal takes effect at once. What it does is what
    it did before: the handler found at the start is called, and comes back at the end, unless a callback has put
    another in its place. Only the main thread receives signals; on others, and where SIGINT is ignored or handled
    outside Python, nothing is changed.
    """

    def __init__(self):
        self._in_step = False
        self._waiting = None  # the arguments of the handler, while a signal waits
        self._handler = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            handler = _signal.getsignal(_signal.SIGINT)
            if callable(handler):
                self._handler = handler
                _signal.signal(_signal.SIGINT, self._receive)
        return self

    def __exit__(self, *error):
        if self._handler is not None:
            if _signal.getsignal(_signal.SIGINT) == self._receive:
                _signal.signal(_signal.SIGINT, self._handler)
            self._deliver()

    def protect(self, step):
        """`step` as a function that no signal interrupts."""

        def whole_step(*batch):
            self._in_step = True
            try:
                step(*batch)
            finally:
                self._in_step = False
            if self._waiting is not None:
                self._deliver()

        return whole_step

    def _receive(self, number, frame):
        self._waiting = (number, frame)
        if not self._in_step:
            self._deliver()

    def _deliver(self):
        """Calls the handler that was there before, if a signal waits for it."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._handler(*waiting)
