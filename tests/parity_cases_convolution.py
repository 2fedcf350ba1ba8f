"""Whole models that convolve, pool and reshape (tests/parity_cases.py says what a case is)."""

import numpy as np
from model_data import BOTH, built, padded, series, tokens


def convolved_text(keras):
    """What learners put on an Embedding: filters over words, and the strongest answer of each."""
    L, x = keras.layers, tokens(41, 11, 19)
    layers = [L.Embedding(19, 6), L.Conv1D(7, 3, activation="relu"), L.GlobalMaxPooling1D(), L.Dense(1)]
    y = ((x == 3).sum(axis=1) + (x == 5).sum(axis=1) > 0).astype("f")
    options = {"optimizer": ("SGD", 0.05), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 16}


def mean_of_unmasked_steps(keras):
    L, x = keras.layers, padded(37, 7, 13, "middle")
    x[4] = 1  # the mean of no steps is NaN
    x[(x == 0).all(axis=1), 0] = 1
    layers = [L.Embedding(13, 5, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")]
    options = {"optimizer": ("SGD", 0.5), "loss": "binary_crossentropy", "metrics": ["acc"]}
    return built(keras.Sequential(layers), x), (x, (x[:, -1] > 5).astype("f")), options, {"batch_size": 9}


def convolved_series(keras):
    """Every padding of sequences, strides, dilation and groups; no ids that repeat, so Adam agrees with both."""
    L, x = keras.layers, series(23, 17, 3, "pre")
    layers = [
        L.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="tanh"),
        L.Conv1D(4, 4, padding="same", groups=2, use_bias=False),
        L.MaxPooling1D(3, strides=2, padding="same"),
        L.Conv1D(5, 3, strides=2, activation="softmax"),
        L.AveragePooling1D(2, padding="same"),
        L.GlobalAveragePooling1D(),
        L.Dense(1),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def _images(keras, layers, classes=3):
    """Which of three channels is the brightest, in images of 9 x 11."""
    x = np.random.RandomState(2).uniform(size=(31, 9, 11, 3)).astype("f")
    model = keras.Sequential([*layers, keras.layers.Dense(classes, activation="softmax")])
    options = {"optimizer": ("Adam", 0.02), "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    return built(model, x), (x, x.sum(axis=(1, 2)).argmax(axis=1)), options, {"batch_size": 8}


def image_classifier(keras):
    """What learners put on MNIST."""
    L = keras.layers
    return _images(
        keras,
        [
            L.Conv2D(4, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(6, (3, 2), activation="relu"),
            L.Flatten(),
            L.Dense(7, activation="relu"),
        ],
    )


def images_of_all_kinds(keras):
    """Every padding of images, strides, dilation and groups; penalties and constraints; windows that stand out."""
    L = keras.layers
    told = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "kernel_constraint": "unit_norm"}
    return _images(
        keras,
        [
            L.Conv2D(6, (2, 3), padding="same", dilation_rate=(2, 1), activation="silu", **told),
            L.AveragePooling2D((3, 2), strides=(1, 2), padding="same"),
            L.Conv2D(4, 3, strides=2, padding="same", groups=2, activation="softmax", activity_regularizer="l2"),
            L.MaxPooling2D(3, strides=1, padding="same"),
            L.GlobalAveragePooling2D(),
        ],
    )


def channels_first(keras):
    """The channels on axis 1; a softmax looks at the last axis all the same."""
    L = keras.layers
    first = {"data_format": "channels_first"}
    return _images(
        keras,
        [
            L.Conv2D(4, 3, padding="same", strides=(1, 2), **first),
            L.MaxPooling2D((2, 1), **first),
            L.Conv2D(3, (2, 1), activation="softmax", **first),
            L.GlobalMaxPooling2D(keepdims=True, **first),
            L.Flatten(**first),
        ],
    )


def denoising_autoencoder(keras):
    """What learners put on noisy digits: convolutions and pooling down, transposed convolutions and repetition up."""
    L, x = keras.layers, np.random.RandomState(2).uniform(size=(31, 8, 12, 1)).astype("f")
    layers = [
        L.Conv2D(4, 3, activation="relu", padding="same"),
        L.MaxPooling2D(2, padding="same"),
        L.Conv2D(3, 3, strides=2, activation="relu", padding="same"),
        L.Conv2DTranspose(4, 3, strides=2, activation="relu", padding="same"),
        L.UpSampling2D(2),
        L.Conv2DTranspose(3, (2, 3), kernel_regularizer="l2"),
        L.Conv2D(1, (2, 3), activation="sigmoid"),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "binary_crossentropy", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, np.where(x > 0.5, 1, 0).astype("f")), options, {"batch_size": 8}


def separable_images(keras):
    """Channels that are convolved on their own, with penalties and constraints on every weight."""
    L = keras.layers
    told = {"depthwise_regularizer": "l2", "bias_regularizer": "l1", "depthwise_constraint": "unit_norm"}
    pointwise = {"pointwise_regularizer": keras.regularizers.L1(0.01), "pointwise_constraint": "max_norm"}
    return _images(
        keras,
        [
            L.DepthwiseConv2D((2, 3), padding="same", depth_multiplier=2, activation="relu", **told),
            L.SpatialDropout2D(0.0),
            L.SeparableConv2D(5, 3, strides=2, depth_multiplier=2, activation="tanh", **told, **pointwise),
            L.DepthwiseConv2D(2, dilation_rate=2, use_bias=False),
            L.GlobalAveragePooling2D(),
        ],
    )


def separable_series(keras):
    """The same over sequences, and back to their length."""
    L, x = keras.layers, series(23, 17, 3, "pre")
    layers = [
        L.SeparableConv1D(6, 3, padding="same", activation="relu"),
        L.DepthwiseConv1D(3, strides=2, depth_multiplier=2),
        L.Conv1DTranspose(4, 4, strides=2, activation="tanh"),
        L.Conv1DTranspose(3, 3, padding="same", strides=2, output_padding=1),
        L.GlobalMaxPooling1D(),
        L.Dense(1),
    ]
    options = {"optimizer": ("RMSprop", 0.01), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def reshaped_images(keras):
    """Layers that only move values."""
    L = keras.layers
    return _images(
        keras,
        [
            L.ZeroPadding2D(((1, 0), (0, 2))),
            L.Conv2D(4, 3, strides=2, activation="relu"),
            L.UpSampling2D((2, 3), interpolation="bilinear"),
            L.Cropping2D((1, (3, 2))),
            L.UpSampling2D(2),
            L.Permute((3, 1, 2)),
            L.Reshape((4, -1)),
            L.ZeroPadding1D((0, 1)),
            L.UpSampling1D(2),
            L.Cropping1D((1, 2)),
            L.Flatten(),
        ],
    )


CASES = {
    convolved_text: BOTH,
    mean_of_unmasked_steps: BOTH,
    convolved_series: BOTH,
    image_classifier: BOTH,
    images_of_all_kinds: ("keras",),
    channels_first: BOTH,
    denoising_autoencoder: BOTH,
    separable_images: BOTH,
    separable_series: BOTH,
    reshaped_images: BOTH,
}
