"""Files of Keras 1, of cuDNN layers, and of the first Keras 2: made here by hand, from the layouts that they had.

There is no Keras 1 to write them any more. Where tf_keras is installed, its own reader of such weights is asked too.
"""

import importlib
import json

import h5py
import numpy as np
import pytest
import reference
from checks import assert_close
from file_cases import random_weights
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import saving
from fastkeras.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Input,
    TimeDistributed,
)
from fastkeras.saving.legacy import as_today

RNG = np.random.default_rng(11)


class Stored:
    """An array in the form of hdf5.Array."""

    def __init__(self, array):
        self.array, self.shape = array, array.shape

    def read(self):
        return self.array


def read_as_today(layer, arrays, version="2.2.4", backend="tensorflow"):
    return [array.read() for array in as_today(layer, [Stored(a) for a in arrays], version, backend)]


def same(ours, theirs):
    return len(ours) == len(theirs) and all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


# --- how each layer's weights were laid out --------------------------------------------------------------------------


def lstm_of_keras_1(kernel, recurrent, bias):
    """W U b of the gates i c f o, of weights whose gates are i f c o."""
    parts = [np.split(array, 4, axis=-1) for array in (kernel, recurrent, bias)]
    return [part[gate] for gate in (0, 2, 1, 3) for part in parts]


def gru_of_keras_1(kernel, recurrent, bias):
    parts = [np.split(array, 3, axis=-1) for array in (kernel, recurrent, bias)]
    return [part[gate] for gate in range(3) for part in parts]


def cudnn(kernel, recurrent, bias, gates, halves):
    """cuDNN's kernels are (u, D) for each gate, in one run of memory that Keras took for (D, u)."""
    kernels = [np.ascontiguousarray(k).T.ravel().reshape(k.shape) for k in np.hsplit(kernel, gates)]
    return [np.hstack(kernels), np.hstack([r.T for r in np.hsplit(recurrent, gates)]), halves]


def built(layer, *shape):
    model = fastkeras.Sequential([Input(shape), layer])
    random_weights(model, 3)
    return layer, layer.get_weights()


def cases():
    """{name: (layer, its weights today, as they were, version, backend)}"""
    found = {}
    lstm, weights = built(LSTM(5), 4, 3)
    found["lstm"] = lstm, weights, lstm_of_keras_1(*weights), "1.2.2", "tensorflow"
    halves = np.stack([weights[2] / 4, weights[2] * 3 / 4]).ravel()
    found["cudnn lstm"] = lstm, weights, cudnn(*weights, 4, halves), "2.2.4", "tensorflow"
    gru, weights = built(GRU(5, reset_after=False), 4, 3)
    found["gru"] = gru, weights, gru_of_keras_1(*weights), "1.2.2", "tensorflow"
    gru, weights = built(GRU(5), 4, 3)
    found["cudnn gru"] = gru, weights, cudnn(*weights, 3, weights[2].ravel()), "2.2.4", "tensorflow"

    both, weights = built(Bidirectional(LSTM(5)), 4, 3)
    old = [*lstm_of_keras_1(*weights[:3]), *lstm_of_keras_1(*weights[3:])]
    found["bidirectional"] = both, weights, old, "1.2.2", "tensorflow"
    conv, (kernel, bias) = built(Conv1D(6, 2), 7, 3)
    found["conv1d"] = conv, [kernel, bias], [kernel[:, None], bias], "1.2.2", "tensorflow"
    turned = kernel.transpose(2, 1, 0)[..., None]
    found["conv1d th"] = conv, [kernel, bias], [turned, bias], "1.2.2", "tensorflow"
    found["conv1d theano"] = conv, [kernel, bias], [turned[:, :, ::-1], bias], "1.2.2", "theano"
    steps, (kernel, bias) = built(TimeDistributed(Conv1D(6, 2)), 4, 7, 3)
    found["time distributed"] = steps, [kernel, bias], [kernel[:, None], bias], "1.2.2", "tensorflow"

    conv, (kernel, bias) = built(Conv2D(6, (2, 3)), 7, 8, 4)
    found["conv2d"] = conv, [kernel, bias], [kernel, bias], "1.2.2", "tensorflow"
    found["conv2d theano"] = conv, [kernel, bias], [kernel[::-1, ::-1], bias], "2.0.4", "theano"
    conv, (kernel, bias) = built(Conv2D(6, (2, 3), data_format="channels_first"), 4, 7, 8)
    old = kernel.transpose(3, 2, 0, 1)
    found["conv2d th"] = conv, [kernel, bias], [old, bias], "1.2.2", "tensorflow"
    found["conv2d th theano"] = conv, [kernel, bias], [old[:, :, ::-1, ::-1], bias], "1.2.2", "theano"
    conv, (kernel, bias) = built(Conv2DTranspose(6, (2, 3)), 7, 8, 4)
    found["deconvolution"] = conv, [kernel, bias], [kernel.transpose(0, 1, 3, 2), bias], "1.2.2", "tensorflow"

    inner = fastkeras.Sequential([Input((4, 3)), LSTM(5), BatchNormalization(), Dense(2)])
    nested, weights = built(inner, 4, 3)
    first, rest, means = lstm_of_keras_1(*weights[:3]), [*weights[3:5], *weights[7:]], weights[5:7]
    found["nested"] = nested, [*weights[:3], *rest, *means], [*first, *rest, *means], "1.2.2", "tensorflow"
    return found


