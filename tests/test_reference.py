"""The reference's gradients against central differences: signed, element by element."""

import numpy as np
import pytest
import reference
from checks import central_difference

RNG = np.random.default_rng(1)


def assert_gradient(gradient, function, x, dy):
    np.testing.assert_allclose(gradient, central_difference(function, x, dy), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "numbers"), reference.ACTIVATIONS.items())
def test_activation_gradients(name, numbers):
    x, dy = 2 * RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    assert_gradient(backward(dy, x, *numbers), lambda x: function(x, *numbers), x, dy)


@pytest.mark.parametrize("numbers", reference.GENERAL_RELUS)
def test_general_relu_gradients(numbers):
    x, dy = 2 * RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
    gradient = reference.general_relu_backward(dy, x, *numbers)
    assert_gradient(gradient, lambda x: reference.general_relu(x, *numbers), x, dy)


def test_glu_gradient():
    x, dy = 2 * RNG.normal(size=(3, 10)), RNG.normal(size=(3, 5))
    assert_gradient(reference.glu_backward(dy, x), reference.glu, x, dy)


NUMBERS = RNG.normal(size=(5, 3))
PROBABILITIES = RNG.uniform(0.05, 0.95, (5, 3))
PROBABILITIES[[0, 1, 2, 4], [0, 1, 1, 2]] = [-0.1, 1.1, -0.3, 1.2]  # clipped, so without gradient
ANY_TARGETS = RNG.normal(size=(5, 3))
DISTRIBUTIONS = RNG.dirichlet(np.ones(3), 5)
LABELS = np.array([2, 0, 1, 1, 2])
LOSSES = [
    ("mean_squared_error", NUMBERS, ANY_TARGETS),
    ("mean_absolute_error", NUMBERS, ANY_TARGETS),
    ("binary_crossentropy", PROBABILITIES, RNG.random((5, 3))),
    ("binary_crossentropy_from_logits", NUMBERS, RNG.random((5, 3))),
    ("categorical_crossentropy", PROBABILITIES, RNG.random((5, 3))),
    ("categorical_crossentropy_from_logits", NUMBERS, DISTRIBUTIONS),
    ("mean_absolute_percentage_error", NUMBERS, ANY_TARGETS),
    ("mean_squared_logarithmic_error", NUMBERS, ANY_TARGETS),
    ("huber", NUMBERS, ANY_TARGETS),
    ("log_cosh", NUMBERS, ANY_TARGETS),
    ("poisson", NUMBERS + 4, ANY_TARGETS),
    ("kl_divergence", PROBABILITIES, DISTRIBUTIONS),
    ("hinge", NUMBERS, np.sign(ANY_TARGETS)),
    ("squared_hinge", NUMBERS, (ANY_TARGETS > 0).astype(float)),
    ("categorical_hinge", NUMBERS, np.eye(3)[LABELS]),
    ("cosine_similarity", NUMBERS, ANY_TARGETS),
    ("binary_focal_crossentropy", abs(PROBABILITIES) / 2, RNG.random((5, 3))),
    ("binary_focal_crossentropy_from_logits", NUMBERS, RNG.random((5, 3))),
    ("categorical_focal_crossentropy", PROBABILITIES, RNG.random((5, 3))),
    ("categorical_focal_crossentropy_from_logits", NUMBERS, RNG.random((5, 3))),
    ("generalized_crossentropy", abs(PROBABILITIES), LABELS),
    ("sparse_categorical_crossentropy", PROBABILITIES, LABELS),
    ("sparse_categorical_crossentropy_from_logits", NUMBERS, LABELS),
]


@pytest.mark.parametrize(("name", "y", "t"), LOSSES, ids=[case[0] for case in LOSSES])
def test_loss_gradients(name, y, t):
    dvalues = RNG.normal(size=5)
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    assert_gradient(backward(dvalues, y, t), lambda y: function(y, t), y, dvalues)


@pytest.mark.parametrize("remove_diagonal", [True, False])
def test_gradients_of_circle(remove_diagonal):
    y, labels, dvalues = 0.6 * NUMBERS, np.array([2, 0, 1, 2, 2]), RNG.normal(size=5)
    numbers = 0.3, 1.5, remove_diagonal
    gradient = reference.circle_backward(dvalues, y, labels, *numbers)
    assert_gradient(gradient, lambda y: reference.circle(y, labels, *numbers), y, dvalues)


