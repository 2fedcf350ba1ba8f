"""fastkeras.activations: functions on any array, names, and activations of the user's own."""

import copy
import pickle

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference

from fastkeras import GradientTape, activations, layers, ops

RNG = np.random.default_rng(11)
X = RNG.normal(size=(2, 5, 3))
NAMES = [name for name in reference.ACTIVATIONS if name not in ("gelu_tanh", "threshold")]
DEFAULTS = {"leaky_relu": 0.2, "elu": 1.0, "celu": 1.0, "hard_shrink": 0.5, "soft_shrink": 0.5, "squareplus": 4.0}


def expected(name, x):
    return getattr(reference, name)(x, *((DEFAULTS[name],) if name in DEFAULTS else ()))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_and_its_function_are_the_reference(name):
    for y in (getattr(activations, name)(X), activations.get(name)(X)):
        assert y.dtype == np.float32
        assert_close(y, expected(name, X), 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_closure_of_forward_is_the_gradient(name):
    dy = RNG.normal(size=X.shape)
    y, backward = activations.get(name).forward(X)
    assert_close(y, expected(name, X), 1e-6)
    assert_close(backward(dy), central_difference(lambda x: expected(name, x), X, dy), 3e-6)


@pytest.mark.parametrize(("arguments", "want"), [
    ({}, [0, 0, 0, 1, 5]),
    ({"negative_slope": 0.5}, [-2.5, -0.5, 0, 1, 5]),
    ({"max_value": 3}, [0, 0, 0, 1, 3]),
    ({"threshold": 2}, [0, 0, 0, 0, 5]),
    ({"negative_slope": 0.5, "max_value": 3, "threshold": 2}, [-3.5, -1.5, -1, -0.5, 3]),
])  # fmt: skip
def test_relu_with_numbers(arguments, want):
    np.testing.assert_array_equal(activations.relu([-5, -1, 0, 1, 5], **arguments), want)


def test_functions_that_take_numbers():
    x = X.astype(np.float32)
    assert_close(activations.leaky_relu(x, negative_slope=0.4), reference.leaky_relu(X, 0.4), 1e-6)
    assert_close(activations.elu(x, alpha=0.4), reference.elu(X, 0.4), 1e-6)
    assert_close(activations.celu(x, alpha=0.4), reference.celu(X, 0.4), 1e-6)
    assert_close(activations.gelu(x, approximate=True), reference.gelu_tanh(X), 1e-6)
    assert_close(activations.hard_shrink(x, threshold=0.9), reference.hard_shrink(X, 0.9), 1e-6)
    assert_close(activations.soft_shrink(x, threshold=0.9), reference.soft_shrink(X, 0.9), 1e-6)
    assert_close(activations.threshold(x, 0.3, -2.0), reference.threshold(X, 0.3, -2.0), 1e-6)
    assert_close(activations.squareplus(x, b=0.4), reference.squareplus(X, 0.4), 1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
def test_rowwise_functions_work_along_any_axis(name, axis):
    want = np.moveaxis(getattr(reference, name)(np.moveaxis(X, axis, -1)), -1, axis)
    assert_close(getattr(activations, name)(X, axis=axis), want, 1e-6)


@pytest.mark.parametrize("axis", [0, -1])
def test_glu(axis):
    x = RNG.normal(size=(4, 3, 6))
    want = np.moveaxis(reference.glu(np.moveaxis(x, axis, -1)), -1, axis)
    assert_close(activations.glu(x, axis=axis), want, 1e-6)
    dy, tensor = RNG.normal(size=want.shape), ops.convert_to_tensor(x, "float32")
    with GradientTape() as tape:
        tape.watch(tensor)
        y = activations.glu(tensor, axis=axis)
    dx = central_difference(lambda x: np.moveaxis(reference.glu(np.moveaxis(x, axis, -1)), -1, axis), x, dy)
    assert_close(y, want, 1e-6)
    assert_close(tape.gradient(y, tensor, dy), dx, 3e-6)
    with pytest.raises(ValueError, match=r"axis 1, so its extent must be even. Received: 3"):
        activations.glu(x, axis=1)


@pytest.mark.parametrize("x", [3.0, [], [[]], [[1, 2], [3, 4]], np.arange(6, dtype=np.int64)[::2]])
def test_arrays_of_any_rank_and_type(x):
    np.testing.assert_array_equal(activations.relu(x), x)
    assert activations.relu(x).shape == np.shape(x)


def test_the_input_is_left_alone():
    x = np.array([[-1.0, 2.0]], np.float32)
    activations.relu(x)
    activations.softmax(x)
    np.testing.assert_array_equal(x, [[-1, 2]])


def test_softmax_of_a_number_has_no_axis():
    with pytest.raises(ValueError, match="softmax works along an axis"):
        activations.get("softmax")(3.0)


def test_activations_can_be_copied_and_pickled():
    softmax = activations.get("softmax")
    for again in (copy.deepcopy(softmax), pickle.loads(pickle.dumps(softmax))):
        assert again.name == "softmax"
        assert_close(again(X), reference.softmax(X), 1e-6)


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_layers_activation_is_the_function_it_was_made_from():
    relu = layers.Dense(3, "relu").activation
    assert relu == activations.relu and activations.relu == relu and relu != activations.tanh
    assert relu.__name__ == "relu" and {activations.relu: 1}[relu] == 1
    assert copy.deepcopy(relu) == relu and layers.Dense(3).activation == activations.linear
    assert layers.ReLU(negative_slope=0.5).activation != activations.relu, "of other numbers"

    def mine(x):
        return ops.tanh(x)

    own = layers.Dense(3, mine).activation
    assert own == mine and own.__name__ == "mine" and own != relu


def test_get():
    relu = activations.get("relu")
    assert activations.get(activations.relu) is relu
    assert activations.get(relu) is relu
    assert activations.get({"class_name": "function", "config": "relu", "module": "builtins"}) is relu
    assert activations.get(None).name == "linear"
    assert activations.get("swish") is activations.get("silu")
    assert activations.get(activations.hard_swish).name == "hard_silu"
    assert (relu.name, relu.kernel.name, relu.kernel.rowwise, relu.kernel.needs_input) == ("relu", "relu", False, False)
    assert activations.get("softmax").kernel.rowwise
    assert activations.get("silu").kernel.needs_input


@pytest.mark.parametrize("name", NAMES)
def test_serialize_gives_the_name(name):
    assert activations.serialize(activations.get(name)) == name
    assert activations.serialize(getattr(activations, name)) == name
    assert activations.deserialize(name) is activations.get(name)


@pytest.mark.parametrize(("slip", "name"), [("Relu", "relu"), ("sigmiod", "sigmoid"), ("soft_max", "softmax")])
def test_unknown_names_get_the_nearest(slip, name):
    with pytest.raises(ValueError, match=rf"Unknown activation. Did you mean '{name}'\? Received: '{slip}'"):
        activations.get(slip)


@pytest.mark.parametrize("identifier", [3, ["relu"]])
def test_what_cannot_be_called_is_no_activation(identifier):
    with pytest.raises(TypeError, match=r"forward\(x\) -> \(y, backward\)"):
        activations.get(identifier)


def test_an_activation_that_leaves_ops_says_so_in_training():
    _, backward = activations.get(lambda x: np.array(x)).forward(np.ones((2, 3), np.float32))
    with pytest.raises(TypeError, match=r"must compute with fastkeras\.ops"):
        backward(np.ones((2, 3), np.float32))


class Cubed:
    """An activation of a user's own."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def forward(self, x):
        return self.scale * x**3, lambda dy: 3 * self.scale * x**2 * dy

    def get_config(self):
        return {"scale": self.scale}


def test_an_activation_of_ones_own():
    own = activations.get(Cubed(2.0))
    assert (own.name, own.kernel) == ("Cubed", None)
    np.testing.assert_array_equal(own([1, 2]), [2, 16])
    y, backward = own.forward(np.array([[3.0]], np.float32))
    assert (y, backward(1.0)) == (54, 54)
    config = activations.serialize(own)
    assert config == {"class_name": "Cubed", "config": {"scale": 2.0}}
    again = activations.deserialize(config, {"Cubed": Cubed})
    assert again.wrapped.scale == 2.0
    assert activations.get(Cubed).wrapped.scale == 1.0
    with pytest.raises(ValueError, match="Unknown activation class"):
        activations.deserialize(config)


@pytest.mark.parametrize(
    "activation",
    [
        activations.tanh,
        activations.get("tanh"),
        activations.get(lambda x: ops.tanh(x)),
        lambda x: activations.softmax(x, axis=1),
        activations.softmax,
    ],
)
def test_activations_inside_a_call_lead_back(activation):
    x, d = RNG.normal(size=(2, 3, 5)).astype(np.float32), RNG.normal(size=(2, 3, 5)).astype(np.float32)
    tensor = ops.convert_to_tensor(x)
    with GradientTape() as tape:
        tape.watch(tensor)
        y = activation(tensor)
    expected = central_difference(lambda x: np.asarray(activation(x), np.float64), x, d, step=1e-2)
    assert_close(tape.gradient(y, tensor, output_gradients=d), expected, 2e-3)
    with pytest.raises(TypeError, match=r"call layers\.Activation on a symbolic tensor"):
        activation(layers.Input((3, 5)))
