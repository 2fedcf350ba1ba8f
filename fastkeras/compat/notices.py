"""What a script is told about its old spellings: one line for each, on stderr, the first time it is met."""

import os
import sys

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")  # the folder that fastkeras is in
_said = set()


def say(text, *spellings):
    """Prints `text` after the script's file and line, unless it was said about each of these spellings before.

    spellings: what is old in the line, by default the text itself.
    """
    fresh = {*(spellings or [text])} - _said
    if fresh:
        _said.update(fresh)
        print(f"{_place()}{text}", file=sys.stderr)


def called_by_script():
    """Whether the function that asks was called from outside fastkeras: files, too, hold words that are old."""
    return not sys._getframe(2).f_code.co_filename.startswith(PACKAGE)


def _place():
    """'script.py:12: ', the line outside fastkeras and the import system that led here."""
    frame = sys._getframe()
    while frame and frame.f_code.co_filename.startswith((PACKAGE, "<frozen ")):
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}: " if frame else ""
