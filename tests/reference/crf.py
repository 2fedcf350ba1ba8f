"""The linear-chain conditional random field, by going through every sequence of tags.

x (n, C) scores of a sample's tags at the steps that count   A (C, C) of pairs   start, end (C) of ends   y n tags
"""

import itertools

import numpy as np


def crf_score(y, x, A, start, end):
    """start[y_1] + sum_t x_t[y_t] + sum_t>1 A[y_t-1, y_t] + end[y_n]"""
    pairs = sum(A[i, j] for i, j in itertools.pairwise(y))
    return start[y[0]] + sum(x_t[tag] for x_t, tag in zip(x, y, strict=True)) + pairs + end[y[-1]]


def crf_loss(y, x, A, start, end):
    """-log p(y | x) = log of the sum over all sequences of exp(score), less the score of y"""
    if not len(x):
        return 0.0
    scores = np.array([crf_score(tags, x, A, start, end) for tags in every(x)])
    return scores.max() + np.log(np.exp(scores - scores.max()).sum()) - crf_score(y, x, A, start, end)


def crf_best(x, A, start, end):
    """The tags of the largest score; of equal ones those whose last tag that differs is smaller"""
    return max(every(x), key=lambda tags: (crf_score(tags, x, A, start, end), [-tag for tag in tags[::-1]]), default=())


def crf_loss_backward(y, x, A, start, end):
    """(dx, dA, dstart, dend): expected counts, by the probability of each sequence, less those of y"""
    gradients = [np.zeros(np.shape(a)) for a in (x, A, start, end)]
    if len(x):
        for tags in every(x):
            count(gradients, tags, np.exp(-crf_loss(tags, x, A, start, end)))
        count(gradients, y, -1.0)
    return gradients


def count(gradients, y, weight):
    dx, dA, dstart, dend = gradients
    for t, tag in enumerate(y):
        dx[t, tag] += weight
    for i, j in itertools.pairwise(y):
        dA[i, j] += weight
    dstart[y[0]] += weight
    dend[y[-1]] += weight


def every(x):
    return itertools.product(range(np.shape(x)[1]), repeat=len(x)) if len(x) else ()
