"""Small models and data for the tests of training, with weights given by a formula."""

import numpy as np

import fastkeras as keras
from fastkeras.layers import Dense, Embedding, SimpleRNN


def wave(*shape):
    """float32 values between -0.5 and 0.5, no two alike."""
    return (0.5 * np.sin(1.0 + np.arange(np.prod(shape)))).reshape(shape).astype(np.float32)


def set_waves(model):
    model.set_weights([wave(*w.shape) for w in model.get_weights()])
    return model


def line(optimizer="sgd", **options):
    """y = a x + b, compiled with the squared error."""
    model = set_waves(keras.Sequential([Dense(1, input_dim=1)]))
    model.compile(optimizer, "mse", **options)
    return model


def classifier(features=4, metrics=("acc",)):
    """Two classes by a sigmoid."""
    model = set_waves(
        keras.Sequential([Dense(8, activation="relu", input_dim=features), Dense(1, activation="sigmoid")])
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=list(metrics))
    return model


def points(n=23, features=4):
    """(x, y) for the classifier: y is whether the features' sum is positive."""
    x = np.sin(np.arange(n * features, dtype=np.float64) ** 2).reshape(n, features)
    return x, (x.sum(axis=1) > 0).astype(np.int64)


def tagger(mask_zero=False, regularizer=None):
    """A class of three for each of five steps."""
    layers = [
        Embedding(7, 4, mask_zero=mask_zero, input_length=5),
        SimpleRNN(6, return_sequences=True),
        Dense(3, activation="softmax", kernel_regularizer=regularizer),
    ]
    model = set_waves(keras.Sequential(layers))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    return model


def sentences():
    """(ids, tags), both (11, 5), the ids padded with zeros behind."""
    x = np.arange(55).reshape(11, 5) * 7 % 11 % 6 + 1
    x[np.arange(5) > np.arange(11)[:, None] % 6] = 0
    return x, (np.arange(55) * 5 % 7 % 3).reshape(11, 5)


def state(model):
    """All that training changes, as one list of arrays."""
    return [*model.get_weights(), *model.optimizer.state()]


def assert_same(actual, expected):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b)