@pytest.mark.parametrize("name", ["dice", "tversky"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_gradients_of_overlaps(name, axis):
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    y, t = np.abs(NUMBERS), np.round(DISTRIBUTIONS)
    dvalues = RNG.normal(size=np.shape(function(y, t, axis=axis)))
    assert_gradient(backward(dvalues, y, t, axis=axis), lambda y: function(y, t, axis=axis), y, dvalues)


def test_matmul_gradients():
    A, B, bias, dC = (RNG.normal(size=s) for s in [(3, 5), (5, 2), (2,), (3, 2)])
    dA, dB, dbias = reference.matmul_backward(dC, A, B)
    for gradient, x, function in [
        (dA, A, lambda x: reference.matmul(x, B, bias)),
        (dB, B, lambda x: reference.matmul(A, x, bias)),
        (dbias, bias, lambda x: reference.matmul(A, B, x)),
    ]:
        np.testing.assert_allclose(gradient, central_difference(function, x, dC), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("trans_a", "trans_b"), [(False, True), (True, False), (True, True)])
def test_matmul_forms(trans_a, trans_b):
    A, B = RNG.normal(size=(3, 5)), RNG.normal(size=(5, 2))
    C = reference.matmul(A.T if trans_a else A, B.T if trans_b else B, trans_a=trans_a, trans_b=trans_b)
    np.testing.assert_array_equal(C, reference.matmul(A, B))


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
def test_dense_gradients(activation):
    x, W, b, dy = (RNG.normal(size=s) for s in [(3, 5), (5, 2), (2,), (3, 2)])
    for i, gradient in enumerate(reference.dense_backward(dy, x, W, b, activation)):
        numeric = central_difference(
            lambda v, i=i: reference.dense(*[x, W, b][:i], v, *[x, W, b][i + 1 :], activation), [x, W, b][i], dy
        )
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_embedding_gradient():
    table, ids = RNG.normal(size=(5, 3)), RNG.integers(0, 5, (2, 7))
    dy = RNG.normal(size=(2, 7, 3))
    numeric = central_difference(lambda v: reference.embedding(v, ids), table, dy)
    np.testing.assert_allclose(reference.embedding_backward(dy, table, ids), numeric, rtol=1e-6, atol=1e-8)


CONVOLUTIONS = [  # image, kernel, strides, dilation, groups
    ((2, 5, 7, 3), (2, 3, 3, 5), (1, 1), (1, 1), 1),
    ((2, 7, 5, 3), (2, 3, 3, 2), (3, 2), (1, 1), 1),
    ((1, 5, 7, 2), (3, 2, 2, 3), (1, 1), (2, 3), 1),
    ((2, 3, 5, 6), (1, 2, 2, 9), (2, 1), (1, 1), 3),
]


@pytest.mark.parametrize(("x", "W", "strides", "dilation", "groups"), CONVOLUTIONS)
def test_convolution_gradients(x, W, strides, dilation, groups):
    options = {"strides": strides, "dilation": dilation, "groups": groups}
    x, W, b = RNG.normal(size=x), RNG.normal(size=W), RNG.normal(size=W[3])
    dy = RNG.normal(size=reference.conv(x, W, b, **options).shape)
    dx, dW, db = reference.conv_backward(dy, x, W, **options)
    assert_gradient(dx, lambda v: reference.conv(v, W, b, **options), x, dy)
    assert_gradient(dW, lambda v: reference.conv(x, v, b, **options), W, dy)
    assert_gradient(db, lambda v: reference.conv(x, W, v, **options), b, dy)


def test_convolution_is_the_sum_of_its_equation():
    x, W = RNG.normal(size=(1, 6, 5, 4)), RNG.normal(size=(2, 2, 2, 6))
    y = reference.conv(x, W, strides=(1, 2), dilation=(3, 1), groups=2)
    assert y.shape == (1, 3, 2, 6)
    for p, q, n in np.ndindex(3, 2, 6):
        terms = [
            x[0, p + 3 * i, 2 * q + j, n // 3 * 2 + d] * W[i, j, d, n]
            for i in range(2) for j in range(2) for d in range(2)
        ]  # fmt: skip
        np.testing.assert_allclose(y[0, p, q, n], sum(terms))


DEPTHWISE = [  # image, kernel, strides, dilation
    ((2, 5, 7, 3), (2, 3, 3, 1), (1, 1), (1, 1)),
    ((1, 7, 5, 3), (3, 2, 3, 2), (2, 3), (1, 2)),
]


@pytest.mark.parametrize(("x", "W", "strides", "dilation"), DEPTHWISE)
def test_depthwise_convolution_gradients(x, W, strides, dilation):
    x, W, b = RNG.normal(size=x), RNG.normal(size=W), RNG.normal(size=W[2] * W[3])
    dy = RNG.normal(size=reference.depthwise(x, W, b, strides, dilation).shape)
    dx, dW, db = reference.depthwise_backward(dy, x, W, strides, dilation)
    assert_gradient(dx, lambda v: reference.depthwise(v, W, b, strides, dilation), x, dy)
    assert_gradient(dW, lambda v: reference.depthwise(x, v, b, strides, dilation), W, dy)
    assert_gradient(db, lambda v: reference.depthwise(x, W, v, strides, dilation), b, dy)


def test_depthwise_convolution_is_one_with_a_group_for_each_channel():
    x, W = RNG.normal(size=(2, 5, 7, 3)), RNG.normal(size=(2, 3, 3, 2))
    expected = reference.conv(x, W.reshape(2, 3, 1, 6), strides=(2, 1), groups=3)
    np.testing.assert_allclose(reference.depthwise(x, W, strides=(2, 1)), expected)


TRANSPOSED = [  # image, kernel, strides, dilation, before, extents
    ((2, 3, 5, 2), (2, 3, 3, 2), (1, 1), (1, 1), (0, 0), (4, 7)),
    ((1, 3, 2, 3), (3, 2, 2, 3), (2, 3), (1, 1), (1, 0), (6, 7)),
    ((2, 2, 3, 2), (2, 3, 3, 2), (1, 1), (3, 2), (2, 1), (2, 5)),
]


@pytest.mark.parametrize(("x", "W", "strides", "dilation", "before", "extents"), TRANSPOSED)
def test_transposed_convolution_gradients(x, W, strides, dilation, before, extents):
    options = {"strides": strides, "dilation": dilation, "before": before}
    x, W, b, dy = RNG.normal(size=x), RNG.normal(size=W), RNG.normal(size=W[2]), RNG.normal(size=(x[0], *extents, W[2]))
    dx, dW, db = reference.conv_transpose_backward(dy, x, W, **options)
    options["extents"] = extents
    assert_gradient(dx, lambda v: reference.conv_transpose(v, W, b, **options), x, dy)
    assert_gradient(dW, lambda v: reference.conv_transpose(x, v, b, **options), W, dy)
    assert_gradient(db, lambda v: reference.conv_transpose(x, W, v, **options), b, dy)


def test_transposed_convolution_is_the_gradient_of_a_convolutions_input():
    x, W = RNG.normal(size=(2, 3, 2, 5)), RNG.normal(size=(3, 2, 4, 5))
    image = np.zeros((2, 7, 4, 4))
    dx, _, _ = reference.conv_backward(x, image, W, strides=(2, 2))
    np.testing.assert_allclose(reference.conv_transpose(x, W, strides=(2, 2), extents=(7, 4)), dx)


POOLS = [  # image, size, strides, places that stand out in front, numbers of windows
    ((2, 5, 7, 3), (2, 3), (2, 3), (0, 0), (2, 2)),
    ((1, 5, 7, 2), (3, 3), (2, 1), (1, 2), (3, 7)),
    ((2, 1, 7, 3), (1, 2), (1, 3), (0, 0), (1, 2)),
]


@pytest.mark.parametrize("case", POOLS)
@pytest.mark.parametrize("name", ["max_pool", "average_pool", "masked"])
def test_pooling_gradients(case, name):
    shape, *options = case
    if name == "masked":
        mask = RNG.random(shape[:3]) < 0.8
        mask[:, ::2, ::2] = True  # no window without a place
        name, options = "average_pool", [*options, mask]
    x, function = RNG.normal(size=shape), getattr(reference, name)
    dy = RNG.normal(size=function(x, *options).shape)
    dx = getattr(reference, f"{name}_backward")(dy, x, *options)
    assert_gradient(dx, lambda v: function(v, *options), x, dy)


def test_the_first_of_equal_maxima_has_the_gradient():
    x = np.zeros((1, 2, 3, 1))
    dx = reference.max_pool_backward(np.array([[[[1.0], [2.0]]]]), x, (2, 2), (1, 1), (0, 0), (1, 2))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 2, 0], [0, 0, 0]])


