"""fastkeras.backend: Keras 2's functions, called as scripts call them, and live against tf_keras."""

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow

import fastkeras as keras
from fastkeras import backend as K
from fastkeras import config

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3)).astype(np.float32)
B = RNG.normal(size=(2, 3, 5)).astype(np.float32)
C = RNG.normal(size=(2, 5, 7)).astype(np.float32)
P = RNG.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
HOT = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
IMAGES = RNG.normal(size=(2, 4, 5, 3)).astype(np.float32)
FILTERS = RNG.normal(size=(2, 3, 3, 2)).astype(np.float32)
BACK = RNG.normal(size=(2, 3, 7, 3)).astype(np.float32)  # of a convolution that gives IMAGES
BACK_TO = [
    ((2, 5, 7, 7), 1, "valid"),
    ((2, 4, 5, 7), 1, "same"),
    ((2, 7, 10, 7), 2, "same"),
    ((2, 9, 11, 7), 2, "valid"),
]
TIMES = RNG.dirichlet(np.ones(4), (2, 5)).astype(np.float32)  # (samples, steps, classes) of sum 1

# (name, arguments, keyword arguments)
CALLS = [
    *[(name, (A,), {}) for name in (
        "abs", "argmax", "argmin", "batch_flatten", "cast_to_floatx", "cos", "count_params", "cumprod", "cumsum",
        "elu", "exp", "expand_dims", "flatten", "hard_sigmoid", "int_shape", "l2_normalize", "max", "mean", "min",
        "ndim", "ones_like", "prod", "relu", "round", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign",
        "square", "std", "stop_gradient", "sum", "tanh", "transpose", "var", "zeros_like")],
    *[(name, (B,), {"axis": 1, "keepdims": True}) for name in ("max", "mean", "min", "prod", "std", "sum", "var")],
    *[(name, (B,), {"axis": [1, 2]}) for name in ("max", "mean", "sum")],
    *[(name, (P,), {}) for name in ("log", "sqrt")],
    *[(name, (A, A[:, ::-1]), {}) for name in (
        "equal", "greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "not_equal")],
    ("all", (A > 0,), {"axis": 1}),
    ("any", (A > 0,), {"axis": 0}),
    ("arange", (5,), {}),
    ("arange", (2, 9, 3), {"dtype": "float32"}),
    ("batch_dot", (B, C), {}),
    ("batch_dot", (A, A), {"axes": 1}),
    ("batch_dot", (B, A), {"axes": (1, 1)}),
    ("batch_dot", (A, B), {"axes": 1}),
    ("batch_dot", (B, B), {"axes": 2}),
    ("batch_dot", (IMAGES, B), {"axes": (3, 1)}),
    ("bias_add", (B, np.ones(5, np.float32)), {}),
    ("bias_add", (IMAGES, A[0]), {}),
    ("bias_add", (IMAGES, np.arange(4, dtype=np.float32)), {"data_format": "channels_first"}),
    ("binary_crossentropy", (HOT, P), {"from_logits": True}),
    ("binary_crossentropy", (HOT, P), {}),
    ("cast", (A, "int32"), {}),
    ("categorical_crossentropy", (HOT, P), {}),
    ("clip", (A, -0.5, 0.5), {}),
    *[("conv1d", (B, C[:, :, :3].reshape(3, 5, 2)), options) for options in (
        {}, {"padding": "causal", "dilation_rate": 2}, {"padding": "same", "strides": 2})],
    ("conv2d", (IMAGES, FILTERS), {"padding": "same", "strides": (1, 2)}),
    ("conv2d", (IMAGES, FILTERS), {"dilation_rate": (2, 1)}),
    ("depthwise_conv2d", (IMAGES, FILTERS), {"padding": "same"}),
    *[("conv2d_transpose", (IMAGES, BACK, shape), {"strides": (strides, strides), "padding": padding})
      for shape, strides, padding in BACK_TO],
    ("pool2d", (IMAGES, (2, 3)), {}),
    ("pool2d", (IMAGES, (2, 2)), {"strides": (2, 2), "padding": "same", "pool_mode": "avg"}),
    ("ctc_batch_cost", (np.array([[1, 1], [0, 2]]), TIMES, np.array([[5], [3]]), np.array([[2], [1]])), {}),
    ("concatenate", ([A, A],), {}),
    ("concatenate", ([A, A],), {"axis": 0}),
    ("constant", ([1, 2, 3],), {}),
    ("constant", (2,), {"shape": (2, 3)}),
    ("dot", (A, A.T), {}),
    ("dot", (B, C[0]), {}),
    ("elu", (A, 0.5), {}),
    ("eye", (3,), {}),
    ("gather", (A, np.array([1, 0, 1])), {}),
    ("in_top_k", (P, np.array([0, 2, 1, 1]), 2), {}),
    ("l2_normalize", (B,), {"axis": -1}),
    ("one_hot", (np.array([[0, 2]]), 3), {}),
    ("permute_dimensions", (B, (0, 2, 1)), {}),
    ("pow", (P, 3.0), {}),
    ("relu", (A,), {"alpha": 0.1}),
    ("relu", (A,), {"max_value": 0.5}),
    ("relu", (A,), {"alpha": 0.2, "max_value": 0.5, "threshold": 0.1}),
    ("repeat", (A, 4), {}),
    ("repeat_elements", (A, 2, 1), {}),
    ("reshape", (A, (3, -1)), {}),
    ("reverse", (B, (0, 2)), {}),
    ("sparse_categorical_crossentropy", (np.array([0, 2, 1, 1]), P), {}),
    ("spatial_2d_padding", (IMAGES,), {"padding": ((1, 0), (2, 1))}),
    ("spatial_2d_padding", (IMAGES,), {"data_format": "channels_first"}),
    ("squeeze", (A[:, :, None], 2), {}),
    ("stack", ([A, A],), {"axis": 1}),
    ("temporal_padding", (B, (2, 1)), {}),
    ("tile", (A, (2, 3)), {}),
]  # fmt: skip


def label(call):
    return f"{call[0]} {call[2]}"


@needs_tensorflow
@pytest.mark.parametrize("call", CALLS, ids=label)
def test_values_are_keras_2_s(call):
    theirs = keras_module("tf_keras").backend
    name, arguments, options = call

    def tensors(function, x):
        """Floats as tensors: some of Keras's functions take no arrays."""
        if isinstance(x, list):
            return [tensors(function, part) for part in x]
        return function(x) if isinstance(x, np.ndarray) and x.dtype == np.float32 else x

    import tensorflow as tf

    wanted = getattr(theirs, name)(*(tensors(tf.constant, x) for x in arguments), **options)
    found = getattr(K, name)(*(tensors(K.constant, x) for x in arguments), **options)
    assert_close(np.asarray(found, np.float64), np.asarray(wanted, np.float64), 1e-5)
    if hasattr(wanted, "dtype") and hasattr(found, "dtype") and not name.startswith("arg"):  # int64 there, int32 here
        assert K.dtype(found) == wanted.dtype.name


@needs_tensorflow
@pytest.mark.parametrize("mask", [None, np.array([[1, 0, 1, 1], [0, 1, 1, 0]], bool)], ids=["", "mask"])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"zero_output_for_mask": True}], ids=str)
def test_rnn_takes_the_steps_that_keras_2_takes(options, mask):
    theirs = keras_module("tf_keras").backend
    x = RNG.normal(size=(2, 4, 3)).astype(np.float32)

    def step(inputs, states):
        h = 0.5 * states[0] + inputs
        return 2.0 * h, [h]

    wanted = theirs.rnn(step, theirs.constant(x), [theirs.constant(A)], mask=mask, unroll=True, **options)
    found = K.rnn(step, K.constant(x), [K.constant(A)], mask=mask, **options)
    for ours, expected in zip((*found[:2], *found[2]), (*wanted[:2], *wanted[2]), strict=True):
        assert_close(ours, np.asarray(expected), 1e-6)


