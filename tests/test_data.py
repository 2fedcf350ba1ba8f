"""What people pass as data: every form gives the batches that the model and the loss want."""

import itertools

import numpy as np
import pytest
from small_models import classifier, line, points, sentences, tagger, wave

import fastkeras as keras
from fastkeras import random_state
from fastkeras.layers import Dense, Input, Layer
from fastkeras.training import data
from fastkeras.training.prepare import prepare
from fastkeras.utils.arrays import to_array
from fastkeras.utils.sequence import PyDataset, Sequence

X, Y = points(23)


def batches(model, *args, **options):
    """The batches of one epoch as copies: a list of (x, y, weights)."""
    copies = []
    for xs, (y,), (weights,) in data.source(model, *args, **options):
        copies.append((xs[0].copy(), y.copy(), None if weights is None else weights.copy()))
    return copies


class Frame:
    """Stands for a pandas frame or series: something numpy can read, with indexing of its own."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, column):
        raise KeyError(column)


class Sparse:
    """Stands for a scipy matrix."""

    def __init__(self, values):
        self.values = values

    def toarray(self):
        return self.values


# --- forms of x and y -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, Y),
        (X.tolist(), Y.tolist()),
        (tuple(map(tuple, X.tolist())), tuple(Y.tolist())),
        (list(X), Y.astype(bool)),
        (X.astype(np.float32)[::-1][::-1], Y[:, None].astype(np.uint8)),
        (np.asfortranarray(X), list(map(float, Y))),
        (X.astype(object), Y.astype(object)),
        (Frame(X), Frame(Y)),
        (Sparse(X), Y),
        (memoryview(X), Y),
        ([X], Y),
        ({"features": X}, Y),
    ],
    ids=[
        "arrays",
        "lists",
        "tuples",
        "rows",
        "views",
        "columns",
        "objects",
        "frames",
        "sparse",
        "memory",
        "list",
        "dict",
    ],
)
def test_every_form_of_arrays_gives_the_same_batches(x, y):
    model = keras.Sequential([Input((4,), name="features"), Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    got = batches(model, x, y, batch_size=10)
    assert [len(x) for x, _, _ in got] == [10, 10, 3]
    np.testing.assert_array_equal(np.concatenate([x for x, _, _ in got]), X.astype(np.float32))
    np.testing.assert_array_equal(np.concatenate([y for _, y, _ in got]).reshape(-1), Y)
    assert all(x.dtype == np.float32 and x.flags.c_contiguous for x, _, _ in got)


@pytest.mark.needs("pandas")
def test_pandas_frames_and_series():
    import pandas

    index = np.arange(23)[::-1] * 3  # rows go by their order, not by their labels
    frame, labels = pandas.DataFrame(X, index=index, columns=list("abcd")), pandas.Series(Y, index=index)
    weights = pandas.Series(1.0 + np.arange(23) % 2, index=index)
    data = (frame, labels, weights), (X, Y, weights.to_numpy())
    trained = []
    for x, y, w in data:
        model = classifier()
        options = {"sample_weight": w, "validation_data": (x[:9], y[:9], w[:9]), "verbose": 0, "shuffle": False}
        trained.append([model.fit(x, y, 7, **options).history, model.evaluate(x, y.astype(bool), verbose=0)])
        trained[-1].append(model.predict(x).tolist())
    assert trained[0] == trained[1]
    one = line()
    np.testing.assert_array_equal(one.predict(frame["a"]), one.predict(X[:, :1]))
    mixed = frame.assign(a=frame["a"] > 0)  # of booleans and numbers
    np.testing.assert_array_equal(classifier().predict(mixed), classifier().predict(mixed.to_numpy(float)))
    a, b = Input((1,), name="a"), Input((1,), name="b")
    total = keras.Model([a, b], keras.layers.add([a, b]))
    expected = (X[:, :1] + X[:, 1:2]).astype(np.float32)
    np.testing.assert_allclose(total.predict({"b": frame["b"], "a": frame["a"]}), expected, rtol=1e-6)
    np.testing.assert_allclose(total.predict([frame[["a"]], frame["b"]]), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "x",
    [[1, 2, 3], np.array([1.0, 2.0, 3.0]), [[1], [2], [3]], np.ones((3, 1, 1)) * [[[1]], [[2]], [[3]]], range(1, 4)],
)
def test_one_feature_per_sample_needs_no_axis_of_its_own(x):
    ((xs, y, _),) = batches(line(), x, [2, 4, 6])
    np.testing.assert_array_equal(xs, [[1], [2], [3]])
    np.testing.assert_array_equal(y.reshape(-1), [2, 4, 6])


def test_a_dict_goes_by_the_names_of_the_inputs_and_a_list_by_their_order():
    class Difference(Layer):
        def compute_output_shape(self, shapes):
            return shapes[0]

        def forward(self, xs, run):
            return xs[0] - xs[1], lambda dy: [dy, -dy]

    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = keras.Model([a, b], Difference()([a, b]))
    x, z = wave(3, 2), wave(2, 3).T
    for inputs in ([x, z], (x, z), {"b": z, "a": x, "c": None}):
        np.testing.assert_array_equal(model.predict(inputs), x - z)
    for call in (model, model.predict):
        with pytest.raises(ValueError, match=r"no data for the inputs \['b'\]. Received: keys \['a'\]"):
            call({"a": x})
    with pytest.raises(ValueError, match=r"expected 2 inputs, \['a', 'b'\]. Received: 1"):
        model.predict(x)
    with pytest.raises(ValueError, match=r"same length. Received: \[3, 2\]"):
        model.predict([x, z[:2]])


def test_ids_become_int32_and_labels_stay_integers():
    x, y = sentences()
    ((xs, targets, _),) = batches(tagger(), x.astype(np.float64), y[:, :, None], batch_size=None)
    assert xs.dtype == targets.dtype == np.int32
    np.testing.assert_array_equal(xs, x)
    np.testing.assert_array_equal(targets, y)


def test_nothing_is_copied_that_has_the_right_form():
    x = X.astype(np.float32)
    ((xs, _, _),) = data.source(classifier(), x, Y, batch_size=None)
    assert np.shares_memory(xs[0], x)


def test_arrays_at_odd_addresses_are_taken_like_any_other():
    def odd(array):
        array = np.ascontiguousarray(array, np.float32)
        return np.frombuffer(b"." + array.tobytes(), np.float32, offset=1).reshape(array.shape)

    model, weights = line(), np.array([1, 2, 3, 4])
    x, y = wave(4, 1), wave(1, 4).T
    assert not odd(x).flags.aligned
    np.testing.assert_array_equal(model.predict(odd(x)), model.predict(x))
    np.testing.assert_array_equal(model(odd(x)), model(x))
    for given in ((y, odd(weights)), (odd(y), weights)):
        assert model.evaluate(x, given[0], sample_weight=given[1]) == model.evaluate(x, y, sample_weight=weights)


# --- batches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(None, [23]), (23, [23]), (100, [23]), (7, [7, 7, 7, 2]), (1, [1] * 23)]
)
@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_batches_are_all_samples_once(batch_size, sizes, shuffle):
    w = np.arange(23) / 7
    got = batches(classifier(), X, Y, w, batch_size=batch_size, shuffle=shuffle)
    assert [len(x) for x, _, _ in got] == sizes
    rows = {tuple(np.float32(x)): (y, np.float32(weight)) for x, y, weight in zip(X, Y, w, strict=True)}
    seen = [(tuple(x), y[0], weight) for xs, ys, ws in got for x, y, weight in zip(xs, ys, ws, strict=True)]
    assert len({x for x, _, _ in seen}) == 23
    assert all(rows[x] == (y, weight) for x, y, weight in seen), "x, y and weights must stay together"


def test_the_order_is_new_in_each_epoch_and_repeats_with_the_seed():
    def epochs(seed):
        random_state.set_random_seed(seed)
        source = data.source(classifier(), X, Y, batch_size=5, shuffle=True)
        return [np.concatenate([xs[0].copy() for xs, _, _ in source]) for _ in range(2)]

    first, second = epochs(1)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(epochs(1), [first, second])
    assert not np.array_equal(epochs(2)[0], first)


def test_shuffling_in_batches_keeps_the_batches_together():
    got = batches(classifier(), X, Y, batch_size=5, shuffle="batch")
    order = [[np.flatnonzero((X.astype(np.float32) == row).all(1))[0] for row in x] for x, _, _ in got]
    assert [sorted(part) for part in order] == [list(range(s, min(s + 5, 23))) for s in range(0, 23, 5)]
    assert order != [sorted(part) for part in order]


def test_more_rows_than_are_gathered_at_once_are_shuffled_whole(monkeypatch):
    monkeypatch.setattr(data, "_STAGED_BYTES", 200)  # 20 bytes a row: two batches of five at a time, then the rest
    source = data.source(classifier(), X, Y, batch_size=5, shuffle=True)
    for _ in range(2):
        seen = np.concatenate([xs[0].copy() for xs, _, _ in source])
        np.testing.assert_array_equal(np.unique(seen, axis=0), np.unique(X.astype(np.float32), axis=0))


def test_many_batches_are_cut_anew_in_each_epoch(monkeypatch):
    monkeypatch.setattr(data, "_KEPT_BATCHES", 3)
    source = data.source(classifier(), X, Y, batch_size=5)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate([xs[0] for xs, _, _ in source]), X.astype(np.float32))


def test_the_split_takes_the_last_part_in_order():
    whole = data.source(classifier(), X, Y, np.arange(23.0), batch_size=4, shuffle=True)
    first, last = data.split(whole, 0.3, 5)
    rows = np.concatenate([w for _, _, (w,) in last])
    np.testing.assert_array_equal(rows, np.arange(16, 23))  # 23 * 0.7 = 16.1
    assert sorted(np.concatenate([w.copy() for _, _, (w,) in first])) == list(range(16))
    assert (first.steps, last.steps) == (4, 2)


# --- generators, iterables, sequences ---------------------------------------------------------------------------------


def pairs(n=3):
    for i in range(n):
        yield X[7 * i : 7 * i + 7], Y[7 * i : 7 * i + 7]


class Loader:
    """An iterable that can be gone through again, and knows its length if it is told."""

    def __init__(self, n=None):
        if n is not None:
            self.__class__ = type("LoaderOfKnownLength", (Loader,), {"__len__": lambda self: n})

    def __iter__(self):
        return pairs()


class Numbers(Sequence):
    """Batches of x = [[i]], y = [2 i]."""

    def __init__(self, n):
        super().__init__(workers=2, use_multiprocessing=True)
        self.n, self.calls = n, []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.calls.append(i)
        return np.array([[i]]), np.array([2 * i])

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def test_an_endless_iterable_may_refuse_to_tell_its_length():
    class Endless(Loader):
        def __len__(self):
            raise TypeError("endless")

    assert data.source(classifier(), Endless()).steps is None


@pytest.mark.parametrize(
    "make", [pairs, Loader, lambda: Loader(3), lambda: zip(*map(list, zip(*pairs(), strict=True)), strict=True)]
)
def test_batches_that_come_one_by_one(make):
    source = data.source(classifier(), make())
    got = [(xs[0].copy(), y.copy()) for xs, (y,), _ in source]
    assert [len(x) for x, _ in got] == [7, 7, 7]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in got]), X[:21].astype(np.float32))
    assert len(list(source)) == (3 if isinstance(make(), Loader) else 0), "an iterator gives each batch once"
    assert source.steps == (3 if hasattr(make(), "__len__") else None)


def test_batches_may_hold_weights_or_be_lists_or_inputs_alone():
    ((_, _, (weights,)),) = data.source(classifier(), iter([[X[:2], Y[:2], [0.5, 2.0]]]))
    np.testing.assert_array_equal(weights, [0.5, 2.0])
    model = classifier()
    expected = model.predict(X[:6])
    for form in ([X[:3], X[3:6]], [(X[:3],), (X[3:6],)], [(X[:3], Y[:3]), (X[3:6], Y[3:6])]):
        np.testing.assert_array_equal(model.predict(iter(form)), expected)


def test_a_sequence_gives_its_batches_in_order_or_shuffled():
    sequence = Numbers(5)
    source = data.source(line(), sequence)
    sequence.calls.clear()
    assert [xs[0].item() for xs, _, _ in source] == [0, 1, 2, 3, 4]
    assert sequence.calls == ["begin", 0, 1, 2, 3, 4, "end"]
    shuffled = data.source(line(), Numbers(31), shuffle=True)
    orders = [[xs[0].item() for xs, _, _ in shuffled] for _ in range(2)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(31))
    assert orders[0] != orders[1]
    assert PyDataset is Sequence
    assert len(list(Numbers(3))) == 3


def test_any_object_with_length_and_index_is_a_sequence():
    class Plain:
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return [[i]], [i]

    assert [xs[0].item() for xs, _, _ in data.source(line(), Plain())] == [0, 1]


def test_epochs_of_given_length_go_on_where_the_last_one_stopped():
    source = data.Endless(data.source(line(), [0, 1, 2, 3, 4], [0] * 5, batch_size=1), 3)
    assert [[xs[0].item() for xs, _, _ in source] for _ in range(3)] == [[0, 1, 2], [3, 4, 0], [1, 2, 3]]
    once = data.Endless(data.source(line(), iter([([[i]], [i]) for i in range(5)])), 3)
    assert [[xs[0].item() for xs, _, _ in once] for _ in range(3)] == [[0, 1, 2], [3, 4], []]


def test_an_iterator_loses_no_batch_between_two_calls():
    endless = ((np.full((2, 1), i), np.zeros(2)) for i in itertools.count())
    model = line()
    model.evaluate(endless, steps=3, verbose=0)
    model.fit(endless, steps_per_epoch=2, epochs=2, verbose=0)
    assert next(endless)[0][0, 0] == 7


# --- weights ----------------------------------------------------------------------------------------------------------


def test_sample_weights_have_one_entry_per_sample_or_step():
    x, y = sentences()
    for given, shape in [
        (np.ones(11), (11,)),
        (np.ones((11, 1)), (11,)),
        (np.ones((11, 5)), (11, 5)),
        ([2] * 11, (11,)),
    ]:
        assert prepare(tagger(), x, y, given)[2][0].shape == shape
    for wrong in (np.ones(10), np.ones((11, 4)), np.ones((11, 5, 3)), 1.0):
        with pytest.raises(ValueError, match=r"`sample_weight` must have one weight per sample, shape \(11,\) /"):
            prepare(tagger(), x, y, wrong)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0, 1, 2, 1], [3.0, 1.0, 0.5, 1.0]),
        ([[0], [1], [2], [1]], [3.0, 1.0, 0.5, 1.0]),
        (np.eye(3)[[0, 1, 2, 1]], [3.0, 1.0, 0.5, 1.0]),
    ],
    ids=["labels", "column", "one-hot"],
)
def test_class_weights_go_by_the_target(y, expected):
    loss = "categorical_crossentropy" if np.ndim(y) == 2 and np.shape(y)[1] > 1 else "sparse_categorical_crossentropy"
    model = keras.Sequential([Dense(3, activation="softmax", input_dim=1)])
    model.compile("sgd", loss)
    np.testing.assert_array_equal(prepare(model, [1, 2, 3, 4], y, class_weight={0: 3.0, 2: 0.5})[2][0], expected)


def test_targets_may_be_a_list_with_one_item_per_output():
    x, y = points(7)
    for form in ([y], (y,), [y.tolist()]):
        np.testing.assert_array_equal(prepare(classifier(), [x], form)[1], prepare(classifier(), x, y)[1])
    assert prepare(classifier(), x[:1], [y[0]])[1][0].shape == prepare(classifier(), x[:1], y[:1])[1][0].shape


def test_class_weights_of_steps():
    x, y = sentences()
    weights = prepare(tagger(), x, y, class_weight={1: 2.5})[2][0]
    np.testing.assert_array_equal(weights, np.where(y == 1, np.float32(2.5), np.float32(1)))


def test_to_array_keeps_numbers_as_they_are():
    assert to_array("x", [1, 2]).dtype == np.int64
    assert to_array("x", [True]).dtype == bool
    assert to_array("x", np.float16([1])).dtype == np.float16
