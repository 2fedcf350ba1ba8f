"""The files of the data sets: where they are, and the checksums that Keras states for them."""

from fastkeras.utils.download import get_file

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"

# file: (folder, checksum), a sha256, or an md5 for the word indices. For Fashion-MNIST Keras states none.
FILES = {
    "boston_housing.npz": (_GOOGLE, "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
    "california_housing.npz": (_GOOGLE, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"),
    "cifar-10-python.tar.gz": (_TORONTO, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    "cifar-100-python.tar.gz": (_TORONTO, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
    "imdb.npz": (_GOOGLE, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),
    "imdb_word_index.json": (_GOOGLE, "bfafd718b763782e994055a2d397834f"),
    "mnist.npz": (_GOOGLE, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    "reuters.npz": (_GOOGLE, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
    "reuters_word_index.json": (_GOOGLE, "4d44cc38712099c9e383dc6e5f11a921"),
    "t10k-images-idx3-ubyte.gz": (_GOOGLE, None),
    "t10k-labels-idx1-ubyte.gz": (_GOOGLE, None),
    "train-images-idx3-ubyte.gz": (_GOOGLE, None),
    "train-labels-idx1-ubyte.gz": (_GOOGLE, None),
}


def fetch(file, path=None, cache_subdir="datasets"):
    """The path of one of FILES in the cache, where it is called `path` or as it is; downloaded if it is not there."""
    folder, checksum = FILES[file]
    return get_file(path or file, origin=folder + file, file_hash=checksum, cache_subdir=cache_subdir)
