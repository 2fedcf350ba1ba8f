"""Matrices, in the last two axes: inverses, factors, determinants and systems of equations, by numpy's LAPACK."""

import numpy as np

from fastkeras.core.tensor import made, matmul, operation, swapaxes, value
from fastkeras.ops.indexing import tril, triu
from fastkeras.ops.reductions import norm
from fastkeras.ops.refusals import no_gradient, once

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eigh", "inv", "logdet", "lstsq", "matrix_rank", "norm", "pinv", "qr",
    "slogdet", "solve", "solve_triangular", "svd",
]  # fmt: skip


def _t(x):
    return x.swapaxes(-1, -2)


@operation
def inv(x):
    """The inverse: Y = X^-1, dX = -Y^T dY Y^T"""
    return made(np.linalg.inv(value(x)), (x, lambda d, y: -(_t(y) @ d @ _t(y))))


@operation
def det(x):
    """The determinant y of a matrix that has an inverse where its gradient is asked for: dX = dy y (X^-1)^T"""
    return made(np.linalg.det(value(x)), (x, lambda d, y: (d * y)[..., None, None] * _t(inv(x))))


@operation
def slogdet(x):
    """(the sign of the determinant, the logarithm y of its size), with dX = dy (X^-1)^T"""
    sign, y = np.linalg.slogdet(value(x))
    return made(sign, (x, None)), made(y, (x, lambda d, y: d[..., None, None] * _t(inv(x))))


@operation
def logdet(x):
    """The logarithm of the determinant of positive definite matrices."""
    return slogdet(x)[1]


@operation
def cholesky(x, upper=False):
    """The lower triangular L with L L^T = X, or the upper U = L^T, of symmetric positive definite matrices.

    dX = (S + S^T) / 2 with S = L^-T P L^-1, P the lower triangle of L^T dL with half its diagonal (Murray,
    arXiv 1602.07527).
    """
    if upper:
        return swapaxes(cholesky(x), -1, -2)

    def gradient(d, L):
        P = tril(_t(L) @ d) * (1 - np.eye(L.shape[-1], dtype=L.dtype) / 2)
        inverse = inv(L)
        S = _t(inverse) @ P @ inverse
        return (S + _t(S)) / 2

    return made(np.linalg.cholesky(value(x)), (x, gradient))


@operation
def cholesky_inverse(x, upper=False):
    """The inverse of L L^T for a lower triangular x = L, or of U^T U for an upper x = U."""
    return inv(matmul(swapaxes(x, -1, -2), x) if upper else matmul(x, swapaxes(x, -1, -2)))


@operation
def eigh(x):
    """(the eigenvalues w in increasing order, the eigenvectors V in columns) of symmetric matrices: X = V diag(w) V^T

    dX = V (diag(dw) + F * (V^T dV)) V^T with F_ij = 1 / (w_j - w_i), 0 on the diagonal; the w must differ where
    gradients of V are asked for.
    """
    w, V = np.linalg.eigh(value(x))

    def of_values(d):
        return (V * d[..., None, :]) @ _t(V)

    def of_vectors(d):
        distances = w[..., None, :] - w[..., :, None]
        F = np.divide(1, distances, out=np.zeros_like(distances), where=~np.eye(w.shape[-1], dtype=bool))
        return V @ (F * (_t(V) @ d)) @ _t(V)

    return made(w, (x, once("eigh", of_values))), made(V, (x, once("eigh", of_vectors)))


@operation
def qr(x, mode="reduced"):
    """(Q with orthonormal columns, the upper triangular R) with Q R = X; mode "complete": Q is square. No gradients."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"ops.qr: `mode` must be 'reduced' or 'complete'. Received: mode={mode!r}")
    q, r = np.linalg.qr(value(x), mode)
    return made(q, (x, no_gradient("qr"))), made(r, (x, no_gradient("qr")))


@operation
def svd(x, full_matrices=True, compute_uv=True):
    """(U, the singular values s in decreasing order, V^T) with X = U diag(s) V^T, or s alone: dX = U diag(ds) V^T

    U and V^T are square, or without full_matrices cut to the columns and rows that s takes; they have no gradients.
    """
    u, s, vt = np.linalg.svd(value(x), full_matrices=full_matrices)
    n = s.shape[-1]
    s = made(s, (x, once("svd", lambda d: (u[..., :n] * d[..., None, :]) @ vt[..., :n, :])))
    return (made(u, (x, no_gradient("svd"))), s, made(vt, (x, no_gradient("svd")))) if compute_uv else s


@operation
def solve(a, b):
    """The x with a x = b, for b (..., n, m) or (..., n): db = (a^-1)^T dx, da = -db x^T"""
    A, B = np.asarray(value(a)), np.asarray(value(b))
    is_vector = B.ndim == A.ndim - 1
    x = np.linalg.solve(A, B[..., None])[..., 0] if is_vector else np.linalg.solve(A, B)

    def of_b(d, x):
        return solve(swapaxes(a, -1, -2), d)

    def of_a(d, x):
        db = of_b(d, x)
        return -(db[..., None] * x[..., None, :]) if is_vector else -(db @ x.swapaxes(-1, -2))

    return made(x, (a, of_a), (b, of_b))


@operation
def solve_triangular(a, b, lower=False):
    """`solve` with the upper triangle of a, or the lower one."""
    return solve(tril(a) if lower else triu(a), b)


@operation
def pinv(x, rcond=None):
    """Moore and Penrose's inverse Y of X: X Y and Y X are symmetric, X Y X = X, Y X Y = Y.

    Singular values below rcond times the largest, by default 10 max(rows, columns) of the type's precision, count as 0;
    those that do may not change for the gradient to hold (Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973):
    dX = -Y^T dY Y^T + (I - X Y) dY^T Y Y^T + Y^T Y dY^T (I - Y X)
    """
    array = np.asarray(value(x))
    if rcond is None:
        rcond = 10 * max(array.shape[-2:]) * np.finfo(array.dtype if array.dtype.kind == "f" else np.float32).eps

    def gradient(d, y):
        yt, dt = _t(y), _t(d)
        left, right = (
            np.eye(n, dtype=array.dtype) - part for n, part in ((array.shape[-2], x @ y), (array.shape[-1], y @ x))
        )
        return left @ dt @ y @ yt + yt @ y @ dt @ right - yt @ d @ yt

    return made(np.linalg.pinv(array, rcond), (x, gradient))


@operation
def lstsq(a, b, rcond=None):
    """The shortest x for which |a x - b| is least, for b (n,) or (n, m). rcond: as in `pinv`."""
    return matmul(pinv(a, rcond), b)


@operation
def matrix_rank(x, tol=None):
    """How many singular values are above tol, int32; it has no slope. tol: as numpy has it by default."""
    return made(np.asarray(np.linalg.matrix_rank(value(x), tol), np.int32))
