"""Square matrices, in the last two axes: inverses, determinants and systems of equations, by numpy's LAPACK."""

import numpy as np

from fastkeras.core.tensor import made, operation, swapaxes, value

__all__ = ["det", "inv", "solve"]


@operation
def inv(x):
    """The inverse: Y = X^-1, dX = -Y^T dY Y^T"""
    return made(np.linalg.inv(value(x)), (x, lambda d, y: -(y.swapaxes(-1, -2) @ d @ y.swapaxes(-1, -2))))


@operation
def det(x):
    """The determinant y of a matrix that has an inverse where its gradient is asked for: dX = dy y (X^-1)^T"""

    def gradient(d, y):
        return (d * y)[..., None, None] * inv(x).swapaxes(-1, -2)

    return made(np.linalg.det(value(x)), (x, gradient))


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
