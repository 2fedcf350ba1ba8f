"""CategoryEncoding, Discretization and Hashing, and the hashes: live against TensorFlow, and by hand."""

import random

import numpy as np
import pytest
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import layers
from fastkeras.layers import CategoryEncoding, Discretization, Hashing
from fastkeras.utils.fingerprint import fingerprint64, siphash64

IDS = np.array([[2, 0, 2], [1, 4, 0]])
DEEPER = [IDS[..., None], np.arange(42).reshape(2, 7, 3) % 5, np.arange(42).reshape(1, 3, 2, 7) % 5]
VALUES = np.array([[-1.5, 0.0, 0.5], [2.0, 7.0, 1.999]], np.float32)
NAMES = np.array([["cat", "", "dog"], ["\uc548\ub155", "a much longer name than that", "cat"]])
MODES = ["one_hot", "multi_hot", "count"]


def same(ours, theirs, *inputs):
    for x in inputs:
        y, wanted = ours(x), theirs(x).numpy()
        np.testing.assert_allclose(y, wanted, rtol=1e-6)
        assert y.dtype == wanted.dtype
        assert ours.compute_output_shape((None, *x.shape[1:]))[1:] == wanted.shape[1:] or x.ndim == 1
    config, wanted = ours.get_config(), theirs.get_config()
    assert {key: config[key] for key in wanted.keys() - {"name", "dtype", "trainable"}} == {
        key: wanted[key] for key in wanted.keys() - {"name", "dtype", "trainable"}
    }
    again = type(ours).from_config(config)
    np.testing.assert_array_equal(again(inputs[0]), ours(inputs[0]))


@needs_tensorflow
@pytest.mark.parametrize("mode", MODES)
def test_keras_encodes_alike(mode):
    keras = keras_module()
    ours, theirs = CategoryEncoding(5, mode), keras.layers.CategoryEncoding(5, mode)
    config, wanted = ours.get_config(), theirs.get_config()
    assert {key: config[key] for key in ("num_tokens", "output_mode")} == {
        key: wanted[key] for key in ("num_tokens", "output_mode")
    }
    for x in (IDS, IDS[:, :1], IDS[:, 0], IDS[0, 0], IDS.astype(np.float32), *DEEPER):
        np.testing.assert_array_equal(ours(x), theirs(x).numpy())
        assert ours.compute_output_shape(x.shape) == ours(x).shape  # Keras's own does not say what it gives of DEEPER
    if mode == "count":
        for x in (IDS, *DEEPER):
            weights = np.arange(x.size, dtype=np.float32).reshape(x.shape)
            np.testing.assert_array_equal(ours(x, count_weights=weights), theirs(x, count_weights=weights).numpy())


@needs_tensorflow
@pytest.mark.parametrize("mode", ["int", *MODES])
def test_keras_discretizes_alike(mode):
    keras = keras_module()
    arguments = {"bin_boundaries": [0.0, 0.5, 2.0], "output_mode": mode}
    ours, theirs = Discretization(**arguments), keras.layers.Discretization(**arguments)
    same(ours, theirs, VALUES, VALUES[:, :1], VALUES[:, 0])


@needs_tensorflow
@pytest.mark.parametrize("epsilon", [0.01, 0.1])
def test_keras_finds_the_same_boundaries(epsilon):
    keras, data = keras_module(), np.random.default_rng(31).normal(size=(307, 3)).astype(np.float32)
    for batches in (data, [data[:200], data[200:], data[:7]]):
        ours = Discretization(num_bins=7, epsilon=epsilon)
        theirs = keras.layers.Discretization(num_bins=7, epsilon=epsilon)
        ours.adapt(batches)
        theirs.adapt(batches)
        np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
    again = Discretization.from_config(ours.get_config())
    np.testing.assert_array_equal(again(data), ours(data))


@needs_tensorflow
@pytest.mark.parametrize("salt", [None, 133, [133, 2**60 + 7]])
def test_keras_hashes_alike(salt):
    keras = keras_module()
    for mode in ("int", *MODES):
        arguments = {"num_bins": 7, "salt": salt, "output_mode": mode, "mask_value": ""}
        ours, theirs = Hashing(**arguments), keras.layers.Hashing(**arguments)
        same(ours, theirs, NAMES, NAMES[:, :1], NAMES[:, 0])
        np.testing.assert_array_equal(ours(NAMES[:, None]), theirs(NAMES[:, None]).numpy())
    arguments = {"num_bins": 100, "salt": salt, "mask_value": 2}
    same(Hashing(**arguments), keras.layers.Hashing(**arguments), IDS, VALUES.astype(np.int64))
    np.testing.assert_array_equal(Hashing(9)(VALUES), keras.layers.Hashing(9)(VALUES))


@needs_tensorflow
def test_tensorflow_has_the_same_hashes():
    import tensorflow as tf

    drawn, many = random.Random(30), 2**62 - 57
    texts = [drawn.randbytes(n) for n in [*range(140), 255, 256, 257, 1000, 4097]]
    of_farm = tf.strings.to_hash_bucket_fast(texts, many).numpy().tolist()
    assert [fingerprint64(text) % many for text in texts] == of_farm
    of_sip = tf.strings.to_hash_bucket_strong(texts, many, key=[133, 2**60 + 7]).numpy().tolist()
    assert [siphash64(text, (133, 2**60 + 7)) % many for text in texts] == of_sip