B, U = 3, 2
RECURRENT = {  # (function, gates, inputs that have gradients besides p and R, options)
    "simple_rnn": ("simple_rnn", 1, {"h0": (B, U)}, {}),
    "lstm": ("lstm", 4, {"h0": (B, U), "c0": (B, U)}, {}),
    "gru": ("gru", 3, {"b": (3 * U,), "h0": (B, U)}, {}),
    "gru, reset before": ("gru", 3, {"h0": (B, U)}, {"reset_after": False}),
}


@pytest.mark.parametrize("case", RECURRENT)
@pytest.mark.parametrize("T", [1, 5])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("activations", [("tanh", "sigmoid"), ("silu", "softsign")])
def test_recurrent_gradients(case, T, masked, dropped, activations):
    name, G, others, options = RECURRENT[case]
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    shapes = {"p": (B, T, G * U), "R": (U, G * U), **others}
    inputs = {k: RNG.normal(size=shape) for k, shape in shapes.items()}
    options = {**options, "activation": activations[0]}
    if name != "simple_rnn":
        options["recurrent_activation"] = activations[1]
    if masked:
        options["mask"] = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)[:, :T]
    if dropped:
        options["m"] = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])

    def results(**inputs):  # the outputs, then the last states, along the time axis
        y, *states = function(**inputs, **options)
        return np.concatenate([y, *(s[:, None] for s in states)], axis=1)

    d = RNG.normal(size=results(**inputs).shape)
    dy, dstates = d[:, :T], d[:, T:].transpose(1, 0, 2)
    gradients = backward(dy, *dstates, **inputs, **options)
    for (k, v), gradient in zip(inputs.items(), gradients, strict=True):
        assert_gradient(gradient, lambda v, k=k: results(**{**inputs, k: v}), v, d)