CASES = cases()

# tf_keras no longer knows of Theano, turns a convolution in a TimeDistributed twice, and counts on three arrays for the
# LSTM of a model in a model.
_THEY_FAIL = {"time distributed", "nested"}


@pytest.mark.parametrize("name", CASES)
def test_old_layouts_are_brought_into_todays(name):
    layer, weights, old, version, backend = CASES[name]
    found = read_as_today(layer, old, version, backend)
    assert [a.shape for a in found] == [w.shape for w in weights]
    for a, b in zip(found, weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    if "theano" not in name:
        assert same(read_as_today(layer, weights), weights), "what is in order stays as it is"


@needs_tensorflow
@pytest.mark.parametrize("name", [name for name in CASES if "theano" not in name and name not in _THEY_FAIL])
def test_tf_keras_reads_them_in_the_same_way(name):
    keras = keras_module("tf_keras")
    hdf5_format = importlib.import_module("tf_keras.src.saving.legacy.hdf5_format")
    layer, _, old, version, backend = CASES[name]
    shape = layer.input_shape
    model = fastkeras.Sequential([Input(shape[1:]), layer])
    theirs = keras.models.model_from_json(model.to_json()).layers[-1]
    expected = hdf5_format.preprocess_weights_for_loading(theirs, [a.copy() for a in old], version[0], backend)
    for a, b in zip(read_as_today(layer, old, version, backend), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("version", [None, "2.2.4"])
def test_arrays_that_are_not_what_they_should_be_are_left_as_they_are(version):
    """So that they are found not to fit, and named."""
    for name, (layer, weights, old, _, backend) in CASES.items():
        for spoilt in ([], old[:1], [np.float32(1)] * len(old), [*old[:-1], np.ones((3, 3))]):
            arrays = as_today(layer, [Stored(np.asarray(a)) for a in spoilt], version, backend)
            assert [a.shape for a in arrays] != [w.shape for w in weights], name
    layer, weights, *_ = CASES["conv1d"]
    assert same(read_as_today(layer, weights, None), weights), "a file of today that says nothing of its version"


# --- whole files -----------------------------------------------------------------------------------------------------


def write(path, layers, config=None, **attributes):
    """An .h5 file: layers {name: {weight's name: array}}."""
    with h5py.File(path, "w") as file:
        group = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            group = file.create_group("model_weights")
        for name, value in attributes.items():
            group.attrs[name] = value
        group.attrs["layer_names"] = np.array([name.encode() for name in layers])
        for name, weights in layers.items():
            part = group.create_group(name)
            part.attrs["weight_names"] = np.array(
                [weight.encode() for weight in weights], "S40" if not weights else None
            )
            for weight, array in weights.items():
                part.create_dataset(weight, data=array)


def entry(class_name, **config):
    return {"class_name": class_name, "config": config}


DECAY = {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.25}
KERAS_1 = {
    "class_name": "Sequential",
    "config": [
        entry(
            "Embedding",
            name="embedding_1",
            trainable=True,
            input_dim=9,
            output_dim=3,
            batch_input_shape=[None, 6],
            input_dtype="int32",
            input_length=6,
            init="uniform",
            mask_zero=False,
            dropout=0.0,
            W_regularizer=None,
            W_constraint=None,
            activity_regularizer=None,
        ),
        entry(
            "Convolution1D",
            name="convolution1d_1",
            nb_filter=4,
            filter_length=2,
            subsample_length=1,
            border_mode="same",
            activation="relu",
            init="glorot_uniform",
            bias=True,
            input_dim=3,
            input_length=6,
            W_regularizer=DECAY,
            b_regularizer=None,
            W_constraint={"name": "MaxNorm", "m": 2, "axis": 0},
            b_constraint=None,
            activity_regularizer=None,
        ),
        entry("MaxPooling1D", name="maxpooling1d_1", pool_length=2, stride=2, border_mode="valid"),
        entry("Dropout", name="dropout_1", p=0.25),
        entry(
            "LSTM",
            name="lstm_1",
            output_dim=5,
            init="glorot_uniform",
            inner_init="orthogonal",
            forget_bias_init="one",
            activation="tanh",
            inner_activation="sigmoid",
            return_sequences=False,
            go_backwards=False,
            stateful=False,
            unroll=False,
            consume_less="cpu",
            W_regularizer=None,
            U_regularizer=DECAY,
            b_regularizer=None,
            dropout_W=0.1,
            dropout_U=0.2,
            input_dim=4,
            input_length=None,
        ),
        entry("BatchNormalization", name="bn", mode=0, epsilon=0.001, momentum=0.9, axis=-1, beta_init="zero"),
        entry("Dense", name="dense_1", output_dim=2, activation="softmax", init="he_normal", bias=True, input_dim=None),
    ],
}


def test_a_model_of_keras_1_is_read_without_a_word(tmp_path, recwarn):
    """It has no version, which Keras wrote from 1.2 on, and 12 arrays for its LSTM."""
    model = saving.model_from_config(KERAS_1)
    _, conv, pooling, dropout, lstm, bn, dense = model.layers
    assert (conv.filters, conv.kernel_size, conv.padding, conv.use_bias) == (4, (2,), "same", True)
    assert conv.kernel_regularizer.get_config() == {"l1": 0.0, "l2": 0.25} and conv.kernel_constraint.max_value == 2
    assert (pooling.pool_size, pooling.strides, dropout.rate) == ((2,), (2,), 0.25)
    assert (lstm.units, lstm.unit_forget_bias, lstm.dropout, lstm.recurrent_dropout) == (5, True, 0.1, 0.2)
    assert lstm.recurrent_regularizer is not None and lstm.kernel_regularizer is None
    assert bn.momentum == 0.9 and dense.units == 2
    random_weights(model, 3)
    x = RNG.integers(0, 9, (7, 6))
    stored = {layer.name: layer.get_weights() for layer in model.layers}
    stored["convolution1d_1"][0] = stored["convolution1d_1"][0].transpose(2, 1, 0)[..., None]
    stored["lstm_1"] = lstm_of_keras_1(*stored["lstm_1"])
    arrays = {name: {f"{name}_param_{i}": a for i, a in enumerate(w)} for name, w in stored.items()}
    write(tmp_path / "old.h5", arrays, KERAS_1)
    recwarn.clear()
    again = saving.load_model(tmp_path / "old.h5", compile=False)
    assert len(recwarn) == 0
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    write(tmp_path / "weights.h5", arrays)
    random_weights(model, 4)
    model.load_weights(tmp_path / "weights.h5", by_name=True)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.parametrize(("version", "name"), [
    ("2.2.4", "legacy_hard_sigmoid"), (None, "legacy_hard_sigmoid"), ("3.15.0", "hard_sigmoid"),
])  # fmt: skip
def test_hard_sigmoid_is_that_of_the_keras_that_wrote_the_file(tmp_path, version, name):
    layers = [
        entry("InputLayer", batch_shape=[None, 3]),
        entry("Dense", name="hard_sigmoid", units=2, activation="hard_sigmoid"),
        entry("Activation", name="a", activation={"class_name": "function", "config": "hard_sigmoid"}),
    ]
    weights = {"hard_sigmoid": {"kernel:0": np.ones((3, 2), "f"), "bias:0": np.ones(2, "f")}}
    attributes = {"keras_version": version} if version else {}
    write(tmp_path / "old.h5", weights, entry("Sequential", name="old", layers=layers), **attributes)
    model = saving.load_model(tmp_path / "old.h5", compile=False)
    x = RNG.normal(size=(5, 3)).astype("f")
    f, y = getattr(reference, name), model.predict(x)
    assert_close(y, f(f(x @ np.ones((3, 2)) + 1)), 1e-6)
    assert [layer.activation.name for layer in model.layers] == [name, name]
    model.save(tmp_path / "ours.h5")
    model.save(tmp_path / "ours.keras")
    for again in (saving.load_model(tmp_path / f"ours.{kind}", compile=False) for kind in ("h5", "keras")):
        np.testing.assert_array_equal(again.predict(x), y)
    again = saving.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x), y)
    described = json.loads(model.to_json())
    assert [layer["config"]["activation"] for layer in described["config"]["layers"][1:]] == ["hard_sigmoid"] * 2
    assert ("fastkeras_version" in described) == (version == "3.15.0")


