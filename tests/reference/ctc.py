"""Connectionist temporal classification, by going through every path.

x (T, C) scores of a sample's steps   y its labels, without blanks   blank: the class that says nothing
"""

import itertools

import numpy as np


def ctc_says(path, blank=0):
    """What a path says: itself without repetitions, and then without blanks"""
    return tuple(c for c, _ in itertools.groupby(path) if c != blank)


def ctc_paths(y, x, blank=0):
    """Every path that says y, and its probability"""
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    for path in itertools.product(range(x.shape[1]), repeat=len(x)):
        if ctc_says(path, blank) == tuple(y):
            yield path, np.prod([p_t[c] for p_t, c in zip(p, path, strict=True)])


def ctc_loss(y, x, blank=0):
    """-log p(y | x), infinite if no path says y"""
    total = sum(p for _, p in ctc_paths(y, x, blank))
    return -np.log(total) if total else np.inf


def ctc_loss_backward(y, x, blank=0):
    """dx = -(1/p(y|x)) sum over the paths that say y of p(path) (times each class stands at t - p_t)"""
    dx, total = np.zeros(x.shape), 0.0
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    for path, probability in ctc_paths(y, x, blank):
        dx += probability * (p - np.eye(x.shape[1])[list(path)])
        total += probability
    return dx / total if total else dx
