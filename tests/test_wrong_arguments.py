"""What layers, losses and metrics are called on, or made with, by mistake: each error names who, the argument, and ends
with what was received."""

import re

import numpy as np
import pytest

from fastkeras import Input, layers, losses, metrics
from fastkeras.preprocessing.sequence import pad_sequences

# What no layer can compute with, and what is said of it.
WRONG = {
    "ragged": ([[1.0, 2.0], [3.0]], "`inputs`: the rows have different lengths; pad them first (pad_sequences)."),
    "texts": (np.array([["a", "b"]]), "`inputs` must hold numbers; text must be encoded as numbers first"),
    "text": ("abc", "`inputs` must hold numbers; text must be encoded as numbers first"),
    "none": (None, "`inputs` must hold numbers"),
    "objects": (np.array([{1}, {2}], dtype=object), "`inputs` must hold numbers"),
    "complex": (np.ones((2, 3), complex), "`inputs` must hold numbers."),
}
ONE_INPUT = {
    "Dense": lambda: layers.Dense(3),
    "Activation": lambda: layers.Activation("relu"),
    "Softmax": lambda: layers.Softmax(),
    "PReLU": lambda: layers.PReLU(),
    "Dropout": lambda: layers.Dropout(0.5),
    "Flatten": lambda: layers.Flatten(),
    "Embedding": lambda: layers.Embedding(5, 3),
    "Conv1D": lambda: layers.Conv1D(3, 2),
    "Conv2D": lambda: layers.Conv2D(3, 2),
    "MaxPooling1D": lambda: layers.MaxPooling1D(),
    "GlobalMaxPooling1D": lambda: layers.GlobalMaxPooling1D(),
    "BatchNormalization": lambda: layers.BatchNormalization(),
    "LayerNormalization": lambda: layers.LayerNormalization(),
    "GroupNormalization": lambda: layers.GroupNormalization(1),
    "UnitNormalization": lambda: layers.UnitNormalization(),
    "Normalization": lambda: layers.Normalization(),
    "Reshape": lambda: layers.Reshape((3,)),
    "RepeatVector": lambda: layers.RepeatVector(2),
    "Permute": lambda: layers.Permute((2, 1)),
    "Masking": lambda: layers.Masking(),
    "Rescaling": lambda: layers.Rescaling(0.5),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(2)),
}
SEVERAL_INPUTS = {
    "LSTM": lambda: layers.LSTM(3),
    "Bidirectional": lambda: layers.Bidirectional(layers.GRU(3)),
    "RNN": lambda: layers.RNN(layers.LSTMCell(3)),
}


def raises(start, said):
    return pytest.raises((ValueError, TypeError), match=f"^{re.escape(start + said)}.*Received: ")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", [*ONE_INPUT, *SEVERAL_INPUTS])
def test_a_layer_refuses_what_are_no_numbers(kind, wrong):
    layer, (given, said) = {**ONE_INPUT, **SEVERAL_INPUTS}[kind](), WRONG[wrong]
    with raises(f"Layer '{layer.name}' ({kind}): ", said):
        layer(given)


@pytest.mark.parametrize("kind", ONE_INPUT)
def test_a_layer_of_one_input_refuses_two(kind):
    layer = ONE_INPUT[kind]()
    for given in (np.ones((2, 3, 4), np.float32), Input((3, 4))):
        with raises(f"Layer '{layer.name}' ({kind}) takes one input; ", "a list of tensors is merged first"):
            layer([given, given])


@pytest.mark.parametrize("wrong", WRONG)
def test_layers_called_on_lists_name_themselves(wrong):
    given, said = WRONG[wrong]
    for layer in (layers.Add(), layers.Concatenate(), layers.Attention()):
        with raises(f"Layer '{layer.name}' ({type(layer).__name__}): ", said):
            layer([given, given])


def test_a_layer_in_ops_refuses_rows_of_different_lengths():
    with raises("Layer 'twice' (Lambda): ", "`inputs`: the rows have different lengths"):
        layers.Lambda(lambda x: 2 * x, name="twice")([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize(
    ("query", "value", "said"),
    [
        (3.0, np.ones((2, 3, 4)), "expected a query (batch, T, D), a value (batch, S, E)"),
        (np.ones(3), np.ones(3), "expected a query (batch, T, D), a value (batch, S, E)"),
        (np.ones((2, 3, 4)), 3.0, "expected a query (batch, T, D), a value (batch, S, E)"),
        (np.ones((2, 3, 4)), None, "expected a query and a value. Received: value=None"),
        (None, np.ones((2, 3, 4)), "expected a query and a value. Received: query=None"),
        ([[1.0], [2.0, 3.0]], np.ones((2, 3, 4)), "`query`: the rows have different lengths"),
        (np.ones((2, 3, 4)), "abc", "`value` must hold numbers"),
    ],
)
def test_multi_head_attention(query, value, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(f"Layer 'heads' (MultiHeadAttention): {said}")):
        layers.MultiHeadAttention(2, 3, name="heads")(query, value)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda: layers.Add(name="a")([1.0, 2.0]), "Layer 'a' (Add): expected inputs with a batch axis"),
        (lambda: layers.Flatten(name="f")(3.0), "Layer 'f' (Flatten): expected an input of shape (batch, ...)"),
        (lambda: layers.Dense(1, name="d")([]), "Layer 'd' (Dense): expected an input of shape (batch, ..., features)"),
    ],
)
def test_layers_called_on_too_few_axes(layer, said):
    with raises("", said):
        layer()


