"""Attention, AdditiveAttention and MultiHeadAttention: gradients, masks, dropout, scores, and what is refused."""

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference

import fastkeras as keras
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run
from fastkeras.core.variable import pack
from fastkeras.layers import AdditiveAttention, Attention, Dense, Embedding, Input, MultiHeadAttention
from fastkeras.layers.arguments import Nth

RNG = np.random.default_rng(41)
B, T, S, D, V = 2, 3, 5, 7, 2


def ready(layer, *inputs, **keywords):
    """The layer with weights for these inputs, all of which differ, and zeros as gradients."""
    layer(*inputs, **keywords)
    pack(layer.variables)
    for variable in layer.variables:
        variable.value[...] = RNG.normal(scale=0.6, size=variable.shape)
    return layer


def passed(layer, x, keywords=(), masks=None, dy=None, training=False):
    """(outputs, gradients of the inputs and of the weights)"""
    for variable in layer.variables:
        variable.grad.fill(0.0)
    run = Run(training, trains=True, wants_dx=True, trained=layer.sublayers(), keywords=dict(keywords))
    run.masks = masks
    y, backward = layer.forward(x, run)
    outputs = [part.copy() for part in (y if isinstance(y, list) else [y])]
    if dy is None:
        return outputs, None
    dx = backward([d.copy() for d in dy] if isinstance(y, list) else dy[0].copy())
    return outputs, [None if d is None else d.copy() for d in dx] + [v.grad.copy() for v in layer.variables]


def check_against(function, layer, x, keywords=(), masks=None):
    """The layer's outputs and all gradients against a function of its inputs and weights, in float64."""
    arrays = [np.asarray(a, np.float64) for a in [*x, *layer.get_weights()]]
    expected = function(*arrays)
    dy = [RNG.normal(size=part.shape).astype("f") for part in expected]
    outputs, gradients = passed(layer, x, keywords, masks, dy)
    for a, e in zip(outputs, expected, strict=True):
        assert_close(a, e, 1e-5)
    for i, gradient in enumerate(gradients):
        if gradient is None:
            continue

        def of(value, i=i):
            parts = function(*arrays[:i], value, *arrays[i + 1 :])
            return np.concatenate([part.ravel() for part in parts])

        numeric = central_difference(of, arrays[i], np.concatenate([d.ravel() for d in dy]))
        if np.abs(numeric).max() < 1e-4:  # the bias of keys: a softmax does not see what is added to all of its scores
            np.testing.assert_allclose(gradient, numeric, atol=5e-6)
        else:
            assert_close(gradient, numeric, 3e-5, f"gradient {i}")


def normal(*shapes):
    return [RNG.normal(size=shape).astype("f") for shape in shapes]


# --- Attention and AdditiveAttention ---------------------------------------------------------------------------------

