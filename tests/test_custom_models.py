"""Models with a call of their own: in training, in files, and within others."""

import h5py
import numpy as np
import pytest
from checks import assert_close
from custom_cases import X, Y, trained

import fastkeras
from fastkeras import layers, ops


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "selu", "sigmoid", "tanh", "softmax"])
def test_an_activation_between_two_layers_in_a_call_trains_as_one_of_the_first(name):
    class Net(fastkeras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = layers.Dense(5), layers.Dense(3)

        def call(self, inputs):
            return self.last(getattr(ops, name)(self.first(inputs)))

    own = Net()
    chain = fastkeras.Sequential([layers.Dense(5, activation=name, input_shape=(4,)), layers.Dense(3)])
    own(X)
    own.set_weights(chain.get_weights())
    for model in (own, chain):
        model.compile("sgd", "mse")
        model.fit(X, Y, epochs=3, verbose=0)
    for actual, expected in zip(own.get_weights(), chain.get_weights(), strict=True):
        assert_close(actual, expected, 1e-5)


class Own(fastkeras.Model):
    """A model with a call of its own."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(5, activation="relu")
        self.dropout = layers.Dropout(0.5)
        self.last = layers.Dense(3)

    def call(self, inputs, training=False):
        x = self.dropout(self.first(inputs), training=training)
        return self.last(x) + 0.0 * ops.sum(x)


def test_models_with_a_call_of_their_own_train_predict_and_keep_their_weights(tmp_path):
    model = Own()
    model.dropout.rate = 0.0
    history = trained(model)
    assert history[-1] < history[0]
    assert [layer.name for layer in model.layers] == [model.first.name, model.dropout.name, model.last.name]
    assert [v.shape for v in model.trainable_variables] == [(4, 5), (5,), (5, 3), (3,)]
    w = model.get_weights()
    expected = np.maximum(X @ w[0] + w[1], 0) @ w[2] + w[3]
    assert_close(model.predict(X), expected, 1e-5)
    assert_close(model(X), expected, 1e-5)
    model.save_weights(tmp_path / "own.weights.h5")
    other = Own()
    other.build((None, 4))
    other.load_weights(tmp_path / "own.weights.h5")
    assert_close(other.predict(X), expected, 1e-5)
    with fastkeras.GradientTape() as tape:
        loss = ops.mean(ops.square(Y - model(X, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert_close(gradients[3], 2 * (expected - Y).sum(axis=0) / Y.size, 1e-4)


def test_weights_of_models_with_a_call_go_by_their_attributes(tmp_path):
    """As in Keras 3's files: tests/test_keras_own_steps.py exchanges them."""
    model, path = Own(), tmp_path / "own.weights.h5"
    model(X)
    model.save_weights(path)
    with h5py.File(path) as file:
        assert "first/vars/0" in file and "last/vars/1" in file
    other = Own()
    with pytest.raises(ValueError, match="not built"):
        other.load_weights(path)
    other(X)
    other.load_weights(path)
    assert_close(other(X), model(X), 1e-6)
    with pytest.raises(ValueError, match=r"\(Own\) computes by a `call` of its own.*name.keras.*save_weights"):
        model.save(tmp_path / "own.h5")
    with pytest.raises(ValueError, match="not built"):
        Own().save(tmp_path / "own.keras")


@fastkeras.saving.register_keras_serializable("tests", name="two_sides")
class Sides(fastkeras.Model):
    """A model of two inputs, in a dict, with arguments of its own."""

    def __init__(self, units, layers=(), **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.left, self.right = (fastkeras.layers.Dense(units) for _ in range(2))

    def call(self, inputs):
        return self.left(inputs["a"]) * ops.tanh(self.right(inputs["b"]))

    def get_config(self):
        return {**super().get_config(), "units": self.units, "layers": [3, 4]}


@pytest.mark.parametrize("called", ["fit", "at once"])
def test_models_with_a_call_are_saved_whole(tmp_path, called):
    model, path, data = Sides(3), tmp_path / "sides.keras", {"b": X[:, :2], "a": X}
    if called == "fit":
        model.compile("adam", "mse")
        model.fit(data, Y, verbose=0)
    else:
        model(data)
    model.save(path)
    again = fastkeras.saving.load_model(path) if called == "fit" else fastkeras.saving.load_model(path, compile=False)
    assert type(again) is Sides and again.name == model.name
    assert_close(again.predict(data, verbose=0), model(data), 1e-6)
    if called == "fit":
        losses = [m.fit(data, Y, verbose=0, shuffle=False).history for m in (again, model)]
        assert losses[0] == losses[1]
        assert again.optimizer.iterations == 2
        for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    described = fastkeras.models.model_from_json(model.to_json())
    assert [v.shape for v in described.variables] == [v.shape for v in model.variables]


@fastkeras.saving.register_keras_serializable("tests", name="several_tensors")
class Several(fastkeras.Model):
    """A model that is called with two tensors and a pair of them."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.last = (fastkeras.layers.Dense(3) for _ in range(3))

    def call(self, a, b, others, scale=1.0, mask=None):
        return self.left(a) * self.right(b) * scale + self.last(others[0]) * others[1]


def test_models_called_with_several_tensors_are_saved_whole(tmp_path):
    model, path = Several(), tmp_path / "several.keras"
    a, b, mask = ops.convert_to_tensor(X), X[:, :2], np.ones(7, bool)
    y = model(a, b, others=[X[:, 1:], X[:, :1]], scale=2.0, mask=mask)
    shapes = {"a_shape": (7, 4), "b_shape": (7, 2), "others_shape": [(7, 3), (7, 1)]}
    assert model.get_build_config() == {"shapes_dict": shapes}
    for _ in range(2):  # what was loaded is saved as well
        model.save(path)
        model = fastkeras.saving.load_model(path, compile=False)
        assert_close(model(a, b, [X[:, 1:], X[:, :1]], 2.0), y, 1e-6)


class OfTexts(fastkeras.Model):
    """A model that reads texts, alone or with numbers, in a dict."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.TextVectorization(output_mode="tf_idf")
        self.town = layers.StringLookup(output_mode="one_hot")
        self.bins = layers.Hashing(5, output_mode="one_hot")
        self.last = layers.Dense(2)

    def call(self, x):
        if not isinstance(x, dict):
            return self.last(self.words(x))
        columns = [self.words(x["words"]), self.town(x["town"]), self.bins(x["town"]), x["number"]]
        return self.last(ops.concatenate([ops.cast(column, "float32") for column in columns], axis=-1))


TEXTS = np.array(["the cat sat", "a dog ran far", "the dog sat"])
TOWNS = np.array([["Seoul"], ["Busan"], ["Jeju"]])


@pytest.mark.parametrize(
    "data",
    [TEXTS, TEXTS[:, None], {"words": TEXTS, "town": TOWNS, "number": X[:3]}],
    ids=["texts", "rows of one", "with numbers"],
)
def test_models_of_texts_are_saved_whole(tmp_path, data):
    model, path = OfTexts(), tmp_path / "texts.keras"
    model.words.adapt(TEXTS)
    model.town.adapt(TOWNS[:2])
    model.compile("adam", "mse")
    model.fit(data, Y[:3, :2], verbose=0)
    for _ in range(2):  # what was loaded is saved as well
        model.save(path)
        again = fastkeras.saving.load_model(path, {"OfTexts": OfTexts})
        assert again.words.get_vocabulary() == model.words.get_vocabulary()
        np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))
        losses = [m.fit(data, Y[:3, :2], verbose=0).history["loss"] for m in (again, model)]
        assert losses[0] == losses[1]
        model = again


