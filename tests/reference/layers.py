"""Matrix products, Dense and Embedding."""

import numpy as np

from reference.activations import activation as named


def matmul(A, B, bias=0.0, trans_a=False, trans_b=False):
    return (A.T if trans_a else A) @ (B.T if trans_b else B) + bias


def matmul_backward(dC, A, B):
    """of the plain form: (dA, dB, dbias)"""
    return dC @ B.T, A.T @ dC, dC.sum(axis=0)


def dense(x, W, b, activation="linear"):
    """y = f(x W + b)    x (B, D)   W (D, U)   b (U)"""
    f, _ = named(activation)
    return f(x @ W + b)


def dense_backward(dy, x, W, b, activation="linear"):
    """(dx, dW, db)"""
    _, f_backward = named(activation)
    dz = f_backward(dy, x @ W + b)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def embedding(table, ids):
    """y[b, t] = table[ids[b, t]]"""
    return table[ids]


def embedding_backward(dy, table, ids):
    """dtable"""
    dtable = np.zeros(table.shape)
    np.add.at(dtable, ids, dy)
    return dtable
