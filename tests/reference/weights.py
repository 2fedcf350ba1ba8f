"""Penalties on weights, and what constraints make of weights."""

import numpy as np


def l1_l2_penalty(w, l1=0.0, l2=0.0):
    return l1 * np.abs(w).sum() + l2 * (w**2).sum()


def orthogonal_penalty(w, factor, mode="rows"):
    """factor times the mean of |cos(angle)| over all pairs of rows or columns"""
    rows = w if mode == "rows" else w.T
    u = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [abs(u[i] @ u[j]) for i in range(len(u)) for j in range(i)]
    return factor * np.mean(pairs)


def min_max_norm(w, low, high, rate=1.0, axis=0):
    norm = np.sqrt((w**2).sum(axis=axis, keepdims=True))
    return w * (rate * np.clip(norm, low, high) + (1 - rate) * norm) / (norm + 1e-7)
