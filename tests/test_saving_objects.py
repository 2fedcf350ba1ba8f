"""Objects in the configurations of the user's own classes, by serialize_keras_object."""

import json

import numpy as np
import pytest
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import layers
from fastkeras.saving import deserialize_keras_object, serialize_keras_object


def objects(keras):
    """{name: object} of every family, and structures of them."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    return {
        "dense": keras.layers.Dense(2, activation="relu", kernel_regularizer="l2", name="first"),
        "lstm": keras.layers.Bidirectional(keras.layers.LSTM(3, name="lstm"), name="both"),
        "words": keras.layers.TextVectorization(vocabulary=["a", "b"], name="words"),
        "initializer": keras.initializers.HeNormal(seed=3),
        "regularizer": keras.regularizers.L2(0.125),
        "constraint": keras.constraints.MaxNorm(2.0),
        "loss": keras.losses.BinaryCrossentropy(label_smoothing=0.25),
        "metric": keras.metrics.AUC(num_thresholds=7, name="area"),
        "optimizer": keras.optimizers.SGD(0.25, momentum=0.5, name="descent"),
        "schedule": schedule,
        "structure": {"layers": [keras.layers.Dense(3, name="d"), (keras.layers.ReLU(name="r"), 5)], "none": None},
        "array": np.array([[1.5, 2.0]], np.float32),
        "number": np.int64(3),
    }


def described(value):
    """A structure with configurations in the places of objects."""
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(described, value))
    if isinstance(value, np.ndarray):
        return value.tolist(), value.dtype.name
    return (type(value).__name__, value.get_config()) if hasattr(value, "get_config") else value


@pytest.mark.parametrize("name", objects(fastkeras))
def test_objects_come_back_from_plain_values(name):
    obj = objects(fastkeras)[name]
    again = deserialize_keras_object(serialize_keras_object(obj))
    assert described(again) == described(obj)
    json.dumps(serialize_keras_object(obj))


@pytest.mark.parametrize("name", ["relu", "mean_squared_error", "categorical_accuracy"])
def test_functions_go_by_their_names(name):
    function = next(
        getattr(module, name)
        for module in (fastkeras.activations, fastkeras.losses, fastkeras.metrics)
        if hasattr(module, name)
    )
    assert deserialize_keras_object(serialize_keras_object(function)) is function


@fastkeras.saving.register_keras_serializable("tests")
class Around2(layers.Layer):
    """A layer that was given another one, a function and a constant."""

    def __init__(self, inner, function, scale, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.function, self.scale = inner, function, scale

    def call(self, x):
        return self.function(self.inner(x)) * self.scale

    def get_config(self):
        parts = {"inner": self.inner, "function": self.function, "scale": self.scale}
        return {**super().get_config(), **serialize_keras_object(parts)}

    @classmethod
    def from_config(cls, config):
        return cls(**deserialize_keras_object(config))


def halved(x):
    return x / 2


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_layer_around_others_is_saved_with_them(tmp_path, name):
    own = Around2(layers.Dense(3, activation="tanh"), halved, np.float32([1, 2, 4]))
    model = fastkeras.Sequential([fastkeras.Input((2,)), own])
    model.compile("sgd", "mse")
    model.save(tmp_path / name)
    again = fastkeras.models.load_model(tmp_path / name, custom_objects={"halved": halved})
    x = np.float32([[0.5, -1.0]])
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(ValueError, match=r"custom_objects=\{'halved': ...\}, or registered"):
        fastkeras.models.load_model(tmp_path / name)


def test_what_has_no_configuration_is_refused():
    with pytest.raises(TypeError, match=r"expected an object with get_config\(\), or a function. Received: <class"):
        serialize_keras_object(layers.Dense)
    with pytest.raises(ValueError, match="Unknown layer"):
        deserialize_keras_object({"class_name": "Dence", "config": {}})


@needs_tensorflow
def test_keras_writes_and_reads_the_same():
    keras = keras_module()
    ours, theirs = objects(fastkeras), objects(keras)
    for name, obj in theirs.items():
        here = deserialize_keras_object(keras.saving.serialize_keras_object(obj))
        there = keras.saving.deserialize_keras_object(serialize_keras_object(ours[name]))
        if name in ("initializer", "regularizer", "constraint", "loss", "schedule", "array", "number"):
            assert described(here) == described(ours[name]) and described(there) == described(obj), name
        elif name == "structure":
            assert [type(layer).__name__ for layer in (there["layers"][0], here["layers"][1][0])] == ["Dense", "ReLU"]
        else:
            assert type(here) is type(ours[name]) and type(there) is type(obj), name
            assert here.name == there.name == obj.name
    relu = keras.saving.serialize_keras_object(keras.activations.relu)
    assert serialize_keras_object(fastkeras.activations.relu) == relu
