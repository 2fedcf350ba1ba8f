"""HDF5 files that are put together in memory, and written when they are complete."""

import io
from contextlib import contextmanager

from fastkeras.utils import atomic


@contextmanager
def file_in_memory():
    """(an h5py.File in memory, the io.BytesIO that holds it when it is closed)."""
    import h5py  # takes as long to import as everything else together

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        yield file, content


@contextmanager
def new_file(path):
    """An h5py.File in memory, which is written to `path` when it is complete.

    In memory, so that a full disk is one OSError from one write: a file of h5py then fails again as it is closed.
    """
    with file_in_memory() as (file, content):
        yield file
    atomic.write(path, content.getbuffer())
