"""Functions of each element, and of pairs of elements. Gradients are written with the value y where it is at hand."""

import functools
import math

import numpy as np

from fastkeras._kernels import activations, broadcast
from fastkeras.core.tensor import FLOAT32, Tensor, divide, formula, formula2, made, operation, ufuncs, value, where

TANH = activations.Activation("tanh")
TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

exp = formula(np.exp, "e to the power x", lambda d, y, x: d * y)
exp2 = formula(np.exp2, "2 to the power x", lambda d, y, x: d * y * math.log(2))
expm1 = formula(np.expm1, "exp(x) - 1, exact near 0", lambda d, y, x: d * (y + 1))
log1p = formula(np.log1p, "log(1 + x), exact near 0", lambda d, y, x: d / (x + 1))
log2 = formula(np.log2, "The logarithm to the base 2.", lambda d, y, x: d / (x * math.log(2)))
log10 = formula(np.log10, "The logarithm to the base 10.", lambda d, y, x: d / (x * math.log(10)))
sqrt = formula(np.sqrt, "The square root.", lambda d, y, x: d / (2 * y))
cbrt = formula(np.cbrt, "The cube root.", lambda d, y, x: d / (3 * y * y))
square = formula(np.square, "x x", lambda d, y, x: broadcast.multiply(d, x + x))
reciprocal = formula(np.reciprocal, "1 / x", lambda d, y, x: -d * y * y)

deg2rad = formula(np.deg2rad, "Degrees as radians: x pi / 180", lambda d, y, x: d * (math.pi / 180))
rad2deg = formula(np.rad2deg, "Radians as degrees: x 180 / pi", lambda d, y, x: d * (180 / math.pi))
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
hypot = formula2(
    np.hypot,
    "sqrt(x1^2 + x2^2), without overflow",
    lambda d, y, x1, x2: d * x1 / y,
    lambda d, y, x1, x2: d * x2 / y,
)
sinc = formula(
    np.sinc,
    "sin(pi x) / (pi x), 1 at 0",
    lambda d, y, x: d * where(np.equal(x, 0), 0, (np.cos(math.pi * x) - y) / where(np.equal(x, 0), 1, x)),
)
sinh = formula(np.sinh, "(exp(x) - exp(-x)) / 2", lambda d, y, x: d * np.cosh(x))
cosh = formula(np.cosh, "(exp(x) + exp(-x)) / 2", lambda d, y, x: d * np.sinh(x))


def _tanh(x):
    if np.asarray(x).dtype != FLOAT32:
        return np.tanh(x)
    x = np.asarray(x, order="C")
    y = np.empty(x.shape, FLOAT32)
    activations.forward(y, x, TANH)
    return y


def _tanh_gradient(d, y, x):
    if isinstance(d, Tensor) or y.dtype != FLOAT32:
        return d * (1 - y * y)
    dx = np.empty(y.shape, FLOAT32)
    activations.backward(dx, np.asarray(d, FLOAT32, order="C"), None, y, TANH)
    return dx