@pytest.mark.parametrize("case", RECURRENT)
def test_recurrent_layers_without_the_optional_arguments(case):
    name, G, others, options = RECURRENT[case]
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    p, R = RNG.normal(size=(B, 5, G * U)), RNG.normal(size=(U, G * U))
    ones = {"mask": np.ones((B, 5), bool), "m": np.ones((B, U))}
    given = {**options, **ones, **{k: np.zeros(shape) for k, shape in others.items()}}
    plain, full = function(p, R, **options), function(p, R, **given)
    for a, b in zip(plain, full, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(plain[0][:, -1], plain[1])  # the last output is the last h
    for a, b in zip(backward(*full, p, R, **options), backward(*full, p, R, **given), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mask", [None, np.array([1, 0, 1, 1, 0, 1, 1], bool)], ids=["whole", "masked"])
def test_batch_normalization_gradients(mask):
    x, dy, (gamma, beta) = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 3)), RNG.normal(size=(2, 3))
    dx, dgamma, dbeta = reference.batch_norm_backward(dy, x, gamma, mask)
    assert_gradient(dx, lambda v: reference.batch_norm(v, gamma, beta, mask), x, dy)
    assert_gradient(dgamma, lambda v: reference.batch_norm(x, v, beta, mask), gamma, dy)
    assert_gradient(dbeta, lambda v: reference.batch_norm(x, gamma, v, mask), beta, dy)


def test_layer_normalization_gradients():
    x, dy, (gamma, beta) = RNG.normal(size=(3, 7)), RNG.normal(size=(3, 7)), RNG.normal(size=(2, 7))
    dx, dgamma, dbeta = reference.layer_norm_backward(dy, x, gamma)
    assert_gradient(dx, lambda v: reference.layer_norm(v, gamma, beta), x, dy)
    assert_gradient(dgamma, lambda v: reference.layer_norm(x, v, beta), gamma, dy)
    assert_gradient(dbeta, lambda v: reference.layer_norm(x, gamma, v), beta, dy)


