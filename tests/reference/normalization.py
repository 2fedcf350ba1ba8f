"""Batch and layer normalization."""

import numpy as np


def batch_moments(x, mask=None):
    """(mean, variance) of the columns of x (N, C), over the rows that the mask (N) keeps"""
    w = np.ones(len(x)) if mask is None else mask.astype(np.float64)
    M = w.sum() + (0 if mask is None else 1e-7)
    mean = w @ x / M
    return mean, w @ (x - mean) ** 2 / M


def normalized(x, mean, variance, gamma, beta, epsilon):
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def batch_norm(x, gamma, beta, mask=None, epsilon=1e-3):
    return normalized(x, *batch_moments(x, mask), gamma, beta, epsilon)


def batch_norm_backward(dy, x, gamma, mask=None, epsilon=1e-3):
    """(dx, dgamma, dbeta): mean and variance depend on every row that the mask keeps, and all rows on them"""
    w = np.ones(len(x)) if mask is None else mask.astype(np.float64)
    M = w.sum() + (0 if mask is None else 1e-7)
    mean, variance = batch_moments(x, mask)
    rstd = 1 / np.sqrt(variance + epsilon)
    dxhat = gamma * dy
    dvariance = (dxhat * (x - mean)).sum(0) * -0.5 * rstd**3
    dmean = -(dxhat * rstd).sum(0) - 2 * dvariance * (w @ (x - mean)) / M
    dx = dxhat * rstd + np.outer(w, dmean / M) + w[:, None] * (x - mean) * 2 * dvariance / M
    return dx, (dy * (x - mean) * rstd).sum(0), dy.sum(0)


def layer_norm(x, gamma, beta, epsilon=1e-3):
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return normalized(x, mean, variance, gamma, beta, epsilon)


def layer_norm_backward(dy, x, gamma, epsilon=1e-3):
    """(dx, dgamma, dbeta)"""
    mean, rstd = x.mean(1, keepdims=True), 1 / np.sqrt(x.var(1, keepdims=True) + epsilon)
    xhat, g = (x - mean) * rstd, gamma * dy
    dx = rstd * (g - g.mean(1, keepdims=True) - xhat * (g * xhat).mean(1, keepdims=True))
    return dx, (dy * xhat).sum(0), dy.sum(0)


def unit_norm(x, largest=np.inf):
    """Rows of length one, or scaled by `largest` if that is not enough"""
    return x * np.minimum(1 / np.sqrt((x**2).sum(1, keepdims=True)), largest)


def unit_norm_backward(dy, x, largest=np.inf):
    r = 1 / np.sqrt((x**2).sum(1, keepdims=True))
    return np.where(r < largest, r * dy - r**3 * x * (x * dy).sum(1, keepdims=True), largest * dy)