@needs_tensorflow
def test_hard_sigmoid_of_tf_keras_and_back(tmp_path):
    tf_keras, keras = keras_module("tf_keras"), keras_module()
    theirs = tf_keras.Sequential([tf_keras.layers.Dense(4, "hard_sigmoid", input_shape=(5, 3)),
                                  tf_keras.layers.LSTM(4, recurrent_activation="hard_sigmoid")])  # fmt: skip
    x = 3 * RNG.normal(size=(2, 5, 3)).astype("f")
    y = theirs(x).numpy()
    theirs.save(tmp_path / "theirs.h5")
    theirs.save(tmp_path / "theirs.keras")
    for name in ("theirs.h5", "theirs.keras"):
        model = saving.load_model(tmp_path / name, compile=False)
        assert_close(model.predict(x), y, 2e-6, name)
        model.save(tmp_path / "again.h5")
        assert_close(tf_keras.models.load_model(tmp_path / "again.h5", compile=False)(x), y, 2e-6, name)
    assert keras.models.load_model(tmp_path / "again.h5", compile=False)(x).shape == (2, 4)  # by its own function
    model.save(tmp_path / "again.keras")
    own = {"legacy_hard_sigmoid": lambda x: keras.ops.clip(0.2 * x + 0.5, 0, 1)}
    assert_close(keras.models.load_model(tmp_path / "again.keras", own, compile=False)(x), y, 2e-6)


