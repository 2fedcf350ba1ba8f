"""Losses and metrics: one value per row of predictions. A loss's gradient is that of sum_n dvalues_n values_n."""

import numpy as np

from reference.activations import log_softmax, sigmoid, softmax

# Probabilities are clipped to [LOW, HIGH], as float32 numbers, and have no gradient outside.

LOW, HIGH = float(np.float32(1e-7)), float(np.float32(1 - 1e-7))


def clip(p):
    return np.clip(p, LOW, HIGH)


def clip_backward(dp, p):
    return dp * ((p >= LOW) & (p <= HIGH))


def smooth_binary(t, smoothing):
    return (1 - smoothing) * t + smoothing / 2


def smooth_categorical(t, smoothing):
    return (1 - smoothing) * t + smoothing / t.shape[-1]


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def mean_squared_error(y, t):
    return ((y - t) ** 2).mean(axis=-1)


def mean_squared_error_backward(dvalues, y, t):
    return dvalues[:, None] * 2 * (y - t) / y.shape[-1]


def mean_absolute_error(y, t):
    return np.abs(y - t).mean(axis=-1)


def mean_absolute_error_backward(dvalues, y, t):
    return dvalues[:, None] * np.sign(y - t) / y.shape[-1]


def binary_crossentropy(p, t):
    p = clip(p)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(axis=-1)


def binary_crossentropy_backward(dvalues, p, t):
    c = clip(p)
    return clip_backward(dvalues[:, None] * ((1 - t) / (1 - c) - t / c) / p.shape[-1], p)


def binary_crossentropy_from_logits(z, t):
    return (np.logaddexp(0, z) - t * z).mean(axis=-1)  # -t log p - (1 - t) log(1 - p) with p = sigmoid(z)


def binary_crossentropy_from_logits_backward(dvalues, z, t):
    return dvalues[:, None] * (sigmoid(z) - t) / z.shape[-1]


def categorical_crossentropy(p, t):
    return -(t * np.log(clip(p / p.sum(axis=-1, keepdims=True)))).sum(axis=-1)


def categorical_crossentropy_backward(dvalues, p, t):
    total = p.sum(axis=-1, keepdims=True)
    q = p / total
    dq = clip_backward(-dvalues[:, None] * t / clip(q), q)
    return (dq - (dq * q).sum(axis=-1, keepdims=True)) / total


def categorical_crossentropy_from_logits(z, t):
    return -(t * log_softmax(z)).sum(axis=-1)


def categorical_crossentropy_from_logits_backward(dvalues, z, t):
    return dvalues[:, None] * (softmax(z) - t)  # for t that sums to 1; TensorFlow uses it for all others too


def sparse_categorical_crossentropy(p, labels):
    p = clip(p)
    return -np.log(p[np.arange(len(p)), labels] / p.sum(axis=-1))


def sparse_categorical_crossentropy_backward(dvalues, p, labels):
    c = clip(p)
    dc = 1 / c.sum(axis=-1, keepdims=True) - one_hot(labels, p.shape[-1]) / c
    return clip_backward(dvalues[:, None] * dc, p)


def sparse_categorical_crossentropy_from_logits(z, labels):
    return categorical_crossentropy_from_logits(z, one_hot(labels, z.shape[-1]))


def sparse_categorical_crossentropy_from_logits_backward(dvalues, z, labels):
    return categorical_crossentropy_from_logits_backward(dvalues, z, one_hot(labels, z.shape[-1]))


def mean_absolute_percentage_error(y, t):
    return 100 * (np.abs(y - t) / np.maximum(np.abs(t), LOW)).mean(axis=-1)


def mean_absolute_percentage_error_backward(dvalues, y, t):
    return dvalues[:, None] * 100 * np.sign(y - t) / np.maximum(np.abs(t), LOW) / y.shape[-1]


def mean_squared_logarithmic_error(y, t):
    return ((np.log1p(np.maximum(y, LOW)) - np.log1p(np.maximum(t, LOW))) ** 2).mean(axis=-1)


def mean_squared_logarithmic_error_backward(dvalues, y, t):
    error = np.log1p(np.maximum(y, LOW)) - np.log1p(np.maximum(t, LOW))
    return dvalues[:, None] * 2 * error / (1 + np.maximum(y, LOW)) * (y >= LOW) / y.shape[-1]


def huber(y, t, delta=1.0):
    x = np.abs(y - t)
    return np.where(x <= delta, x**2 / 2, delta * x - delta**2 / 2).mean(axis=-1)


def huber_backward(dvalues, y, t, delta=1.0):
    return dvalues[:, None] * np.clip(y - t, -delta, delta) / y.shape[-1]


def log_cosh(y, t):
    return np.log(np.cosh(y - t)).mean(axis=-1)


