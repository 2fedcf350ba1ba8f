"""Data and weights for whole models that are the same in every library.

All of it comes from RandomState, whose streams never change, so that what TensorFlow made of it can be stored.
"""

import numpy as np

# The peers that a model is compared with. Where a batch repeats an id, Keras 3 on TensorFlow squares the parts of its
# gradient one by one, and tf_keras (as the formula and every other backend do) their sum: adaptive optimizers over an
# Embedding are compared with tf_keras. So are masks where initial states are given: Keras 3 forgets the mask of a layer
# that is called on several tensors.
BOTH = ("keras", "tf_keras")


def features(n, D, seed=0):
    return np.random.RandomState(seed).normal(size=(n, D)).astype("f")


def tokens(n, T, V, seed=0):
    """Ids padded in front with zeros, as pad_sequences leaves them; rows 2 and 3 begin alike, row 4 is all padding."""
    rng = np.random.RandomState(seed)
    ids = rng.randint(1, V, (n, T)).astype("int32")
    for row, length in zip(ids, rng.randint(1, T + 1, n), strict=True):
        row[: T - length] = 0
    ids[3, : T // 2] = ids[2, : T // 2]
    ids[4] = 0
    return ids


def padded(n, T, V, padding):
    """`tokens` with its zeros in front ("pre"), behind ("post"), or anywhere ("middle"); row 4 stays all padding."""
    ids = tokens(n, T, V)
    if padding == "post":
        return np.ascontiguousarray(ids[:, ::-1])
    if padding == "middle":
        ids[np.random.RandomState(7).uniform(size=ids.shape) < 0.3] = 0
    return ids


def series(n, T, D, padding):
    """Features (n, T, D), zero where a step is to be masked."""
    x = np.random.RandomState(2).normal(size=(n, T, D)).astype("f")
    x[padded(n, T, 9, padding) == 0] = 0.0
    return x


def built(model, x):
    """The model, built by its first call."""
    model.predict(x[:2], verbose=0)
    return model


def random_weights(model, seed):
    """Weights that are unlike each other, so that no exchange of two goes unseen."""
    rng = np.random.RandomState(seed)
    model.set_weights([rng.normal(size=w.shape, scale=0.4).astype("f") for w in model.get_weights()])
    for layer in model.layers:
        if hasattr(layer, "moving_variance"):
            *others, variance = layer.get_weights()
            layer.set_weights([*others, np.abs(variance) + 0.5])
