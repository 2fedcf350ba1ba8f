"""The archives of cifar10 and cifar100: Krizhevsky (2009), "Learning multiple layers of features from tiny images"."""

import tarfile

import numpy as np

from fastkeras.datasets import pickled


def load_batches(path, names, label):
    """The images and labels of some batches, straight from the archive: nothing unpacked could take their place.

    path: of the archive. names: of its files. label: the key of the labels in them, as bytes.
    Returns a list of pairs (x, y), x uint8 (N, 32, 32, 3), y a list of N labels.
    """
    batches = {}
    with tarfile.open(path) as archive:
        for member in archive:  # in its own order, as going back would decompress everything again
            if member.name in names:
                batch = pickled.load(archive.extractfile(member))
                images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
                batches[member.name] = np.ascontiguousarray(images), batch[label]
    return [batches[name] for name in names]
