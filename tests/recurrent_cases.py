"""What the tests of SimpleRNN, LSTM and GRU share: layers with random weights, batches whose rows repeat, masks, and
what the reference says of them.

The layers share their states inside blocks of 16 batch rows, so most batches have more.
"""

import numpy as np
import pytest
import reference
from checks import assert_close, summed_by_row

from fastkeras.core.rows import dense
from fastkeras.core.run import Run
from fastkeras.core.variable import pack
from fastkeras.layers import GRU, LSTM, SimpleRNN

LAYERS = {
    "simple_rnn": (SimpleRNN, {}),
    "lstm": (LSTM, {}),
    "gru": (GRU, {}),
    "gru_reset_before": (GRU, {"reset_after": False}),
}
EVERY_OUTPUT = {"return_sequences": True, "return_state": True}
for_each_layer = pytest.mark.parametrize("kind", LAYERS)


def layer_of(kind, units, shape, rng, **options):
    """The layer, built for inputs of the shape, with random weights and gradients to add to."""
    cls, own = LAYERS[kind]
    layer = cls(units, **own, **options)
    layer.ensure_built(shape)
    layer.set_weights([rng.normal(size=w.shape) / np.sqrt(w.shape[0] + 1) for w in layer.get_weights()])
    pack(layer.variables)
    return layer


def repeated(rng, B, T, D, R=3):
    """x (B, T, D) made of R distinct rows; batch row 2 equals row 1."""
    x = rng.normal(size=(R, D)).astype("f")[rng.integers(0, R, (B, T))]
    if B > 2:
        x[2] = x[1]
    return x


def mask_of(rng, padding, B, T):
    """Masks as texts have them; rows 0, 3, 6, ... are masked throughout (a single row, if it has one step), and rows 1
    and 2 alike."""
    if padding is None:
        return None
    steps, lengths = np.arange(T), rng.integers(1, T + 1, (B, 1))
    mask = {"pre": steps >= T - lengths, "post": steps < lengths, "middle": rng.random((B, T)) < 0.6}[padding]
    if B > 1 or T == 1:
        mask[::3] = False
    if B > 2:
        mask[2] = mask[1]
    return mask


def run_layer(layer, x, states=(), dy=None, dstates=None, mask=None, training=False, run=None):
    """What the layer gives, as `specified` gives it: y and the last states, and the gradients in a dictionary.

    dy, dstates: the gradients of y and of the last states; without dy, nothing goes back.
    """
    run = run or Run(training, mask, trains=True, wants_dx=True)
    out, backward = layer.forward([x, *states] if states else x, run)
    y, *last = out if layer.return_state else [out]
    dense_y, back = dense(y, run, "test")
    outputs = [array.copy() for array in (dense_y, *last)]
    if dy is None:
        return outputs
    for v in layer.variables:
        v.grad.fill(0)
    dy = back(dy.astype("f"))
    dx = backward([dy, *(d.astype("f") for d in dstates)] if layer.return_state else dy)
    dx, *dinitial = dx if states else [dx]
    return outputs, {
        "x": dx.copy(),
        **{f"initial state {i}": d.copy() for i, d in enumerate(dinitial)},
        **{v.name: v.grad.copy() for v in layer.variables},
    }


def specified(layer, x, states=(), dy=None, dstates=None, mask=None, m=None):
    """The same by the reference. m: the dropout mask of the recurrent kernel."""
    W, R, *b = (w.astype(np.float64) for w in layer.get_weights())
    b = b[0] if b else np.zeros(R.shape[1])
    name = {SimpleRNN: "simple_rnn", LSTM: "lstm", GRU: "gru"}[type(layer)]
    options = {"mask": mask, "m": m, "activation": layer.activation.name}
    if name != "simple_rnn":
        options["recurrent_activation"] = layer.recurrent_activation.name
    if name == "gru":
        options["reset_after"] = layer.reset_after
        if layer.reset_after:
            b, options["b"] = b if layer.use_bias else (b, None)
    options |= dict(zip(("h0", "c0"), states, strict=False))
    if layer.go_backwards:
        x, options["mask"] = x[:, ::-1], None if mask is None else mask[:, ::-1]

    p = x @ W + b
    y, *last = getattr(reference, name)(p, R, **options)
    outputs = [y if layer.return_sequences else y[:, -1], *(last if layer.return_state else [])]
    if dy is None:
        return outputs
    if not layer.return_sequences:
        dy = np.concatenate([np.zeros(y[:, 1:].shape), dy[:, None]], axis=1)
    dstates = dstates or [np.zeros(s.shape) for s in last]
    dp, dR, *rest = getattr(reference, f"{name}_backward")(dy, *dstates, p, R, **options)
    flat = x.reshape(-1, x.shape[2])
    dx, dW, db = reference.dense_backward(dp.reshape(-1, p.shape[2]), flat, W, b)
    dx = dx.reshape(x.shape)
    gradients = {"x": dx[:, ::-1] if layer.go_backwards else dx, "kernel": dW, "recurrent_kernel": dR}
    if layer.use_bias:
        gradients["bias"] = np.stack([db, rest[0]]) if "b" in options else db
    if states:
        gradients |= {f"initial state {i}": d for i, d in enumerate(rest[-len(states) :])}
    return outputs, gradients


def assert_as_specified(found, expected, rows=None):
    """rows: the Rows that the layer got, whose gradient is summed over the places of each distinct row."""
    (outputs, gradients), (expected_outputs, expected_gradients) = found, expected
    assert len(outputs) == len(expected_outputs)
    for i, (a, b) in enumerate(zip(outputs, expected_outputs, strict=True)):
        assert_close(a, b, 2e-5, f"output {i}")
    if rows is not None:
        expected_gradients = {**expected_gradients, "x": summed_by_row(expected_gradients["x"], rows)}
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        assert_close(gradient, expected_gradients[name], 1e-4, name)