def test_a_model_with_a_call_is_found_by_its_class(tmp_path):
    model, path = Own(), tmp_path / "own.keras"
    model(X)
    model.save(path)
    with pytest.raises(ValueError, match=r"Unknown layer.*custom_objects=\{'Own': ...\}, or registered"):
        fastkeras.saving.load_model(path, compile=False)
    again = fastkeras.saving.load_model(path, custom_objects={"Own": Own}, compile=False)
    assert_close(again(X), model(X), 1e-6)

    class Needs(Own):
        def __init__(self, units):
            super().__init__()

    needs = Needs(3)
    needs(X)
    with pytest.raises(ValueError, match=r"get_config\(\) of Needs must return 'units'"):
        needs.save(path)


def test_a_model_with_a_call_is_a_layer_of_others():
    start = fastkeras.Input((4,))
    for hold in (
        lambda head: fastkeras.Model(start, head(start)),
        lambda head: fastkeras.Sequential([fastkeras.Input((4,)), head]),
    ):
        head = Own()
        model = hold(head)
        model.compile("sgd", "mse")
        before = head.last.get_weights()[0]
        model.fit(X, Y, verbose=0)
        assert not np.array_equal(head.last.get_weights()[0], before)
        assert_close(model.predict(X, verbose=0), np.asarray(head(X)), 1e-6)


def test_arrays_in_a_list_are_the_inputs_of_a_model_with_a_call():
    class Sum(fastkeras.Model):
        def call(self, inputs):
            return inputs[0] + 2 * inputs[1]

    for a, b in ((X[:, 0], X[:, 1]), (X, X + 1)):
        model = Sum()
        model.compile("sgd", "mse")
        assert_close(model.predict([a, b], verbose=0), (a + 2 * b).reshape(7, -1), 1e-6)