@pytest.mark.parametrize("value", ["a", None, [1, "a"], 1.5, object()])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("BatchNormalization", "axis"),
        ("LayerNormalization", "axis"),
        ("GroupNormalization", "axis"),
        ("UnitNormalization", "axis"),
        ("Softmax", "axis"),
        ("Reshape", "target_shape"),
        ("Permute", "dims"),
    ],
)
def test_arguments_that_are_integers(kind, name, value):
    with raises(f"{kind}: ", f"`{name}` must be "):
        getattr(layers, kind)(**{name: value})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: layers.Normalization(axis="a"), "Normalization: `axis` must be an integer"),
        (lambda: layers.PReLU(shared_axes="a"), "PReLU: `shared_axes` must be an integer"),
        (lambda: layers.BatchNormalization(axis=[1, 2]), "BatchNormalization: `axis` must be an integer."),
        (lambda: layers.MultiHeadAttention(2, 3, output_shape=1.5), "MultiHeadAttention: `output_shape` must be an"),
        (lambda: layers.MultiHeadAttention(2, 3, attention_axes="a"), "MultiHeadAttention: `attention_axes` must be"),
        (lambda: layers.Dense(1, input_shape="784"), "Dense: `input_shape` must hold the extents of the input"),
        (lambda: layers.Dense(1, input_shape=(-1,)), "Dense: `input_shape` must hold the extents of the input"),
        (lambda: layers.Dense(1, input_dim=7.0), "Dense: `input_dim` must hold the extents of the input"),
        (lambda: layers.Dense(1, batch_input_shape=7), "Dense: `batch_shape` must hold the extents of the input"),
        (lambda: Input(("a",)), "InputLayer: `batch_shape` must hold the extents of the input"),
        (lambda: layers.Dense(1, activation={}), "The configuration of an activation must have a `class_name`"),
        (lambda: layers.Rescaling("a"), "Rescaling: `scale` must hold numbers"),
        (lambda: layers.Lambda(abs, arguments=[1]), "Lambda: `arguments` must be a dict"),
        (lambda: layers.TextVectorization(vocabulary=3), "`vocabulary` must be a list of tokens or the name of a file"),
    ],
)
def test_other_arguments(make, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(said) + ".*Received: "):
        make()


def test_shapes_are_integers_of_any_kind():
    assert layers.Dense(1, input_shape=(np.int64(7),)).batch_input_shape == (None, 7)
    assert layers.Dense(1, batch_input_shape=[2, None, 7]).batch_input_shape == (2, None, 7)
    assert layers.Dense(1, input_dim=7).batch_input_shape == (None, 7)


@pytest.mark.parametrize("wrong", ["ragged", "texts", "objects"])
@pytest.mark.parametrize("made", [losses.MeanSquaredError, losses.BinaryCrossentropy, losses.Dice, losses.CTC])
def test_losses(made, wrong):
    loss, given, good = made(), WRONG[wrong][0], np.ones((2, 3), np.float32)
    with raises(f"Loss '{loss.name}': `y_pred`", ""):
        loss(good, given)
    with raises(f"Loss '{loss.name}': `y_true`", ""):
        loss(given, good)


@pytest.mark.parametrize("wrong", ["ragged", "texts", "objects"])
@pytest.mark.parametrize("made", [metrics.BinaryAccuracy, metrics.AUC, metrics.MeanSquaredError])
def test_metrics(made, wrong):
    metric, given, good = made(), WRONG[wrong][0], np.ones((2, 3), np.float32)
    with raises(f"Metric '{metric.name}': `y_pred`", ""):
        metric(good, given)
    with raises(f"Metric '{metric.name}': `y_true`", ""):
        metric(given, good)


def test_what_layers_of_keras_2_had():
    class Scaled(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_variable("scale", shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            self.add_metric(x, name="x")

    layer = Scaled(name="s")
    with pytest.raises(NotImplementedError, match=r"Layer 's': add_metric\(\) is gone since Keras 3.*Received: "):
        layer(np.ones((2, 3), np.float32))
    assert [v.shape for v in layer.weights] == [(3,)]


@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_sequences_of_no_length(truncating):
    assert pad_sequences([[1, 2], [3]], maxlen=0, truncating=truncating).shape == (2, 0)
