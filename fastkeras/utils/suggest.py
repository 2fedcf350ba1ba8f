"""Answers an unknown name with the nearest known one."""

import difflib
import inspect
import os

from fastkeras.utils.messages import TABLE, message, with_cure


def nearest(name, known):
    """The known name closest to `name`, or None; case and underscores do not count."""
    if not isinstance(name, str):
        return None

    def plain(text):
        return text.lower().replace("_", "")

    found = difflib.get_close_matches(plain(name), {plain(k) for k in known}, n=1, cutoff=0.6)
    spellings = [k for k in known if found and plain(k) == found[0]]  # such as mean_squared_error, MeanSquaredError
    return difflib.get_close_matches(name, spellings, n=1, cutoff=0.0)[0] if found else None


def unknown(kind, name, known):
    """The message for an unknown `kind` ("loss", "argument of Dense") called `name`.

    >>> unknown("loss", "binary_crossent", ["binary_crossentropy", "mean_squared_error"])
    "Unknown loss. Did you mean 'binary_crossentropy'? Received: 'binary_crossent'"
    """
    guess, kind = nearest(name, known), _in_words(kind)
    if guess:
        return message("unknown_but_near", kind=kind, guess=guess, received=repr(name))
    return message("unknown", kind=kind, known=", ".join(sorted(known)), received=repr(name))


def _in_words(kind):
    """The kind in the language that is spoken; what has no words there stays as it is."""
    for start, name in (("argument of ", "argument"), ("name in ", "name"), ("output in ", "output")):
        if kind.startswith(start):
            return message(f"kind_{name}", owner=kind.removeprefix(start))
    return message(f"kind_{kind}") if f"kind_{kind}" in TABLE else kind


def require_file(path):
    """A FileNotFoundError that names the nearest file of the folder, if there is none at `path`."""
    if not os.path.exists(path):
        folder, name = os.path.split(os.path.abspath(path))
        guess = nearest(name, os.listdir(folder) if os.path.isdir(folder) else [])
        text = message("no_file", folder=folder, received=path)
        raise FileNotFoundError(with_cure(text, message("cure_near_file", guess=guess)) if guess else text)


def refuse_arguments(owner, function, given):
    """A TypeError for the first of `given`, the names of keyword arguments that `function` does not have."""
    if given:
        parameters = inspect.signature(function).parameters.values()
        known = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name not in ("self", "model")]
        raise TypeError(unknown(f"argument of {owner}", next(iter(given)), known))
