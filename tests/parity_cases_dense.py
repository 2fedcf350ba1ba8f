"""Whole models of dense layers: regression, classes, penalties, weights (tests/parity_cases.py says what a case is)."""

import numpy as np
from model_data import BOTH, built, features, tokens


def linear_regression(keras):
    x = features(29, 3)
    y = x @ [1.0, -2.0, 0.5] + 0.3
    model = keras.Sequential([keras.layers.Dense(1)])
    return built(model, x), (x, y), {"optimizer": ("SGD", 0.01), "loss": "mse", "metrics": ["mae"]}, {"batch_size": 1}


def mlp(keras):
    x = features(53, 4)
    y = (x.sum(axis=1) > 0).astype("int32")
    model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
    options = {"optimizer": ("RMSprop", 0.01), "loss": "binary_crossentropy", "metrics": ["acc"]}
    return built(model, x), (x, y), options, {"batch_size": 8, "validation_split": 0.2}


def _classifier(keras):
    x = features(47, 5)
    model = keras.Sequential([keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(3, activation="softmax")])
    return built(model, x), x, np.abs(x[:, :3]).argmax(axis=1)


def softmax_categorical(keras):
    model, x, labels = _classifier(keras)
    options = {"optimizer": ("Adam", 0.02), "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    return model, (x, np.eye(3, dtype="f")[labels]), options, {"batch_size": 16}


def softmax_sparse(keras):
    model, x, labels = _classifier(keras)
    options = {"optimizer": ("Adam", 0.02), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return model, (x, labels), options, {"batch_size": 16, "class_weight": {0: 2.0, 1: 0.5, 2: 1.5}}


def softmax_under_the_other_crossentropy(keras):
    """A common slip; the loss is computed from what is under the softmax, whichever crossentropy it is."""
    model, x, labels = _classifier(keras)
    options = {"optimizer": ("SGD", 0.1), "loss": "binary_crossentropy", "metrics": ["categorical_accuracy"]}
    return model, (x, np.eye(3, dtype="f")[labels]), options, {"batch_size": 16}


def weighted_with_regularizers(keras):
    x = features(31, 4)
    L = keras.layers
    model = keras.Sequential(
        [
            L.Dense(6, activation="elu", kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.02)),
            L.Dense(2, kernel_constraint="non_neg", activation="sigmoid"),
        ]
    )
    y = np.stack([x[:, 0] > 0, x[:, 1] * x[:, 2] > 0], axis=1).astype("f")
    weights = np.random.RandomState(5).uniform(0.1, 3, 31)
    options = {"optimizer": ("SGD", 0.1), "loss": "binary_crossentropy", "weighted_metrics": ["binary_accuracy"]}
    return built(model, x), (x, y), options, {"batch_size": 10, "sample_weight": weights}


def flattened_embedding(keras):
    L, x = keras.layers, tokens(37, 5, 11)
    layers = [L.Embedding(11, 3), L.Flatten(), L.Dense(4, activation="relu"), L.Dense(2), L.Activation("softmax")]
    layers = [keras.Input((5,), dtype="int32"), *layers]
    y = (x[:, -1] > 5).astype("int32")
    options = {"optimizer": ("SGD", 0.1), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 9}


CASES = {
    linear_regression: BOTH,
    mlp: BOTH,
    softmax_categorical: BOTH,
    softmax_sparse: BOTH,
    softmax_under_the_other_crossentropy: BOTH,
    weighted_with_regularizers: BOTH,
    flattened_embedding: BOTH,
}
