"""fastkeras.datasets on small files of the same structure, from a web server in a thread.

Live against keras.datasets where Keras is installed (the extra `compare`): both read the files of one cache.
"""

import gzip
import hashlib
import importlib
import io
import json
import os
import pickle
import re
import struct
import tarfile
from contextlib import contextmanager

import numpy as np
import pytest
from live import keras_module, needs_tensorflow
from local_server import serving

from fastkeras import datasets
from fastkeras.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from fastkeras.datasets.files import FILES

RNG = np.random.default_rng(7)


# --- files of the structure of Keras's --------------------------------------------------------------------------------


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def texts(count):
    """Lists of word ids, most of them small, as an array of objects."""
    result = np.empty(count, dtype=object)
    for i in range(count):
        result[i] = (RNG.zipf(1.4, size=RNG.integers(1, 23)) % 97 + 1).tolist()
    return result


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 has written the str of the CIFAR files, which has no opcode in Python 3's protocols."""

    def save_bytes(self, data):
        self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(data)

    dispatch = {**pickle._Pickler.dispatch, bytes: save_bytes}  # noqa: RUF012


def python2_pickle(value):
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def tar_gz(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def images(count, *shape):
    return RNG.integers(0, 256, (count, *shape), dtype=np.uint8)


def idx(array):
    """The format of MNIST's own files."""
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes())


IMDB = {"x_train": texts(31), "y_train": np.arange(31) % 2, "x_test": texts(29), "y_test": np.arange(29) % 3 % 2}
REUTERS = {"x": texts(47), "y": np.arange(47) % 46}
MNIST = {"x_train": images(5, 28, 28), "y_train": images(5), "x_test": images(3, 28, 28), "y_test": images(3)}
HOUSING = {"x": RNG.normal(size=(607, 8)).astype(np.float32), "y": RNG.normal(size=607).astype(np.float32)}
BATCHES = {
    **{f"data_batch_{i}": {b"data": images(2, 3072), b"labels": [i, 9 - i]} for i in (4, 1, 5, 2, 3)},
    "test_batch": {b"data": images(3, 3072), b"labels": [7, 0, 1]},
}
BATCHES_100 = {
    "train": {b"data": images(5, 3072), b"fine_labels": [99, 0, 5, 7, 1], b"coarse_labels": [19, 0, 3, 2, 1]},
    "test": {b"data": images(2, 3072), b"fine_labels": [50, 3], b"coarse_labels": [9, 4]},
}
WORD_INDEX = {"the": 1, "film": 2, "größte": 3}

CONTENT = {
    "boston_housing.npz": npz(x=RNG.normal(size=(23, 13)), y=RNG.normal(size=23)),
    "california_housing.npz": npz(**HOUSING),
    "cifar-10-python.tar.gz": tar_gz(
        {f"cifar-10-batches-py/{name}": python2_pickle(batch) for name, batch in BATCHES.items()}
    ),
    "cifar-100-python.tar.gz": tar_gz(
        {f"cifar-100-python/{name}": python2_pickle(batch) for name, batch in BATCHES_100.items()}
    ),
    "imdb.npz": npz(**IMDB),
    "imdb_word_index.json": json.dumps(WORD_INDEX).encode(),
    "mnist.npz": npz(**MNIST),
    "reuters.npz": npz(**REUTERS),
    "reuters_word_index.json": json.dumps(WORD_INDEX).encode(),
    "t10k-images-idx3-ubyte.gz": idx(MNIST["x_test"]),
    "t10k-labels-idx1-ubyte.gz": idx(MNIST["y_test"]),
    "train-images-idx3-ubyte.gz": idx(MNIST["x_train"]),
    "train-labels-idx1-ubyte.gz": idx(MNIST["y_train"]),
}


@pytest.fixture
def serve(monkeypatch):
    """serve(name, data) puts a file on the server and has the table of files say so."""
    with serving() as server:

        def serve(name, data):
            server.files[name] = data
            checked = FILES[name][1] is not None
            monkeypatch.setitem(FILES, name, (server.url, hashlib.sha256(data).hexdigest() if checked else None))

        for name, data in CONTENT.items():
            serve(name, data)
        serve.requests = server.requests
        yield serve


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "datasets"


def assert_equal(actual, expected):
    """The same nested tuples of arrays, dtypes and shapes included."""
    if isinstance(expected, tuple):
        assert isinstance(actual, tuple)
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            assert_equal(a, e)
    else:
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(actual, expected)


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_the_table_covers_every_file():
    assert sorted(CONTENT) == sorted(FILES)


