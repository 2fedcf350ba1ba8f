"""Files that are either written whole or not at all."""

import os
import shutil
import sys
from contextlib import contextmanager, suppress


def user_path(filepath):
    """A path as the user gave it, str or Path, with "~" for the home folder, as a str."""
    try:
        return os.path.expanduser(os.fsdecode(filepath))
    except TypeError:
        raise TypeError(f"`filepath` must be a path. Received: {filepath!r}") from None


def may_write(path, overwrite):
    """Whether to write to `path`: if a file is there and `overwrite` is False, the user is asked.

    Raises a FileExistsError where nobody can answer.
    """
    if overwrite or not os.path.lexists(path):
        return True
    if not sys.stdin or not sys.stdin.isatty():
        raise FileExistsError(f"'{path}' exists already. Received: overwrite={overwrite}")
    return input(f"'{path}' exists already. Overwrite it? [y/n] ").strip().lower() in ("y", "yes")


@contextmanager
def replacing(path):
    """A new file, open for writing bytes, that becomes the file at `path` when the block ends.

    It does so in one step, after the bytes have reached the disk: whatever goes wrong before, an exception, a full
    disk, a crash, a kill, the old file stays as it is. Missing folders are made, as Keras does. The file keeps the old
    one's permissions, and a symbolic link goes on pointing at it.
    """
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"'{path}' is not a file that could be replaced.")
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(temporary)
        raise
    _flush_folder(folder)


def write(path, data):
    """Makes a file of the bytes `data`, or replaces the one that is there: whole or not at all."""
    with replacing(path) as file:
        file.write(data)


def _flush_folder(folder):
    """Waits until the folder's entries are on the disk; Windows has no such call."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