def log_cosh_backward(dvalues, y, t):
    return dvalues[:, None] * np.tanh(y - t) / y.shape[-1]


def poisson(y, t):
    return (y - t * np.log(y + LOW)).mean(axis=-1)


def poisson_backward(dvalues, y, t):
    return dvalues[:, None] * (1 - t / (y + LOW)) / y.shape[-1]


def kl_divergence(y, t):
    y, t = np.clip(y, LOW, 1), np.clip(t, LOW, 1)
    return (t * np.log(t / y)).sum(axis=-1)


def kl_divergence_backward(dvalues, y, t):
    return -dvalues[:, None] * np.clip(t, LOW, 1) / np.clip(y, LOW, 1) * ((y >= LOW) & (y <= 1))


def as_signs(t):
    """-1 and 1 for targets that are all 0 or 1."""
    return 2 * t - 1 if np.isin(t, (0, 1)).all() else t


def hinge(y, t):
    return np.maximum(1 - as_signs(t) * y, 0).mean(axis=-1)


def hinge_backward(dvalues, y, t):
    t = as_signs(t)
    return -dvalues[:, None] * t * (1 - t * y >= 0) / y.shape[-1]


def squared_hinge(y, t):
    return (np.maximum(1 - as_signs(t) * y, 0) ** 2).mean(axis=-1)


def squared_hinge_backward(dvalues, y, t):
    t = as_signs(t)
    return -dvalues[:, None] * 2 * t * np.maximum(1 - t * y, 0) / y.shape[-1]


def categorical_hinge(y, t):
    return np.maximum(((1 - t) * y).max(axis=-1) - (t * y).sum(axis=-1) + 1, 0)


def categorical_hinge_backward(dvalues, y, t):
    others = (1 - t) * y
    largest = others == others.max(axis=-1, keepdims=True)
    slope = (1 - t) * largest / largest.sum(axis=-1, keepdims=True) - t
    return dvalues[:, None] * slope * (others.max(axis=-1) - (t * y).sum(axis=-1) + 1 >= 0)[:, None]


def length(x):
    return np.maximum(np.sqrt((x**2).sum(axis=-1, keepdims=True)), LOW)


def cosine_similarity(y, t):
    return -(y / length(y) * t / length(t)).sum(axis=-1)


def cosine_similarity_backward(dvalues, y, t):
    v, u = y / length(y), t / length(t)
    along = np.where(length(y) > LOW, (u * v).sum(axis=-1, keepdims=True), 0)
    return -dvalues[:, None] * (u - along * v) / length(y)


def balance(t, alpha):
    return 1 if alpha is None else t * alpha + (1 - t) * (1 - alpha)


def binary_focal_crossentropy(p, t, gamma=2.0, alpha=None):
    crossentropy = -(t * np.log(clip(p)) + (1 - t) * np.log(1 - clip(p)))
    return (balance(t, alpha) * (t * (1 - p) + (1 - t) * p) ** gamma * crossentropy).mean(axis=-1)


def binary_focal_crossentropy_backward(dvalues, p, t, gamma=2.0, alpha=None):
    c, w = clip(p), t * (1 - p) + (1 - t) * p
    crossentropy = -(t * np.log(c) + (1 - t) * np.log(1 - c))
    slope = w**gamma * clip_backward((1 - t) / (1 - c) - t / c, p)
    slope -= gamma * w ** (gamma - 1) * (2 * t - 1) * crossentropy
    return dvalues[:, None] * balance(t, alpha) * slope / p.shape[-1]


def binary_focal_crossentropy_from_logits(z, t, gamma=2.0, alpha=None):
    w = t * sigmoid(-z) + (1 - t) * sigmoid(z)
    return (balance(t, alpha) * w**gamma * (np.logaddexp(0, z) - t * z)).mean(axis=-1)


def binary_focal_crossentropy_from_logits_backward(dvalues, z, t, gamma=2.0, alpha=None):
    p, w = sigmoid(z), t * sigmoid(-z) + (1 - t) * sigmoid(z)
    crossentropy = np.logaddexp(0, z) - t * z
    slope = w**gamma * (p - t) - gamma * w ** (gamma - 1) * (2 * t - 1) * crossentropy * p * sigmoid(-z)
    return dvalues[:, None] * balance(t, alpha) * slope / z.shape[-1]


def categorical_focal_crossentropy(p, t, gamma=2.0, alpha=0.25):
    q = clip(p / p.sum(axis=-1, keepdims=True))
    return -(t * alpha * (1 - q) ** gamma * np.log(q)).sum(axis=-1)