def test_both_kinds_of_hard_sigmoid_keep_their_names(tmp_path):
    model = fastkeras.Sequential([Input((3,)), Dense(2, "hard_sigmoid"), Dense(2, "legacy_hard_sigmoid")])
    model.save(tmp_path / "both.h5")
    names = [layer.activation.name for layer in saving.load_model(tmp_path / "both.h5", compile=False).layers]
    assert names == ["hard_sigmoid", "legacy_hard_sigmoid"]


def test_layers_for_cudnn_are_read_as_todays(tmp_path):
    model = fastkeras.Sequential([Input((4, 3)), LSTM(5, return_sequences=True, name="a"), GRU(2, name="b")])
    random_weights(model, 3)
    (kernel, recurrent, bias), gru = model.layers[0].get_weights(), model.layers[1].get_weights()
    arrays = {
        "a": cudnn(kernel, recurrent, bias, 4, np.concatenate([bias - 1, np.ones_like(bias)])),
        "b": cudnn(*gru, 3, gru[2].ravel()),
    }
    config = entry(
        "Sequential",
        name="fast",
        layers=[
            entry("CuDNNLSTM", name="a", units=5, return_sequences=True, batch_input_shape=[None, 4, 3]),
            entry("CuDNNGRU", name="b", units=2),
        ],
    )
    names = ("kernel:0", "recurrent_kernel:0", "bias:0")
    layers = {name: dict(zip(names, weights, strict=True)) for name, weights in arrays.items()}
    write(tmp_path / "cudnn.h5", layers, config, keras_version="2.2.4", backend="tensorflow")
    x = RNG.normal(size=(7, 4, 3)).astype("f")
    again = saving.load_model(tmp_path / "cudnn.h5", compile=False)
    assert [type(layer) for layer in again.layers] == [LSTM, GRU] and again.layers[1].reset_after
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-5)


