"""Attention: for each query a mean of values, weighted by the softmax of scores.

q (B, T, H, K)   k (B, S, H, K)   v (B, S, H, V)   scores, P, and factors m of dropout: (B, H, T, S)
mask (B, H, T, S) bool: whether a query may attend to a key, by default to all of them
"""

import numpy as np


def dot_scores(q, k, scale):
    """x_ts = scale q_t . k_s"""
    return scale * np.einsum("bthk,bshk->bhts", q, k)


def dot_scores_backward(dx, q, k, scale):
    """(dq, dk)"""
    return scale * np.einsum("bhts,bshk->bthk", dx, k), scale * np.einsum("bhts,bthk->bshk", dx, q)


def additive_scores(q, k, w):
    """x_ts = sum_d w_d tanh(q_td + k_sd)    q (B, T, D)   k (B, S, D)   w (D)   x (B, T, S)"""
    return np.tanh(q[:, :, None] + k[:, None]) @ w


def additive_scores_backward(dx, q, k, w):
    """(dq, dk, dw)"""
    h = np.tanh(q[:, :, None] + k[:, None])
    g = dx[..., None] * w * (1 - h**2)
    return g.sum(2), g.sum(1), (dx[..., None] * h).sum((0, 1, 2))


def attention_weights(x, mask=None, uniform=False):
    """P_t = softmax(x_t) over the keys that t may attend to; where there is none, 1/S if `uniform`, else 0"""
    mask = np.ones(x.shape, bool) if mask is None else mask
    some = mask.any(-1, keepdims=True)
    largest = np.where(some, np.where(mask, x, -np.inf).max(-1, keepdims=True), 0.0)
    e = np.where(mask, np.exp(np.where(mask, x - largest, 0.0)), 0.0)
    return np.where(some, e / np.where(some, e.sum(-1, keepdims=True), 1.0), float(uniform) / x.shape[-1])


def attention(x, v, mask=None, m=1.0, uniform=False):
    """y_t = sum_s m_ts P_ts v_s    y (B, T, H, V)"""
    return np.einsum("bhts,bshv->bthv", m * attention_weights(x, mask, uniform), v)


def attention_backward(dy, dP, x, v, mask=None, m=1.0, uniform=False):
    """(dx, dv), from the gradients of y and of P"""
    P = attention_weights(x, mask, uniform)
    dP = dP + m * np.einsum("bthv,bshv->bhts", dy, v)
    dx = P * (dP - (P * dP).sum(-1, keepdims=True))
    if mask is not None:
        dx = np.where(mask.any(-1, keepdims=True), dx, 0.0)
    return dx, np.einsum("bhts,bthv->bshv", m * P, dy)


def causal(T, S):
    """t may attend to s <= t    (T, S) bool"""
    return np.arange(T)[:, None] >= np.arange(S)