@pytest.mark.parametrize("largest", [np.inf, 0.3])
def test_unit_normalization_gradient(largest):
    x, dy = RNG.normal(size=(5, 3)) * [[0.5], [1], [2], [3], [5]], RNG.normal(size=(5, 3))
    assert_gradient(reference.unit_norm_backward(dy, x, largest), lambda v: reference.unit_norm(v, largest), x, dy)


@pytest.mark.parametrize("name", ["add", "subtract", "average", "multiply", "maximum", "minimum"])
def test_merging_gradients(name):
    xs, dy = list(RNG.normal(size=(2 if name == "subtract" else 3, 5, 2))), RNG.normal(size=(5, 2))
    function = getattr(reference, name)
    for i, gradient in enumerate(getattr(reference, f"{name}_backward")(dy, xs)):
        assert_gradient(gradient, lambda v, i=i: function([*xs[:i], v, *xs[i + 1 :]]), xs[i], dy)


def test_dot_gradients():
    a, b, dy = (RNG.normal(size=shape) for shape in [(2, 3, 5), (2, 7, 5), (2, 3, 7)])
    da, db = reference.dot_backward(dy, a, b)
    assert_gradient(da, lambda v: reference.dot(v, b), a, dy)
    assert_gradient(db, lambda v: reference.dot(a, v), b, dy)


def test_prelu_gradients():
    x, dy, a = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3)), RNG.normal(size=3)
    dx, da = reference.prelu_backward(dy, x, a)
    assert_gradient(dx, lambda v: reference.prelu(v, a), x, dy)
    assert_gradient(da, lambda v: reference.prelu(x, v), a, dy)


ATTENTION_MASKS = {
    "": None,
    "keys": np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0]], bool)[:, None, None] & np.ones((2, 3, 7, 5), bool),
    "pairs": RNG.random((2, 3, 7, 5)) < 0.5,
    "causal": np.broadcast_to(reference.causal(7, 5), (2, 3, 7, 5)),
}


@pytest.mark.parametrize("mask", ATTENTION_MASKS.values(), ids=ATTENTION_MASKS)
@pytest.mark.parametrize("uniform", [False, True])
def test_attention_gradients(mask, uniform):
    x, v, dy, dP = (RNG.normal(size=s) for s in [(2, 3, 7, 5), (2, 5, 3, 2), (2, 7, 3, 2), (2, 3, 7, 5)])
    m = RNG.choice([0.0, 2.0], x.shape)
    options = {"mask": mask, "uniform": uniform}
    dx, dv = reference.attention_backward(dy, dP, x, v, m=m, **options)
    numeric = central_difference(lambda x: reference.attention(x, v, m=m, **options), x, dy)
    numeric += central_difference(lambda x: reference.attention_weights(x, **options), x, dP)
    np.testing.assert_allclose(dx, numeric, rtol=1e-6, atol=1e-8)
    assert_gradient(dv, lambda v: reference.attention(x, v, m=m, **options), v, dy)


def test_attention_score_gradients():
    q, k, dx = (RNG.normal(size=s) for s in [(2, 7, 3, 5), (2, 2, 3, 5), (2, 3, 7, 2)])
    dq, dk = reference.dot_scores_backward(dx, q, k, 0.3)
    assert_gradient(dq, lambda q: reference.dot_scores(q, k, 0.3), q, dx)
    assert_gradient(dk, lambda k: reference.dot_scores(q, k, 0.3), k, dx)
    q, k, w, dx = (RNG.normal(size=s) for s in [(2, 7, 5), (2, 3, 5), (5,), (2, 7, 3)])
    dq, dk, dw = reference.additive_scores_backward(dx, q, k, w)
    assert_gradient(dq, lambda q: reference.additive_scores(q, k, w), q, dx)
    assert_gradient(dk, lambda k: reference.additive_scores(q, k, w), k, dx)
    assert_gradient(dw, lambda w: reference.additive_scores(q, k, w), w, dx)