def test_a_gru_of_before_reset_after(tmp_path):
    config = entry("GRU", name="gru_1", units=3, activation="tanh", recurrent_activation="sigmoid")
    model = saving.model_from_config(
        entry("Sequential", layers=[entry("InputLayer", batch_shape=[None, 4, 2]), config])
    )
    assert not model.layers[0].reset_after and model.layers[0].bias.shape == (9,)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ({"mode": "concat", "concat_axis": 1}, "Concatenate"),
        ({"mode": "sum"}, "Add"),
        ({"mode": "mul"}, "Multiply"),
        ({"mode": "ave"}, "Average"),
        ({"mode": "max"}, "Maximum"),
        ({"mode": "cos", "dot_axes": 1}, "Dot"),
    ],
    ids=str,
)
def test_the_layer_that_merged_in_every_way(mode, expected):
    starts = [
        {**entry("InputLayer", batch_input_shape=[None, 3], name=n), "name": n, "inbound_nodes": []} for n in "ab"
    ]
    merge = {**entry("Merge", name="m", **mode), "name": "m", "inbound_nodes": [[["a", 0, 0], ["b", 0, 0]]]}
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["m", 0, 0]]}
    model = saving.model_from_config(entry("Model", name="old", layers=[*starts, merge], **ends))
    assert type(model.layers[-1]).__name__ == expected
    assert getattr(model.layers[-1], "axis", 1) == 1


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (entry("LSTM", units=3, time_major=True), r"LSTM: .*time_major=True\) are not supported"),
        (entry("Merge", mode="lambda"), r"Merge: `mode` must be one of .* Received: mode='lambda'"),
    ],
)
def test_what_cannot_be_said_today_is_an_error(layer, message):
    with pytest.raises(ValueError, match=message):
        saving.model_from_config(entry("Sequential", layers=[entry("InputLayer", batch_shape=[None, 4, 2]), layer]))


def test_arguments_of_newer_versions_that_say_nothing(recwarn):
    layers = [
        entry("InputLayer", batch_shape=[None, 5, 6, 2]),
        entry("DepthwiseConv2D", kernel_size=[2, 2], groups=1, depthwise_initializer="zeros"),
    ]
    saving.model_from_config(entry("Sequential", layers=layers))
    layers = [entry("InputLayer", batch_shape=[None, 5, 2]), entry("LSTM", units=2, time_major=False)]
    saving.model_from_config(entry("Sequential", layers=layers))
    assert len(recwarn) == 0