tanh = formula(_tanh, "(exp(x) - exp(-x)) / (exp(x) + exp(-x)); of float32 by our kernel.", _tanh_gradient)
ufuncs[np.tanh] = tanh
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
fmax = formula2(
    np.fmax,
    "The larger of both, and where one is nan, the other; where they are equal, the first has the gradient.",
    lambda d, y, x1, x2: d * np.equal(y, x1),
    lambda d, y, x1, x2: d * np.not_equal(y, x1),
)
fmin = formula2(
    np.fmin,
    "The smaller of both, and where one is nan, the other; where they are equal, the first has the gradient.",
    lambda d, y, x1, x2: d * np.equal(y, x1),
    lambda d, y, x1, x2: d * np.not_equal(y, x1),
)
fabs = formula(np.fabs, "|x|, a float; its slope at 0 is 0.", lambda d, y, x: d * np.sign(x))
fmod = formula2(
    np.fmod,
    "x1 - trunc(x1 / x2) x2, which has the sign of x1",
    lambda d, y, x1, x2: d,
    lambda d, y, x1, x2: -d * np.trunc(x1 / x2),
)
ldexp = formula2(
    np.ldexp, "x1 2^x2, for integers x2, which have no gradient", lambda d, y, x1, x2: np.ldexp(d, x2), None
)
logaddexp2 = formula2(
    np.logaddexp2,
    "log2(2^x1 + 2^x2), without overflow",
    lambda d, y, x1, x2: d * np.exp2(x1 - y),
    lambda d, y, x1, x2: d * np.exp2(x2 - y),
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
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0."""
    is_zero = np.equal(value(x2), 0)
    return where(is_zero, 0, divide(x1, where(is_zero, 1, x2)))


@operation
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with numbers in place of nan and of both infinities, by default the largest and the smallest of the type."""
    finite = np.isfinite(value(x))
    return made(np.nan_to_num(value(x), nan=nan, posinf=posinf, neginf=neginf), (x, lambda d, y: d * finite))


@operation
def stop_gradient(variable):
    """The same values; no gradient comes back through them."""
    return made(value(variable), (variable, None))


# --- without a slope -------------------------------------------------------------------------------------------------


sign = formula(np.sign, "-1, 0 or 1", None)
floor = formula(np.floor, "The largest integer that is not above x.", None)
ceil = formula(np.ceil, "The smallest integer that is not below x.", None)
trunc = formula(np.trunc, "x without what follows the point.", None)
rint = formula(np.rint, "The nearest integer; the even one of two.", None)
isnan = formula(np.isnan, "Whether x is not a number.", None)
isinf = formula(np.isinf, "Whether x is infinite.", None)
isposinf = formula(np.isposinf, "Whether x is infinite and positive.", None)
isneginf = formula(np.isneginf, "Whether x is infinite and negative.", None)
signbit = formula(np.signbit, "Whether x has the sign -, as -0 has it.", None)
isfinite = formula(np.isfinite, "Whether x is a finite number.", None)
equal = formula2(np.equal, "x1 == x2", None, None)
not_equal = formula2(np.not_equal, "x1 != x2", None, None)
logical_and = formula2(np.logical_and, "Whether both hold.", None, None)
logical_or = formula2(np.logical_or, "Whether one of both holds.", None, None)
logical_xor = formula2(np.logical_xor, "Whether just one of both holds.", None, None)
logical_not = formula(np.logical_not, "Whether x does not hold.", None)
nextafter = formula2(np.nextafter, "The number next to x1 that its type has, towards x2.", None, None)
heaviside = formula2(np.heaviside, "0 where x1 < 0, 1 where x1 > 0, x2 where it is 0.", None, None)
gcd = formula2(np.gcd, "The greatest common divisor of integers.", None, None)
lcm = formula2(np.lcm, "The least common multiple of integers.", None, None)
bitwise_and = formula2(np.bitwise_and, "The bits, of integers, that both have.", None, None)
bitwise_or = formula2(np.bitwise_or, "The bits that one of both has.", None, None)
bitwise_xor = formula2(np.bitwise_xor, "The bits that just one of both has.", None, None)
bitwise_not = bitwise_invert = formula(np.bitwise_not, "The bits that x has not.", None)
bitwise_left_shift = left_shift = formula2(np.left_shift, "The bits of x1 moved by x2: x1 2^x2", None, None)
bitwise_right_shift = right_shift = formula2(np.right_shift, "The bits of x1 moved back: floor(x1 / 2^x2)", None, None)


@operation
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether |x1 - x2| <= atol + rtol |x2|; two nan are not close, unless equal_nan says so."""
    return made(np.isclose(value(x1), value(x2), rtol, atol, equal_nan))


@operation
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are, as `isclose` has it."""
    return made(np.allclose(value(x1), value(x2), rtol, atol, equal_nan))


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


@operation
def erfc(x):
    """1 - erf(x), with the error of erf(x)"""
    return 1 - erf(x)


@operation
def erfinv(x):
    """The y with erf(y) = x: infinite at -1 and 1, nan outside; for float32, its error is below 1e-6 |y|.

    Winitzki's approximation (A handy approximation for the error function and its inverse, 2008), then two of Halley's
    steps for erf(y) - x, whose second derivative is -2 y times the first.
    """
    array = np.asarray(value(x))
    a = 0.147
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.log1p(-np.square(array, dtype=np.float64)) / 2
        b = 2 / (math.pi * a) + half
        y = np.copysign(np.sqrt(np.sqrt(b * b - 2 * half / a) - b), array)
        for _ in range(2):
            step = (value(erf(np.asarray(y))) - array) / (TWO_OVER_ROOT_PI * np.exp(-y * y))
            y = y - step / (1 + y * step)
    y = np.where(np.abs(array) == 1, np.copysign(np.inf, array), y)
    return made(y, (x, lambda d, y: d * np.exp(y * y) / TWO_OVER_ROOT_PI))
