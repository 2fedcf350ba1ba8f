"""Functions of each element, and of pairs of elements. Gradients are written with the value y where it is at hand."""

import functools
import math

import numpy as np

from fastkeras.core.tensor import formula, formula2, made, operation, value

TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

exp = formula(np.exp, "e to the power x", lambda d, y, x: d * y)
exp2 = formula(np.exp2, "2 to the power x", lambda d, y, x: d * y * math.log(2))
expm1 = formula(np.expm1, "exp(x) - 1, exact near 0", lambda d, y, x: d * (y + 1))
log1p = formula(np.log1p, "log(1 + x), exact near 0", lambda d, y, x: d / (x + 1))
log2 = formula(np.log2, "The logarithm to the base 2.", lambda d, y, x: d / (x * math.log(2)))
log10 = formula(np.log10, "The logarithm to the base 10.", lambda d, y, x: d / (x * math.log(10)))
sqrt = formula(np.sqrt, "The square root.", lambda d, y, x: d / (2 * y))
square = formula(np.square, "x x", lambda d, y, x: d * (x + x))
reciprocal = formula(np.reciprocal, "1 / x", lambda d, y, x: -d * y * y)

sin = formula(np.sin, "The sine; x in radians, as in all of these.", lambda d, y, x: d * np.cos(x))
cos = formula(np.cos, "The cosine.", lambda d, y, x: -d * np.sin(x))
tan = formula(np.tan, "The tangent.", lambda d, y, x: d * (1 + y * y))
arcsin = formula(np.arcsin, "The angle with the sine x.", lambda d, y, x: d / np.sqrt(1 - x * x))
arccos = formula(np.arccos, "The angle with the cosine x.", lambda d, y, x: -d / np.sqrt(1 - x * x))
arctan = formula(np.arctan, "The angle with the tangent x.", lambda d, y, x: d / (1 + x * x))
arctan2 = formula2(
    np.arctan2,
    "The angle of the point (x2, x1), from -pi to pi.",
    lambda d, y, x1, x2: d * x2 / (x1 * x1 + x2 * x2),
    lambda d, y, x1, x2: -d * x1 / (x1 * x1 + x2 * x2),
)
sinh = formula(np.sinh, "(exp(x) - exp(-x)) / 2", lambda d, y, x: d * np.cosh(x))
cosh = formula(np.cosh, "(exp(x) + exp(-x)) / 2", lambda d, y, x: d * np.sinh(x))
tanh = formula(np.tanh, "(exp(x) - exp(-x)) / (exp(x) + exp(-x))", lambda d, y, x: d * (1 - y * y))
arcsinh = formula(np.arcsinh, "The inverse of sinh.", lambda d, y, x: d / np.sqrt(x * x + 1))
arccosh = formula(np.arccosh, "The inverse of cosh.", lambda d, y, x: d / np.sqrt(x * x - 1))
arctanh = formula(np.arctanh, "The inverse of tanh.", lambda d, y, x: d / (1 - x * x))

maximum = formula2(
    np.maximum,
    "The larger of both; where they are equal, the first has the gradient, as in TensorFlow.",
    lambda d, y, x1, x2: d * (x1 >= x2),
    lambda d, y, x1, x2: d * (x1 < x2),
)
minimum = formula2(
    np.minimum,
    "The smaller of both; where they are equal, the first has the gradient, as in TensorFlow.",
    lambda d, y, x1, x2: d * (x1 <= x2),
    lambda d, y, x1, x2: d * (x1 > x2),
)
logaddexp = formula2(
    np.logaddexp,
    "log(exp(x1) + exp(x2)), without overflow",
    lambda d, y, x1, x2: d * np.exp(x1 - y),
    lambda d, y, x1, x2: d * np.exp(x2 - y),
)


@operation
def rsqrt(x):
    """1 / sqrt(x)"""
    return made(1 / np.sqrt(value(x)), (x, lambda d, y: d * y / (-2 * x)))


@operation
def clip(x, x_min, x_max):
    """min(max(x, x_min), x_max); no gradient comes back from where x is outside."""
    inside = (value(x) >= value(x_min)) & (value(x) <= value(x_max))
    return made(np.clip(value(x), value(x_min), value(x_max)), (x, lambda d, y: d * inside))


@operation
def stop_gradient(variable):
    """The same values; no gradient comes back through them."""
    return made(value(variable), (variable, None))


# --- without a slope -------------------------------------------------------------------------------------------------


sign = formula(np.sign, "-1, 0 or 1", None)
floor = formula(np.floor, "The largest integer that is not above x.", None)
ceil = formula(np.ceil, "The smallest integer that is not below x.", None)
rint = formula(np.rint, "The nearest integer; the even one of two.", None)
isnan = formula(np.isnan, "Whether x is not a number.", None)
isinf = formula(np.isinf, "Whether x is infinite.", None)
isfinite = formula(np.isfinite, "Whether x is a finite number.", None)
equal = formula2(np.equal, "x1 == x2", None, None)
not_equal = formula2(np.not_equal, "x1 != x2", None, None)
logical_and = formula2(np.logical_and, "Whether both hold.", None, None)
logical_or = formula2(np.logical_or, "Whether one of both holds.", None, None)
logical_xor = formula2(np.logical_xor, "Whether just one of both holds.", None, None)
logical_not = formula(np.logical_not, "Whether x does not hold.", None)


@operation
def round(x, decimals=0):
    """The nearest number with so many decimals; the even one of two."""
    return made(np.round(value(x), decimals), (x, None))


@functools.cache
def _erf_series(largest, degree):
    """The Chebyshev series of erf(x) / x in 2 x^2 / largest^2 - 1, for |x| <= largest."""

    def ratio(t):
        x = np.maximum(largest * np.sqrt((t + 1) / 2), 1e-8)
        return np.array([math.erf(element) / element for element in x])

    return np.polynomial.chebyshev.chebinterpolate(ratio, degree)


@operation
def erf(x):
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x; its error is below 1e-6 |erf(x)|, 5e-13 for float64."""
    array = np.asarray(value(x))
    largest, degree = (6.0, 60) if array.dtype == np.float64 else (4.0, 24)  # erf(largest) rounds to 1
    inside = np.clip(array, -largest, largest)
    t = inside * inside * (2 / largest**2) - 1
    series = _erf_series(largest, degree).astype(t.dtype)
    y = np.clip(inside * np.polynomial.chebyshev.chebval(t, series), -1, 1)
    return made(y, (x, lambda d, y: d * TWO_OVER_ROOT_PI * exp(-x * x)))