def test_mnist(serve, cache):
    for _ in range(2):
        assert_equal(mnist.load_data(), ((MNIST["x_train"], MNIST["y_train"]), (MNIST["x_test"], MNIST["y_test"])))
    assert serve.requests == ["mnist.npz"]
    assert os.listdir(cache) == ["mnist.npz"]
    mnist.load_data(path="other.npz")
    assert sorted(os.listdir(cache)) == ["mnist.npz", "other.npz"]


def test_fashion_mnist(serve, cache):
    data = fashion_mnist.load_data()
    assert_equal(data, ((MNIST["x_train"], MNIST["y_train"]), (MNIST["x_test"], MNIST["y_test"])))
    data[0][0][:] = 0  # an array of one's own
    assert len(os.listdir(cache / "fashion-mnist")) == 4


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"<html>", lambda data: gzip.compress(b"")])
def test_a_damaged_file_of_fashion_mnist_is_named(serve, cache, damage):
    name = "train-images-idx3-ubyte.gz"
    serve(name, damage(CONTENT[name]))
    with raises(ValueError, f"{cache / 'fashion-mnist' / name} is damaged"):
        fashion_mnist.load_data()


def picture(row):
    """Pixel by pixel: a row of a CIFAR file holds 1024 red values, then the green ones, then the blue ones."""
    return np.array([[[row[c * 1024 + h * 32 + w] for c in range(3)] for w in range(32)] for h in range(32)], np.uint8)


def test_cifar10(serve, cache):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    in_order = [BATCHES[f"data_batch_{i}"] for i in range(1, 6)]
    rows = np.concatenate([batch[b"data"] for batch in in_order])
    assert_equal(x_train, np.stack([picture(row) for row in rows]))
    assert_equal(y_train, np.array([[1], [8], [2], [7], [3], [6], [4], [5], [5], [4]], np.uint8))
    assert_equal(x_test, np.stack([picture(row) for row in BATCHES["test_batch"][b"data"]]))
    assert_equal(y_test, np.array([[7], [0], [1]], np.uint8))
    assert os.listdir(cache) == ["cifar-10-batches-py-target_archive"]


def test_cifar100(serve):
    (x_train, y_train), (x_test, y_test) = cifar100.load_data()
    assert_equal(x_train, np.stack([picture(row) for row in BATCHES_100["train"][b"data"]]))
    assert_equal(y_train, np.array([[99], [0], [5], [7], [1]]))
    assert_equal(x_test, np.stack([picture(row) for row in BATCHES_100["test"][b"data"]]))
    assert_equal(y_test, np.array([[50], [3]]))
    assert cifar100.load_data(label_mode="coarse")[1][1].tolist() == [[9], [4]]


def test_batches_that_python_3_has_written(serve):
    batches = {f"cifar-100-python/{name}": pickle.dumps(batch) for name, batch in BATCHES_100.items()}
    expected = cifar100.load_data()
    serve("cifar-100-python.tar.gz", tar_gz(batches))
    assert_equal(cifar100.load_data(), expected)


def test_housing(serve):
    (x_train, y_train), (x_test, y_test) = california_housing.load_data(test_split=0.1, seed=5)
    assert (x_train.shape, y_train.shape, x_test.shape, y_test.shape) == ((546, 8), (546,), (61, 8), (61,))
    where = {price: features for features, price in zip(HOUSING["x"].tolist(), HOUSING["y"].tolist(), strict=True)}
    assert [where[price] for price in y_train.tolist() + y_test.tolist()] == x_train.tolist() + x_test.tolist()
    assert y_train.tolist() != HOUSING["y"][:546].tolist()
    (x_train, _), (x_test, _) = california_housing.load_data("small", test_split=0)
    assert (x_train.shape, x_test.shape) == ((600, 8), (0, 8))
    assert sorted(x_train[:, 0].tolist()) == sorted(HOUSING["x"][:600, 0].tolist())
    (x_train, _), (x_test, _) = boston_housing.load_data()
    assert (x_train.shape, x_test.shape, x_train.dtype) == ((18, 13), (5, 13), np.float64)