KINDS = {
    "dot": (Attention, {}, lambda q, k: q @ k.transpose(0, 2, 1)),
    "scaled": (Attention, {"use_scale": True}, lambda q, k, a: a * (q @ k.transpose(0, 2, 1))),
    "concat": (
        Attention,
        {"score_mode": "concat"},
        lambda q, k, w: reference.additive_scores(q, k, np.ones(D)) * w,
    ),
    "concat scaled": (
        Attention,
        {"score_mode": "concat", "use_scale": True},
        lambda q, k, a, w: reference.additive_scores(a * q, a * k, np.ones(D)) * w,
    ),
    "additive": (AdditiveAttention, {}, lambda q, k, w: reference.additive_scores(q, k, w)),
    "additive alike": (
        AdditiveAttention,
        {"use_scale": False},
        lambda q, k: reference.additive_scores(q, k, np.ones(D)),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("with_key", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", [(), ("return_attention_scores",), ("use_causal_mask",)])
def test_gradients(kind, with_key, masked, options):
    make, arguments, score = KINDS[kind]
    x = normal((B, T, D), (B, S, V), (B, S, D)) if with_key else normal((B, T, D), (B, S, D))
    layer = ready(make(**arguments), x)
    of_query, of_value = RNG.random((B, T)) < 0.6, RNG.random((B, S)) < 0.6
    of_value[:, 0] = True
    allowed = np.broadcast_to(of_value[:, None, None], (B, 1, T, S)) if masked else np.ones((B, 1, T, S), bool)
    if "use_causal_mask" in options:
        allowed = allowed & reference.causal(T, S)

    def function(*arrays):
        q, v, k = arrays[0], arrays[1], arrays[2 if with_key else 1]
        scores = score(q, k, *arrays[3 if with_key else 2 :])[:, None]
        y = reference.attention(scores, v[:, :, None], allowed)[:, :, 0]
        y = np.where(of_query[..., None], y, 0.0) if masked else y
        P = reference.attention_weights(scores, allowed)[:, 0]
        return [y, P] if "return_attention_scores" in options else [y]

    masks = [of_query, of_value, None][: len(x)] if masked else None
    check_against(function, layer, x, dict.fromkeys(options, True), masks)


def test_dropout_drops_weights_in_training_alone():
    x = 0.1 * normal((1, 89, 89))[0]
    layer = ready(Attention(dropout=0.4, seed=3), [x, x])
    (y, P), _ = passed(layer, [x, x], {"return_attention_scores": True}, training=True)
    assert 0.3 < (P == 0).mean() < 0.5
    assert_close(y, P @ x, 1e-5)  # as Keras has it, the scores are those after dropout
    (again, Q), _ = passed(layer, [x, x], {"return_attention_scores": True}, training=True)
    assert not np.array_equal(P, Q) and not np.array_equal(y, again)
    (y, P), _ = passed(layer, [x, x], {"return_attention_scores": True})
    assert_close(P.sum(-1), np.ones((1, 89)), 1e-5)


def test_a_mask_in_a_call():
    q, v = normal((B, T, D), (B, S, D))
    of_query, of_value = RNG.random((B, T)) < 0.5, np.arange(S) < np.array([[2], [4]])
    y = Attention()([q, v], mask=[of_query, of_value])
    np.testing.assert_array_equal(y[~of_query], 0.0)
    for b in range(B):
        alone = Attention()([q[b : b + 1], v[b : b + 1, of_value[b]]])
        assert_close(y[b : b + 1][:, of_query[b]], alone[:, of_query[b]], 1e-5)


# --- MultiHeadAttention ----------------------------------------------------------------------------------------------

H, K = 3, 2


def heads_of(x, W, b=0.0):
    return np.einsum("btd,dhk->bthk", x, W) + b


def multi_head(query, value, key, weights, allowed, uniform):
    """(output, P) with the weights in Keras's order"""
    Wq, bq, Wk, bk, Wv, bv, Wo, bo = weights
    scores = reference.dot_scores(heads_of(query, Wq, bq), heads_of(key, Wk, bk), K**-0.5)
    y = reference.attention(scores, heads_of(value, Wv, bv), allowed, uniform=uniform)
    P = reference.attention_weights(scores, allowed, uniform)
    return np.einsum("bthv,hv...->bt...", y, Wo) + bo, P


@pytest.mark.parametrize("inputs", ["query is value", "value is key", "all differ"])
@pytest.mark.parametrize("masked", ["", "steps", "pairs", "heads", "causal", "window"])
@pytest.mark.parametrize("gives_scores", [False, True])
def test_multi_head_gradients(inputs, masked, gives_scores):
    query, value, key = normal((B, T, D), (B, S, 4), (B, S, 5))
    if inputs == "query is value":
        x, names, shapes = [query, query], {"value": Nth(1)}, (T, T)
    elif inputs == "value is key":
        x, names, shapes = [query, value], {"value": Nth(1)}, (T, S)
    else:
        x, names, shapes = [query, value, key], {"value": Nth(1), "key": Nth(2)}, (T, S)
    window = {"sliding_window": 2} if masked == "window" else {}
    output_shape = (2, 3) if masked == "heads" else None
    layer = ready(MultiHeadAttention(H, K, value_dim=4, output_shape=output_shape, **window), *x)

    keywords, masks, allowed = dict(names), None, np.ones((B, H, *shapes), bool)
    if masked == "steps":
        masks = [RNG.random(part.shape[:2]) < 0.6 for part in x]
        if x[0] is x[1]:
            masks[1] = masks[0]
        allowed = allowed & masks[0][:, None, :, None]
        for mask in masks[1:]:
            allowed = allowed & mask[:, None, None]
    elif masked in ("pairs", "heads"):
        pairs = RNG.random((B, *shapes) if masked == "pairs" else (B, H, *shapes)) < 0.6
        keywords["attention_mask"], x = Nth(len(x)), [*x, pairs.astype("f")]
        allowed = allowed & (pairs[:, None] if masked == "pairs" else pairs)
    elif masked == "causal":
        keywords["use_causal_mask"], allowed = True, allowed & reference.causal(*shapes)
    elif masked == "window":
        allowed = allowed & (abs(np.arange(shapes[0])[:, None] - np.arange(shapes[1])) < 2)
    if gives_scores:
        keywords["return_attention_scores"] = True
    given = len(x) - ("attention_mask" in keywords)

    def function(*arrays):
        weights, q = arrays[len(x) :], arrays[0]
        v, k = (arrays[1], arrays[given - 1]) if inputs != "query is value" else (q, q)
        y, P = multi_head(q, v, k, weights, allowed, uniform=not gives_scores)
        return [y, P] if gives_scores else [y]

    check_against(function, layer, x, keywords, masks)


def test_without_bias_there_are_four_kernels():
    x, *_ = normal((B, T, D))
    layer = ready(MultiHeadAttention(H, K, use_bias=False), x, x)
    assert [(v.path.removeprefix(f"{layer.name}/"), v.shape) for v in layer.variables] == [
        ("query/kernel", (D, H, K)),
        ("key/kernel", (D, H, K)),
        ("value/kernel", (D, H, K)),
        ("attention_output/kernel", (H, K, D)),
    ]
    Wq, Wk, Wv, Wo = layer.get_weights()
    expected, _ = multi_head(x, x, x, (Wq, 0, Wk, 0, Wv, 0, Wo, 0), np.ones((B, H, T, T), bool), True)
    assert_close(layer(x, x), expected, 1e-5)


def test_multi_head_dropout_leaves_the_scores_whole():
    (x,) = normal((1, 89, D))
    layer = ready(MultiHeadAttention(2, 3, dropout=0.5, seed=3), x, x)
    keywords = {"value": Nth(1), "return_attention_scores": True}
    (y, P), _ = passed(layer, [x, x], keywords, training=True)
    (still, Q), _ = passed(layer, [x, x], keywords)
    np.testing.assert_array_equal(P, Q)
    assert not np.allclose(y, still)
    nothing = np.zeros((1, 89, 89), bool)
    np.testing.assert_array_equal(
        layer(x, x, attention_mask=nothing)[0], np.tile(layer.output_dense.bias.value, (89, 1))
    )


@pytest.mark.parametrize("make", [lambda: Attention(), lambda: AdditiveAttention(), lambda: MultiHeadAttention(2, 3)])
def test_rows_give_what_the_dense_array_gives(make):
    values, index = normal((4, D))[0], RNG.integers(0, 4, (B, T)).astype(np.int32)
    rows, plain, layer = Rows(values, index), values[index], make()
    heads = isinstance(layer, MultiHeadAttention)
    keywords = {"value": Nth(1)} if heads else {}
    ready(layer, *((plain, plain) if heads else ([plain, plain],)))
    dy = normal((B, T, D))
    (y,), (dx, dv, *weights) = passed(layer, [plain, plain], keywords, dy=dy)
    (z,), (dx_rows, dv_rows, *weights_too) = passed(layer, [rows, rows], keywords, dy=dy)
    assert_close(z, y, 1e-5)
    summed = np.zeros_like(values)
    np.add.at(summed, index, dx if dv is None else dx + dv)
    assert_close(dx_rows if dv_rows is None else dx_rows + dv_rows, summed, 2e-5)
    for a, b in zip(weights_too, weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


# --- in models -------------------------------------------------------------------------------------------------------


def transformer():
    start = Input((T,))
    words = Embedding(11, 6, mask_zero=True)(start)
    y, P = MultiHeadAttention(2, 3, activity_regularizer="l2", name="heads")(words, words, return_attention_scores=True)
    return keras.Model(start, [Dense(1)(y), P])


def test_masks_travel_through_a_model():
    model, x = transformer(), np.array([[1, 2, 0], [3, 0, 0], [0, 0, 0]])
    y, P = model.predict(x, verbose=0)
    assert P.shape == (3, 2, T, T)
    np.testing.assert_array_equal((P > 0).any(1), (x > 0)[:, None, :] & (x > 0)[:, :, None])
    np.testing.assert_array_equal(y[2], y[1, 1:].repeat(3, 0)[:3])  # to nothing attended, all the same


def test_symbolic_inputs_among_the_keywords():
    query, value, mask = Input((T, D)), Input((S, V)), Input((T, S))
    layer = MultiHeadAttention(2, 3)
    model = keras.Model([query, value, mask], layer(query, value=value, attention_mask=mask))
    q, v = normal((B, T, D), (B, S, V))
    m = RNG.random((B, T, S)) < 0.5
    assert_close(model.predict([q, v, m], verbose=0), layer(q, v, attention_mask=m), 1e-6)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert_close(again.predict([q, v, m], verbose=0), layer(q, v, attention_mask=m), 1e-6)

    of_query, of_value = Input((T,)), Input((S,))
    attend, widen = Attention(), Dense(D)
    model = keras.Model([query, value, of_query, of_value], attend([query, widen(value)], mask=[of_query, of_value]))
    masks = RNG.random((B, T)) < 0.5, np.arange(S) < np.array([[2], [4]])
    assert_close(model.predict([q, v, *masks], verbose=0), attend([q, widen(v)], mask=masks), 1e-6)


def test_training_through_attention_learns_to_copy_a_step():
    """The value whose key is the query."""
    keys = np.eye(5, dtype="f")
    which, values = RNG.integers(0, 5, 400), RNG.normal(size=(400, 5, 1)).astype("f")
    x = np.concatenate([np.broadcast_to(keys, (400, 5, 5)), values], axis=2)
    query, steps = Input((1, 5)), Input((5, 6))
    y = MultiHeadAttention(1, 8, value_dim=1)(query, steps)
    model = keras.Model([query, steps], Dense(1)(y))
    model.compile(keras.optimizers.Adam(0.03), "mse")
    target = values[np.arange(400), which]
    model.fit([keys[which][:, None], x], target[:, None], epochs=40, verbose=0)
    assert model.evaluate([keys[which][:, None], x], target[:, None], verbose=0) < 0.05


def test_the_penalty_is_on_each_projection():
    (x,) = normal((B, T, D))
    layer = ready(MultiHeadAttention(1, 2, activity_regularizer=keras.regularizers.L2(0.1)), x, x)
    run = Run(trained=layer.sublayers(), keywords={"value": Nth(1)})
    y, _ = layer.forward([x, x], run)
    Wq, bq, Wk, bk, Wv, bv, *_ = layer.get_weights()
    parts = [*(heads_of(x, W, b) for W, b in ((Wq, bq), (Wk, bk), (Wv, bv))), y]
    assert_close(sum(run.losses), sum(0.1 * (part**2).sum() for part in parts) / B, 1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        Attention(use_scale=True, score_mode="concat", dropout=0.5, seed=3),
        AdditiveAttention(use_scale=False),
        MultiHeadAttention(2, 3, value_dim=5, dropout=0.1, output_shape=4, sliding_window=3, kernel_regularizer="l2"),
    ],
)
def test_the_config_makes_an_equal_layer(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Attention(score_mode="cos"), "`score_mode` must be 'dot' or 'concat'"),
        (lambda: Attention()(np.ones((2, 3, 4))), r"a list, \[query, value\]"),
        (lambda: Attention()([np.ones((2, 3, 4)), np.ones((2, 3, 5))]), "expected a query"),
        (lambda: Attention()([np.ones((2, 3, 4))] * 2, mask=np.ones((2, 3))), "a list of masks"),
        (lambda: MultiHeadAttention(0, 3), "`num_heads` must be a positive integer"),
        (lambda: MultiHeadAttention(2, 3, attention_axes=(1, 2)), "`attention_axes` must be None"),
        (lambda: MultiHeadAttention(2, 3)(np.ones((2, 3)), np.ones((2, 3))), "expected a query"),
        (lambda: MultiHeadAttention(2, 3, dropout=1.5), "`dropout` must be a number from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="Did you mean 'num_heads'"):
        MultiHeadAttention(2, 3, num_head=2)


def test_features_must_stay_what_they_were():
    layer = MultiHeadAttention(2, 3)
    layer(*normal((B, T, D), (B, S, V)))
    with pytest.raises(ValueError, match="the features that it was built for"):
        layer(*normal((B, T, D), (B, S, D)))
