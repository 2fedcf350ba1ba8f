"""Optimizers: one step from (p, what the optimizer keeps) with the gradient d to the new ones."""

import numpy as np


def seen_gradient(g, scale=1.0, clip=np.inf):
    return np.clip(scale * g, -clip, clip)


def decayed(p, rate, decay=0.0):
    return p - decay * rate * p


def sgd(p, m, d, rate, momentum=0.0, nesterov=False):
    """(p, m)"""
    m = momentum * m - rate * d
    return p + (momentum * m - rate * d if nesterov else m), m


def rmsprop(p, v, m, a, d, rate, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """(p, v, m, a)"""
    v = rho * v + (1 - rho) * d**2
    a = rho * a + (1 - rho) * d
    m = momentum * m + rate * d / np.sqrt(v - (a**2 if centered else 0) + epsilon)
    return p - m, v, m, a


def adam(p, m, v, v_max, d, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    """(p, m, v, v_max); alpha has the roundings of float32, which at small t are 1e-5 of it"""
    power_1, power_2 = (np.float32(np.float64(np.float32(beta)) ** t) for beta in (beta_1, beta_2))
    alpha = np.float32(rate) * np.sqrt(1 - power_2) / (1 - power_1)
    m = m + (1 - beta_1) * (d - m)
    v = v + (1 - beta_2) * (d**2 - v)
    v_max = np.maximum(v_max, v)
    return p - alpha * m / (np.sqrt(v_max if amsgrad else v) + epsilon), m, v, v_max


def clip_by_norm(g, limit):
    norm = np.linalg.norm(g)
    return g if norm <= limit else g * limit / norm