@pytest.mark.parametrize(
    ("arguments", "train", "test"),
    [
        ({}, [1, 4, 8, 5, 12], [1, 6, 2]),  # the largest id of all, 23, counts as unknown
        ({"num_words": 8}, [1, 4, 2, 5, 2], [1, 6, 2]),
        ({"num_words": 8, "oov_char": None}, [1, 4, 5], [1, 6]),
        ({"num_words": 8, "oov_char": 0}, [1, 4, 0, 5, 0], [1, 6, 0]),
        ({"skip_top": 5}, [2, 2, 8, 5, 12], [2, 6, 2]),
        ({"start_char": None}, [4, 8, 5, 12], [6, 2]),
        ({"start_char": 0}, [0, 4, 8, 5, 12], [0, 6, 2]),
        ({"index_from": 0}, [1, 1, 5, 2, 9], [1, 3, 2]),
        ({"index_from": None, "start_char": None, "num_words": 99}, [1, 5, 2, 9], [3, 20]),
        ({"maxlen": 6}, [1, 4, 8, 5, 12], [1, 6, 2]),
    ],
)
def test_word_ids(serve, arguments, train, test):
    def text(*ids):
        return np.fromiter([list(ids)], dtype=object, count=1)

    serve("imdb.npz", npz(x_train=text(1, 5, 2, 9), y_train=np.array([1]), x_test=text(3, 20), y_test=np.array([0])))
    (x_train, y_train), (x_test, y_test) = imdb.load_data(**arguments)
    assert (x_train.tolist(), x_test.tolist()) == ([train], [test])
    assert (x_train.dtype, x_train.shape, type(x_train[0][0])) == (object, (1,), int)
    assert_equal((y_train, y_test), (np.array([1]), np.array([0])))


def test_a_text_as_long_as_maxlen_is_left_out(serve):
    lengths = [len(text) + 1 for text in IMDB["x_train"]]
    (x_train, y_train), _ = imdb.load_data(maxlen=max(lengths))
    assert len(x_train) == len(y_train) == len(lengths) - lengths.count(max(lengths))
    with raises(ValueError, "No text is shorter than `maxlen`. Received: maxlen=1"):
        imdb.load_data(maxlen=1)


def test_texts_keep_their_labels_in_any_order(serve):
    orders = []
    for seed in (113, 5):
        (x_train, y_train), (x_test, y_test) = reuters.load_data(
            seed=seed, start_char=None, index_from=0, num_words=999, test_split=0.25
        )
        assert (len(x_train), len(x_test)) == (35, 12)
        pairs = list(zip(x_train.tolist() + x_test.tolist(), [*y_train, *y_test], strict=True))
        assert sorted(pairs) == sorted(zip(REUTERS["x"].tolist(), REUTERS["y"], strict=True))
        orders.append(pairs)
    assert orders[0] != orders[1]


def test_word_index_and_topics(serve):
    assert imdb.get_word_index() == reuters.get_word_index() == WORD_INDEX
    topics = reuters.get_label_names()
    assert (len(topics), topics[0], topics[3], topics[45]) == (46, "cocoa", "earn", "lead")


# --- what must not be -------------------------------------------------------------------------------------------------


