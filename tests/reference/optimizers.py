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


def float32_power(beta, t):
    """beta^t with the roundings of float32: of beta, and of the result"""
    return np.float32(np.float64(np.float32(beta)) ** t)


def adam(p, m, v, v_max, d, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    """(p, m, v, v_max); alpha has the roundings of float32, which at small t are 1e-5 of it"""
    power_1, power_2 = float32_power(beta_1, t), float32_power(beta_2, t)
    alpha = np.float32(rate) * np.sqrt(1 - power_2) / (1 - power_1)
    m = m + (1 - beta_1) * (d - m)
    v = v + (1 - beta_2) * (d**2 - v)
    v_max = np.maximum(v_max, v)
    return p - alpha * m / (np.sqrt(v_max if amsgrad else v) + epsilon), m, v, v_max


def adagrad(p, v, d, rate, epsilon=1e-7):
    """(p, v)"""
    v = v + d**2
    return p - rate * d / np.sqrt(v + epsilon), v


def nadam(p, m, v, d, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """(p, m, v); 1 - beta_2 and 1 - beta_2^t have the roundings of float32, which at small t are 1e-5 of them"""
    u = [beta_1 * (1 - 0.96**k / 2) for k in range(1, t + 2)]
    m = m + (1 - beta_1) * (d - m)
    v = v + (1 - float32_power(beta_2, 1)) * (d**2 - v)
    mean = u[t] * m / (1 - np.prod(u)) + (1 - u[t - 1]) * d / (1 - np.prod(u[:t]))
    return p - rate * mean / (np.sqrt(v / (1 - float32_power(beta_2, t))) + epsilon), m, v


def adamax(p, m, u, d, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """(p, m, u)"""
    m = m + (1 - beta_1) * (d - m)
    u = np.maximum(beta_2 * u, np.abs(d))
    return p - rate / (1 - float32_power(beta_1, t)) * m / (u + epsilon), m, u


def adadelta(p, v, x, d, rate, rho=0.95, epsilon=1e-7):
    """(p, v, x)"""
    v = rho * v + (1 - rho) * d**2
    u = np.sqrt(x + epsilon) / np.sqrt(v + epsilon) * d
    return p - rate * u, v, rho * x + (1 - rho) * u**2


def lion(p, m, d, rate, beta_1=0.9, beta_2=0.99):
    """(p, m)"""
    return p - rate * np.sign(beta_1 * m + (1 - beta_1) * d), beta_2 * m + (1 - beta_2) * d


def ftrl(
    p,
    v,
    z,
    d,
    rate,
    learning_rate_power=-0.5,
    l1_regularization_strength=0.0,
    l2_regularization_strength=0.0,
    l2_shrinkage_regularization_strength=0.0,
    beta=0.0,
):
    """(p, v, z)"""
    k, l1, l2 = -learning_rate_power, l1_regularization_strength, l2_regularization_strength
    z = z + d + 2 * l2_shrinkage_regularization_strength * p - ((v + d**2) ** k - v**k) / rate * p
    v = v + d**2
    return (np.clip(z, -l1, l1) - z) / ((v**k + beta) / rate + 2 * l2), v, z


def clip_by_norm(g, limit):
    norm = np.linalg.norm(g)
    return g if norm <= limit else g * limit / norm
