"""Whole models that normalize, merge branches and attend (tests/parity_cases.py says what a case is)."""

import numpy as np
from model_data import BOTH, built, features, padded


def normalized(keras):
    """Both normalizations; the moving variance of images differs in tf_keras, by n / (n-1)."""
    L, x = keras.layers, np.random.RandomState(3).normal(1.0, 2.0, (17, 5, 3, 2)).astype("f")
    layers = [
        L.LayerNormalization(),
        L.BatchNormalization(axis=1, momentum=0.8, gamma_regularizer="l2"),
        L.Flatten(),
        L.Dense(7),
        L.BatchNormalization(scale=False),
        L.LayerNormalization(center=False, epsilon=0.01),
        L.Dense(1),
    ]
    options = {"optimizer": ("SGD", 0.01), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.mean(axis=(1, 2, 3))), options, {"batch_size": 5}


def normalized_masked_text(keras):
    """Batch moments over the steps that a mask keeps, as Keras 3 has them."""
    L, x = keras.layers, padded(19, 7, 11, "post")
    layers = [L.Embedding(11, 3, mask_zero=True), L.BatchNormalization(), L.LSTM(4), L.Dense(1)]
    options = {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, features(19, 1)), options, {"batch_size": 6}


def normalized_by_groups(keras):
    """The other normalizations, activations that are layers, penalties on activations, and noise of no strength."""
    L, x = keras.layers, np.random.RandomState(3).normal(1.0, 2.0, (19, 5, 6)).astype("f")
    layers = [
        keras.Input((5, 6)),
        L.Rescaling(0.5, offset=-0.5),
        L.Normalization(mean=[0.1] * 6, variance=[1.5] * 6),
        L.GaussianNoise(0.0),
        L.Dense(6),
        L.GroupNormalization(3, gamma_regularizer="l2"),
        L.PReLU(shared_axes=[1]),
        L.GroupNormalization(5, axis=1),
        L.ActivityRegularization(l1=0.01, l2=0.02),
        L.Dense(4),
        L.LeakyReLU(0.2),
        L.UnitNormalization(),
        L.GaussianDropout(0.0),
        L.Flatten(),
        L.Dense(7),
        L.ELU(0.5),
        L.AlphaDropout(0.0),
        L.Dense(3),
        L.ReLU(negative_slope=0.1, max_value=2.0, threshold=0.1),
        L.Dense(3),
        L.Softmax(),
    ]
    options = {"optimizer": ("SGD", 0.1), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return keras.Sequential(layers), (x, np.abs(x.mean(axis=(1, 2))).astype("int32") % 3), options, {"batch_size": 5}


def merged(keras):
    """Branches that come together in every way, by layers and by functions, with axes added and products summed."""
    L, x = keras.layers, features(23, 5)
    start = keras.Input((5,))
    a, b, c = (L.Dense(4, activation=activation)(start) for activation in ("tanh", "sigmoid", "relu"))
    d = L.concatenate([L.add([a, b, c]), L.Subtract()([a, c]), L.Multiply()([a, b, start_of(L, start)])])
    wide = L.Average()([L.Reshape((2, 6))(d), L.RepeatVector(2)(L.Dense(6)(a))])
    wide = L.Concatenate(axis=1)([wide, L.Maximum()([wide, L.Reshape((1, 6))(L.Dense(6)(b))])])
    products = L.Dot((2, 1), normalize=True)([wide, L.minimum([L.Dense(6)(b), L.Dense(6)(c)])])
    y = L.Dense(1)(L.Concatenate()([products, L.dot([a, b], axes=1), a]))
    options = {"optimizer": ("SGD", 0.05), "loss": "mse", "metrics": ["mae"]}
    return keras.Model(start, y), (x, x.sum(axis=1)), options, {"batch_size": 6}


def start_of(L, tensor):
    """Its first four features."""
    return L.Flatten()(L.Cropping1D((0, 1))(L.Reshape((5, 1))(tensor)))


def merged_masked_text(keras):
    """Masks of merged branches, and masked steps that count for nothing in a product or a maximum, as in Keras 3."""
    L, x = keras.layers, padded(19, 7, 11, "post")
    first = keras.Input((7,))
    second = L.Permute((2, 1))(L.RepeatVector(1)(first))
    second = L.Reshape((7,))(L.Concatenate(axis=1)([L.Cropping1D((2, 0))(second), L.Cropping1D((0, 5))(second)]))
    a, b = (L.Embedding(11, 4, mask_zero=True)(ids) for ids in (first, second))
    branches = [L.Multiply()([a, b]), L.Maximum()([a, b]), L.Add()([a, b]), L.Concatenate()([a, b])]
    read = [L.LSTM(3)(branch) for branch in (*branches, L.Concatenate(axis=1)([a, b]))]
    options = {"optimizer": ("SGD", 0.2), "loss": "mse", "metrics": ["mae"]}
    return keras.Model(first, L.Dense(1)(L.concatenate(read))), (x, features(19, 1)), options, {"batch_size": 6}


def attentive_text(keras):
    """A Transformer's block without its sums, whose masked steps leave no trace; then the other kinds of attention."""
    L, x = keras.layers, padded(19, 7, 11, "post")
    x[4, 0] = 1  # not all padding
    start = keras.Input((7,))
    read = L.Embedding(11, 6, mask_zero=True)(start)
    read = L.MultiHeadAttention(2, 3, value_dim=4, kernel_regularizer="l2", name="heads")(read, read)
    read = L.LayerNormalization()(read)
    read = L.MultiHeadAttention(3, 2, use_bias=False, output_shape=5, name="causal")(read, read, use_causal_mask=True)
    read = L.Attention(use_scale=True, score_mode="concat")([read, read])
    read = L.AdditiveAttention()([read, read], use_causal_mask=True)
    read = L.Attention(use_scale=True)([read, read, read])
    model = keras.Model(start, L.Dense(1)(L.GlobalAveragePooling1D()(read)))
    options = {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}
    return model, (x, features(19, 1)), options, {"batch_size": 6}


CASES = {
    normalized: ("keras",),
    normalized_masked_text: ("keras",),
    normalized_by_groups: ("keras",),
    merged: BOTH,
    merged_masked_text: ("keras",),
    attentive_text: BOTH,
}