class Exploit:
    """Its pickle calls os.mkdir when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("checksum", ["wrong", "right"])
def test_a_pickle_that_calls_a_function_does_not(serve, cache, tmp_path, checksum, monkeypatch):
    """Neither before its checksum has been compared, nor if it is the right one."""
    marker = tmp_path / "marker"
    evil = np.empty(1, dtype=object)
    evil[0] = Exploit(marker)
    attacks = {
        "imdb.npz": (imdb.load_data, npz(**(IMDB | {"x_train": evil}))),
        "cifar-10-python.tar.gz": (
            cifar10.load_data,
            tar_gz({"cifar-10-batches-py/data_batch_1": pickle.dumps({b"data": Exploit(marker)})}),
        ),
    }
    for name, (load, data) in attacks.items():
        serve(name, data)
        if checksum == "wrong":
            monkeypatch.setitem(FILES, name, (FILES[name][0], "0" * 64))
        expected = {"wrong": "incomplete or corrupted", "right": "Received: posix.mkdir"}[checksum]
        with raises(ValueError, expected):
            load()
        assert not marker.exists()
    with np.load(io.BytesIO(attacks["imdb.npz"][1]), allow_pickle=True) as trusted:
        assert trusted["x_train"].shape == (1,)
    assert marker.exists()  # the attack is a real one


def test_a_file_in_the_cache_with_another_checksum_is_not_read(serve, cache):
    cache.mkdir()
    (cache / "imdb.npz").write_bytes(npz(**(IMDB | {"x_train": texts(31)})))
    expected = imdb.load_data()
    assert serve.requests == ["imdb.npz"]
    assert_equal(imdb.load_data(), expected)
    assert serve.requests == ["imdb.npz"]


def test_without_a_connection(monkeypatch, cache):
    with serving() as gone:
        monkeypatch.setitem(FILES, "mnist.npz", (gone.url, FILES["mnist.npz"][1]))
    message = f"put the file mnist.npz from elsewhere at {cache / 'mnist.npz'}; its sha256 checksum is 731c5ac6"
    with raises(ConnectionError, message):
        mnist.load_data()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: datasets.minst, AttributeError, "name in fastkeras.datasets. Did you mean 'mnist'? Received: 'minst'"),
        (lambda: imdb.load_data(nb_words=9), TypeError, "argument of imdb.load_data. Did you mean 'num_words'?"),
        (lambda: reuters.load_data(testsplit=0), TypeError, "Did you mean 'test_split'? Received: 'testsplit'"),
        (lambda: mnist.load_data(paths="x"), TypeError, "Did you mean 'path'? Received: 'paths'"),
        (lambda: cifar100.load_data("fin"), ValueError, "Did you mean 'fine'? Received: 'fin'"),
        (lambda: california_housing.load_data("smal"), ValueError, "Did you mean 'small'? Received: 'smal'"),
        (lambda: boston_housing.load_data(test_split=1), ValueError, "Received: test_split=1"),
        (lambda: mnist.load_data("folder/mnist.npz"), ValueError, "Received: fname='folder/mnist.npz'"),
    ],
)
def test_arguments_that_are_none(serve, call, error, message):
    with raises(error, message):
        call()


# --- live -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def keras_datasets(monkeypatch, tmp_path):
    """keras.datasets on the cache of the test: it is to find what fastkeras has put there, and not to download."""
    datasets = keras_module().datasets
    file_utils = importlib.import_module("keras.src.utils.file_utils")
    config = importlib.import_module("keras.src.backend.config")
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setattr(file_utils, "validate_file", lambda *args, **kwargs: True)  # the files are not Keras's own

    def urlretrieve(url, *args):
        raise AssertionError(f"Keras does not find {url} in the cache")

    monkeypatch.setattr(file_utils, "urlretrieve", urlretrieve)
    return datasets


CALLS = [
    *(("mnist", {}), ("fashion_mnist", {}), ("cifar100", {}), ("cifar100", {"label_mode": "coarse"})),
    *(("boston_housing", {}), ("boston_housing", {"test_split": 0.35, "seed": 3})),
    *(("california_housing", {}), ("california_housing", {"version": "small", "test_split": 0, "seed": 1})),
    *(
        (name, arguments)
        for name in ("imdb", "reuters")
        for arguments in (
            {},
            {"num_words": 20},
            {"num_words": 20, "skip_top": 6, "maxlen": 13, "seed": 4},
            {"num_words": 20, "oov_char": None},
            {"start_char": None},
            {"start_char": None, "index_from": 0},
            {"start_char": 7, "index_from": 10, "oov_char": 9, "skip_top": 12, "num_words": 60},
            {"maxlen": 17},
        )
    ),
    *(("reuters", {"test_split": split, "maxlen": 11}) for split in (0.05, 0.31, 0.9)),
]


@needs_tensorflow
@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_keras_loads_the_same(serve, keras_datasets, name, arguments):
    ours = getattr(datasets, name).load_data(**arguments)
    assert_equal(ours, getattr(keras_datasets, name).load_data(**arguments))


@needs_tensorflow
def test_keras_has_the_same_words_and_topics(serve, keras_datasets):
    assert imdb.get_word_index() == keras_datasets.imdb.get_word_index()
    assert reuters.get_word_index() == keras_datasets.reuters.get_word_index()
    assert reuters.get_label_names() == keras_datasets.reuters.get_label_names()


@contextmanager
def recorded(monkeypatch, module):
    """The arguments of the first call of get_file in a module, which is not carried out."""
    calls = []

    def get_file(fname, **arguments):
        calls.append({"fname": fname, "cache_subdir": "datasets", "file_hash": None, **arguments})
        raise StopIteration

    monkeypatch.setattr(module, "get_file", get_file)
    with pytest.raises(StopIteration):
        yield calls


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "function"),
    [*((name, "load_data") for name in datasets.__all__), ("imdb", "get_word_index"), ("reuters", "get_word_index")],
)
def test_urls_names_and_checksums_are_those_of_keras(monkeypatch, keras_datasets, name, function):
    with recorded(monkeypatch, importlib.import_module("fastkeras.datasets.files")) as ours:
        getattr(getattr(datasets, name), function)()
    with recorded(monkeypatch, importlib.import_module(f"keras.src.datasets.{name}")) as theirs:
        getattr(getattr(keras_datasets, name), function)()
    if theirs[0].pop("extract", False):  # we read the archive itself
        theirs[0]["fname"] += "_archive"
    assert ours == theirs