def test_a_step_of_rnn_by_hand():
    x = np.float32([[[1.0], [2.0], [3.0]]])
    last, outputs, states = K.rnn(lambda x, s: (x + s[0], [x + s[0]]), x, [K.zeros((1, 1))], mask=[[1, 0, 1]])
    np.testing.assert_array_equal(outputs, [[[1], [1], [4]]])
    assert float(last[0, 0]) == float(states[0][0, 0]) == 4


def test_gradients_come_back_through_backend_functions():
    w = K.variable(A)
    with keras.GradientTape() as tape:
        loss = K.mean(K.square(K.batch_dot(K.l2_normalize(w, axis=1), K.constant(B), axes=1)))
    gradient = tape.gradient(loss, w)

    def function(w):
        unit = w / np.sqrt((w * w).sum(axis=1, keepdims=True))
        return np.mean(np.einsum("bi,bij->bj", unit, B) ** 2)

    step = 1e-3
    for i in np.ndindex(A.shape):
        nudge = np.zeros(A.shape)
        nudge[i] = step
        assert abs((function(A + nudge) - function(A - nudge)) / (2 * step) - gradient[i]) < 1e-4


def test_names_are_counted_from_the_beginning_after_clear_session():
    K.clear_session()
    assert [keras.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    K.clear_session()
    assert keras.layers.Dense(1).name == "dense"
    assert [K.get_uid("mine"), K.get_uid("mine"), K.get_uid("other")] == [1, 2, 1]


def test_settings(monkeypatch):
    monkeypatch.setattr(config, "_settings", dict(config._settings))
    assert K.floatx() == "float32" and K.epsilon() == 1e-7 and K.backend() == "tensorflow"
    assert K.image_data_format() == "channels_last" and K.image_dim_ordering() == "tf"
    K.set_epsilon(1e-5)
    assert K.epsilon() == config.epsilon() == 1e-5
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first"
    model = keras.Sequential([keras.layers.Conv2D(2, 3, input_shape=(1, 8, 9)), keras.layers.Flatten()])
    assert model.layers[0].output_shape == (None, 2, 6, 7)
    assert model.layers[1].data_format == "channels_first"
    for call, message in (
        (lambda: K.set_floatx("float16"), "Received: 'float16'"),
        (lambda: K.set_epsilon(0), "positive number. Received: 0"),
        (lambda: K.set_image_data_format("last"), "Received: 'last'"),
        (lambda: K.set_image_dim_ordering("channels_last"), "Received: 'channels_last'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_variables():
    v = K.variable([[1, 2]], name="v")
    assert v.dtype == "float32" and v.name == "v"
    K.set_value(v, [[3, 4]])
    np.testing.assert_array_equal(K.get_value(v), [[3, 4]])
    np.testing.assert_array_equal(K.eval(K.update_add(v, 1)), [[4, 5]])
    np.testing.assert_array_equal(K.eval(K.update_sub(v, [[1, 2]])), [[3, 3]])
    np.testing.assert_array_equal(K.eval(K.moving_average_update(v, K.constant([[7, 3]]), 0.75)), [[4, 3]])
    K.batch_set_value([(v, [[0, 9]])])
    np.testing.assert_array_equal(K.batch_get_value([v])[0], [[0, 9]])
    np.testing.assert_array_equal(K.update(v, [[5, 5]]), [[5, 5]])
    assert K.zeros((2, 3)).shape == (2, 3) and K.get_value(K.ones((2,), "int32")).tolist() == [1, 1]
    inside = K.get_value(K.random_uniform_variable((50,), 2, 3))
    assert ((inside >= 2) & (inside < 3)).all()
    assert K.get_value(K.random_normal_variable((50,), 100, 0.1)).min() > 90


def test_numbers_are_rounded():
    optimizer = keras.optimizers.Adam(0.00123)
    assert round(K.get_value(optimizer.lr), 4) == 0.0012
    assert round(K.eval(K.sum(K.ones((2, 2)))), 1) == 4


def test_ctc_decode_takes_the_best_classes():
    p = np.float32([[[0.6, 0.3, 0.1], [0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.2, 0.7, 0.1]]])
    (labels,), scores = K.ctc_decode(p, np.array([4]))
    np.testing.assert_array_equal(labels, [[0, 0, -1, -1, -1]])
    np.testing.assert_allclose(scores, [[-np.log(0.6 * 0.7 * 0.7 * 0.8)]], rtol=1e-5)


def test_choices():
    x = K.constant([[1, 2], [3, 4]])
    np.testing.assert_array_equal(K.switch(K.constant([1, 0]), x, -x), [[1, 2], [-3, -4]])
    np.testing.assert_array_equal(K.switch(K.sum(x) > 9, lambda: x, lambda: -x), x)
    assert K.in_train_phase(1, 2, training=True) == 1 and K.in_train_phase(1, lambda: 2) == 2
    assert K.in_test_phase(1, 2, training=True) == 2
    assert K.foldl(lambda a, b: 2 * a + b, np.array([1, 2, 3])) == 11
    assert K.foldr(lambda a, b: 2 * a + b, np.array([1, 2, 3])) == 17
    np.testing.assert_array_equal(K.map_fn(lambda row: row * 2, x), 2 * x)
    with pytest.raises(ValueError, match="Received: 3 axes, and 2"):
        K.switch(K.ones((1, 1, 1)), x, x)


def test_the_learning_phase_is_that_of_layers_called_now():
    seen = []

    class Ask(keras.layers.Layer):
        def call(self, x):
            seen.append(K.learning_phase())
            return x

    Ask()(A, training=True)
    Ask()(A, training=False)
    assert seen == [1, 0]
    drop = keras.layers.Dropout(0.9)
    K.set_learning_phase(1)
    try:
        assert K.learning_phase() == 1 and (np.asarray(drop(np.ones((5, 9)))) == 0).any()
    finally:
        K.set_learning_phase(0)
    assert (np.asarray(drop(np.ones((5, 9)))) == 1).all()


def test_function_runs_a_part_of_a_model():
    start = keras.Input((4,))
    hidden = keras.layers.Dense(3, activation="relu")(start)
    model = keras.Model(start, keras.layers.Dense(2)(keras.layers.Dropout(0.5)(hidden)))
    x = RNG.normal(size=(50, 4)).astype(np.float32)
    (found,) = K.function([model.input], [hidden])([x])
    kernel, bias = model.layers[1].get_weights()
    assert_close(found, np.maximum(x @ kernel + bias, 0), 1e-6)
    run = K.function([model.input, K.learning_phase()], [hidden, model.output])
    assert_close(run([x, 0])[1], model.predict(x, verbose=0), 1e-6)
    assert not np.allclose(run([x, 1])[1], run([x, 0])[1])
    assert type(K.function([model.input], model.output)([x])) is np.ndarray


def test_placeholders_are_inputs_of_models():
    x = K.placeholder((None, 3))
    assert K.is_keras_tensor(x) and not K.is_keras_tensor(K.ones(3))
    assert K.int_shape(K.placeholder(ndim=2)) == (None, None)
    np.testing.assert_allclose(K.function([x], [K.sum(x * 2, axis=1)])([A])[0], 2 * A.sum(axis=1), rtol=1e-6)


def test_clip_takes_none_for_no_bound():
    np.testing.assert_array_equal(K.clip(A, None, 0.1), np.minimum(A, np.float32(0.1)))
    np.testing.assert_array_equal(K.clip(A, 0.1, None), np.maximum(A, np.float32(0.1)))


def test_printing(capsys):
    assert K.print_tensor(A, "a = ") is A
    assert capsys.readouterr().out.startswith("a = [[ 0.12573022")
    K.print_tensor(K.variable(range(9)), summarize=-1)
    assert capsys.readouterr().out == "[0. 1. 2. 3. 4. 5. 6. 7. 8.]\n"
    with K.name_scope("here") as name:
        assert name == "here"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: K.gradients(1, 2), NotImplementedError, "GradientTape"),
        (lambda: K.function([], [], updates=[1]), ValueError, "must be empty"),
        (lambda: K.placeholder(), ValueError, "Received: neither"),
        (lambda: K.placeholder((2,), sparse=True), ValueError, "sparse=True"),
        (lambda: K.batch_dot(A, B, axes=2), ValueError, r"axis 0 of x and axis 2 of y must have one extent"),
        (lambda: K.batch_dot(A[0], B), ValueError, r"Received: shapes \(3,\)"),
        (lambda: K.batch_dot(B, C, axes=(1, 1)), ValueError, "must have one extent"),
        (lambda: K.bias_add(IMAGES, A), ValueError, r"1 or 3 axes. Received: shape \(2, 3\)"),
        (lambda: K.pool2d(IMAGES, (2, 2), pool_mode="sum"), ValueError, "Received: pool_mode='sum'"),
        (lambda: K.conv2d_transpose(IMAGES, BACK, (2, 9, 9, 7), (2, 2)), ValueError, r"\(4, 5\).*\(2, 9, 9, 7\)"),
        (lambda: K.ctc_decode(TIMES, np.array([5, 5]), greedy=False), ValueError, "must be 'greedy'"),
        (lambda: K.is_keras_tensor("x"), ValueError, "Received: str"),
        (lambda: K.set_learning_phase(2), ValueError, "Received: 2"),
        (lambda: K.squre, AttributeError, "Did you mean 'square'"),
    ],
)
def test_errors_say_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()