def categorical_focal_crossentropy_backward(dvalues, p, t, gamma=2.0, alpha=0.25):
    total = p.sum(axis=-1, keepdims=True)
    q = p / total
    c = clip(q)
    dq = t * alpha * (gamma * (1 - c) ** (gamma - 1) * np.log(c) - (1 - c) ** gamma / c)
    dq = clip_backward(dvalues[:, None] * dq, q)
    return (dq - (dq * q).sum(axis=-1, keepdims=True)) / total


def categorical_focal_crossentropy_from_logits(z, t, gamma=2.0, alpha=0.25):
    return categorical_focal_crossentropy(softmax(z), t, gamma, alpha)


def categorical_focal_crossentropy_from_logits_backward(dvalues, z, t, gamma=2.0, alpha=0.25):
    p = softmax(z)
    dp = categorical_focal_crossentropy_backward(dvalues, p, t, gamma, alpha)
    return p * (dp - (dp * p).sum(axis=-1, keepdims=True))


def generalized_crossentropy(p, labels, q=0.5):
    return (1 - p[np.arange(len(p)), labels] ** q) / q


def generalized_crossentropy_backward(dvalues, p, labels, q=0.5):
    return -dvalues[:, None] * one_hot(labels, p.shape[-1]) * p ** (q - 1)


def dice(y, t, axis=None):
    return 1 - 2 * (t * y).sum(axis) / (t.sum(axis) + y.sum(axis) + LOW)


def dice_backward(dvalues, y, t, axis=None):
    total, common = t.sum(axis, keepdims=True) + y.sum(axis, keepdims=True) + LOW, (t * y).sum(axis, keepdims=True)
    return np.reshape(dvalues, total.shape) * 2 * (common / total - t) / total


def tversky(y, t, alpha=0.5, beta=0.5, axis=None):
    common = (t * y).sum(axis)
    return 1 - common / (common + alpha * (t * (1 - y)).sum(axis) + beta * (y * (1 - t)).sum(axis) + LOW)


def tversky_backward(dvalues, y, t, alpha=0.5, beta=0.5, axis=None):
    common, missed, wrong = ((a * b).sum(axis, keepdims=True) for a, b in [(t, y), (t, 1 - y), (1 - t, y)])
    total = common + alpha * missed + beta * wrong + LOW
    slope = t - alpha * t + beta * (1 - t)
    return np.reshape(dvalues, total.shape) * (common * slope / total - t) / total


def circle(y, labels, margin=0.4, gamma=80.0, remove_diagonal=True):
    d = np.maximum(1 - y @ y.T, 0)
    pairs, same = np.exp(gamma * (d + margin) * (d - margin)), labels[:, None] == labels
    others = np.exp(gamma * np.maximum(1 + margin - d, 0) * (1 - margin - d))
    kept = same & ~np.eye(len(y), dtype=bool) if remove_diagonal else same
    return np.log(1 + (pairs * kept).sum(axis=1) * (others * ~same).sum(axis=1))


def circle_backward(dvalues, y, labels, margin=0.4, gamma=80.0, remove_diagonal=True):
    d = np.maximum(1 - y @ y.T, 0)
    pairs, same = np.exp(gamma * (d + margin) * (d - margin)), labels[:, None] == labels
    reach = np.maximum(1 + margin - d, 0)
    others = np.exp(gamma * reach * (1 - margin - d)) * ~same
    pairs = pairs * (same & ~np.eye(len(y), dtype=bool) if remove_diagonal else same)
    a, b = pairs.sum(axis=1), others.sum(axis=1)
    d_pairs, d_others = pairs * gamma * 2 * d, -others * gamma * (reach + (1 - margin - d) * (reach > 0))
    slope = (dvalues / (1 + a * b))[:, None] * (d_pairs * b[:, None] + d_others * a[:, None]) * (y @ y.T < 1)
    return -(slope + slope.T) @ y


# --- metrics -----------------------------------------------------------------------------------------------------


def equal_accuracy(y, t):
    return (y == t).mean(axis=-1)


def binary_accuracy(y, t, threshold=0.5):
    return ((y > threshold) == t).mean(axis=-1)


def categorical_accuracy(y, t):
    return (y.argmax(axis=-1) == t.argmax(axis=-1)).astype(float)


def sparse_accuracy(y, labels):
    return (y.argmax(axis=-1) == labels).astype(float)


def sparse_top_k_accuracy(y, labels, k):
    return ((y > y[np.arange(len(y)), labels][:, None]).sum(axis=-1) < k).astype(float)


def top_k_categorical_accuracy(y, t, k):
    return sparse_top_k_accuracy(y, t.argmax(axis=-1), k)


def counts_above(y, t, w, thresholds):
    """(the weight of what is above each threshold and positive, of what is above and not), per column."""
    above = w[:, None] * (y > np.reshape(thresholds, (-1, 1, 1)))
    return (above * (t != 0)).sum(axis=1), (above * (t == 0)).sum(axis=1)