def test_hashes_by_the_papers_example():
    """The SipHash paper's appendix A: bytes 0 to 14 with the key of bytes 0 to 15."""
    key = [int.from_bytes(bytes(range(start, start + 8)), "little") for start in (0, 8)]
    assert siphash64(bytes(range(15)), key) == 0xA129CA6149BE45E5
    assert len({fingerprint64(b"x" * n) for n in range(200)}) == 200


def test_by_hand():
    np.testing.assert_array_equal(CategoryEncoding(3)([[0, 0], [2, 1]]), [[1, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(CategoryEncoding(3, "count")([[0, 0], [2, 1]]), [[2, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(CategoryEncoding(3, "one_hot")([[0], [2]]), [[1, 0, 0], [0, 0, 1]])
    of_each_axis = CategoryEncoding(3, "count")([[[0, 1], [0, 2], [2, 2]]])
    np.testing.assert_array_equal(of_each_axis, [[[2, 0, 1], [0, 1, 2]]])
    np.testing.assert_array_equal(Discretization([0.0, 2.0])([-1, 0, 1.9, 2, 5]), [0, 1, 1, 2, 2])
    halves = Discretization(num_bins=2)
    halves.adapt(np.arange(1000.0))
    assert abs(halves.bin_boundaries[0] - 500) < 10 and len(halves.bin_boundaries) == 1
    bins = Hashing(5)(["a", "b", "a"])
    assert bins[0] == bins[2] and bins.dtype == np.int64 and max(bins) < 5


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_in_a_model(tmp_path, name):
    ages, towns = np.array([15.0, 42, 70, 33]), np.array(["Seoul", "Busan", "Seoul", "Jeju"])
    age, town = fastkeras.Input((1,), name="age"), fastkeras.Input((1,), dtype="string", name="town")
    by_age = Discretization([20.0, 40.0], output_mode="one_hot")
    by_number = CategoryEncoding(11)(Hashing(11)(town))
    x = layers.concatenate([by_age(age), by_number, Discretization([40.0], output_mode="count")(age)])
    model = fastkeras.Model([age, town], layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.fit([ages, towns], np.arange(4.0), epochs=1, verbose=0)
    weights, bias = model.layers[-1].get_weights()
    rows = [by_age(ages), np.eye(11)[Hashing(11)(towns)], np.eye(2)[(ages >= 40).astype(int)]]
    predicted = model.predict([ages, towns], verbose=0)
    np.testing.assert_allclose(predicted, np.concatenate(rows, axis=1) @ weights + bias, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / name)
    np.testing.assert_array_equal(
        fastkeras.models.load_model(tmp_path / name).predict([ages, towns], verbose=0), predicted
    )


def test_what_has_three_axes_in_a_graph():
    ids = fastkeras.Input((3, 2))
    many = CategoryEncoding(5)(ids)
    model = fastkeras.Model(ids, layers.Dense(7)(many))
    assert many.shape == (None, 2, 5) and model.predict(np.stack([IDS, IDS], axis=-1), verbose=0).shape == (2, 2, 7)


def test_weights_of_occurrences_in_a_graph():
    ids, weights = fastkeras.Input((3,)), fastkeras.Input((3,))
    layer = CategoryEncoding(5, "count")
    model = fastkeras.Model([ids, weights], layer(ids, count_weights=weights))
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(model.predict([IDS, given], verbose=0), [[1, 0, 2, 0, 0], [5, 3, 0, 0, 4]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CategoryEncoding(), "CategoryEncoding: `num_tokens` must be a positive integer"),
        (lambda: CategoryEncoding(3, "int"), "`output_mode` must be one of one_hot, multi_hot, binary, count"),
        (lambda: CategoryEncoding(3, sparse=True), "CategoryEncoding: results are dense arrays"),
        (lambda: CategoryEncoding(3)([[0, 3]]), "expected numbers from 0 to num_tokens - 1 = 2. Received: 0 to 3"),
        (lambda: CategoryEncoding(3)([[-1]]), "Received: -1 to -1"),
        (
            lambda: CategoryEncoding(5, "count")(IDS, count_weights=IDS[:, :2]),
            r"`count_weights` must have the shape of the inputs, \(2, 3\). Received: shape \(2, 2\)",
        ),
        (lambda: CategoryEncoding(3)(IDS, count_weights=IDS), "`count_weights` belong to output_mode 'count'"),
        (lambda: Discretization(), "give either `bin_boundaries` or `num_bins`"),
        (lambda: Discretization([1.0], 2), "give either `bin_boundaries` or `num_bins`"),
        (lambda: Discretization(num_bins=2, epsilon=0), "`epsilon` must be between 0 and 1"),
        (lambda: Discretization([2.0, 1.0]), "`bin_boundaries` must ascend"),
        (lambda: Discretization([1.0]).adapt(VALUES), "adapt\\(\\) was called, but `bin_boundaries` are given"),
        (lambda: Discretization(num_bins=3)(VALUES), "there are no boundaries yet"),
        (lambda: Discretization(num_bins=3).adapt([]), "adapt\\(\\) needs data"),
        (lambda: Hashing(0), "`num_bins` must be a positive integer"),
        (lambda: Hashing(3, salt=[1]), "`salt` must be an integer or two of them"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
