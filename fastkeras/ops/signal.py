"""Fourier transforms, of the last axis. A complex array is a pair (real part, imaginary part), as Keras has it."""

import numpy as np

from fastkeras.core.tensor import cast, getitem, made, operation, put_in_zeros, value
from fastkeras.ops.shapes import concatenate, flip, pad
from fastkeras.utils.arguments import positive_integer

__all__ = ["extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def _pair(who, x):
    """The two parts of a complex argument, of one shape and of real numbers."""
    shapes = [np.shape(value(part)) for part in x] if isinstance(x, (tuple, list)) else [()]
    if len(shapes) != 2 or shapes[0] != shapes[1] or not shapes[0]:
        raise ValueError(
            f"ops.{who}: `x` must be a pair (real part, imaginary part) of tensors of one shape. "
            f"Received: {f'shapes {shapes}' if isinstance(x, (tuple, list)) else type(x).__name__}"
        )
    real, imaginary = x
    kind = np.float64 if np.float64 in (np.asarray(value(real)).dtype, np.asarray(value(imaginary)).dtype) else None
    return cast(real, kind or np.float32), cast(imaginary, kind or np.float32)


def _transform(function, real, imaginary):
    """function(real + i imaginary), a product with a symmetric matrix A: its adjoint takes d to conj(A conj(d))."""
    y = function(np.asarray(value(real)) + 1j * np.asarray(value(imaginary)))

    def adjoint(d, e):
        a, b = _transform(function, d, -e)
        return a, -b

    of_real, of_imaginary = (lambda d, y: adjoint(d, 0 * d)), (lambda d, y: adjoint(0 * d, d))
    return tuple(
        made(part, (real, lambda d, y, f=f: f(d, y)[0]), (imaginary, lambda d, y, f=f: f(d, y)[1]))
        for part, f in ((y.real, of_real), (y.imag, of_imaginary))
    )


@operation
def fft(x):
    """y_k = sum over n of x_n exp(-2 pi i k n / N), for a pair x"""
    return _transform(np.fft.fft, *_pair("fft", x))


@operation
def fft2(x):
    """`fft` of the last two axes, for a pair x."""
    return _transform(np.fft.fft2, *_pair("fft2", x))


@operation
def ifft2(x):
    """The inverse of `fft2`, for a pair x."""
    return _transform(np.fft.ifft2, *_pair("ifft2", x))


def _of_length(x, n):
    """x with n elements in its last axis: cut off, or followed by zeros."""
    missing = n - np.shape(value(x))[-1]
    if missing <= 0:
        return getitem(x, (..., slice(n)))
    return pad(x, [(0, 0)] * (np.ndim(value(x)) - 1) + [(0, missing)])


@operation
def rfft(x, fft_length=None):
    """`fft` of real numbers, as a pair: its first fft_length // 2 + 1 elements, which say all of it.

    fft_length: of how many elements, by default all; of fewer than x has, or with zeros behind them.
    """
    n = np.shape(value(x))[-1] if fft_length is None else positive_integer("ops.rfft", "fft_length", fft_length)
    x = _of_length(x, n)
    return tuple(
        part[..., : n // 2 + 1] for part in _transform(np.fft.fft, *_pair("rfft", (x, np.zeros(x.shape, x.dtype))))
    )


@operation
def irfft(x, fft_length=None):
    """The inverse of `rfft`, of a pair x: fft_length real numbers, by default 2 (m - 1) for m elements of x."""
    real, imaginary = _pair("irfft", x)
    n = 2 * (real.shape[-1] - 1) if fft_length is None else fft_length
    n = positive_integer("ops.irfft", "fft_length", n)
    half = n // 2 + 1
    real, imaginary = _of_length(real, half), _of_length(imaginary, half)
    mirrored = (..., slice(1, n - half + 1))  # what the transform of real numbers has behind, conjugated and in reverse
    real = concatenate([real, flip(real[mirrored], -1)], -1)
    imaginary = concatenate([imaginary, -flip(imaginary[mirrored], -1)], -1)
    return _transform(np.fft.ifft, real, imaginary)[0]


# --- short stretches -------------------------------------------------------------------------------------------------


def _stretches(count, length, stride):
    """The places of each of so many stretches: (count, length)"""
    return stride * np.arange(count)[:, None] + np.arange(length)


@operation
def extract_sequences(x, sequence_length, sequence_stride):
    """The stretches of the last axis that begin at 0, sequence_stride, ...: (..., n) gives (..., count, length)."""
    length = positive_integer("ops.extract_sequences", "sequence_length", sequence_length)
    stride = positive_integer("ops.extract_sequences", "sequence_stride", sequence_stride)
    count = max(0, (np.shape(value(x))[-1] - length) // stride + 1)
    return getitem(x, (..., _stretches(count, length, stride)))


def _window(who, window, length, fft_length):
    """The weights of a stretch, in the middle of fft_length numbers."""
    if fft_length < length:
        raise ValueError(
            f"ops.{who}: `fft_length` must be at least sequence_length={length}. Received: fft_length={fft_length}"
        )
    if window is None:
        return np.ones(fft_length, np.float32)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(f"ops.{who}: `window` must be 'hann', 'hamming', an array or None. Received: {window!r}")
        a = 0.5 if window == "hann" else 0.54  # n goes from 0 to length - 1 of a period of that length
        window = a - (1 - a) * np.cos(2 * np.pi * np.arange(length) / length)
    window = np.asarray(value(window))
    if window.shape != (length,):
        raise ValueError(f"ops.{who}: `window` must have shape ({length},). Received: shape {window.shape}")
    before = (fft_length - length) // 2
    return np.pad(window, (before, fft_length - length - before)).astype(np.float32)


@operation
def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    """`rfft` of stretches of the last axis, as a pair (..., stretches, fft_length // 2 + 1).

    A stretch has fft_length elements, weighted by a window of sequence_length in their middle: "hann", "hamming", an
    array, or None for 1 everywhere. center: the first one lies around the first element, x being mirrored at both ends.
    """
    weights = _window("stft", window, sequence_length, fft_length)
    if center:
        x = pad(x, [(0, 0)] * (np.ndim(value(x)) - 1) + [(fft_length // 2, fft_length // 2)], mode="reflect")
    return rfft(extract_sequences(x, fft_length, sequence_stride) * weights)


@operation
def istft(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    """The inverse of `stft`: the `irfft` of a pair x, weighted, added up where the stretches lay, and divided by the
    sum of the squares of all weights there. length: how many elements to keep, by default all."""
    weights = _window("istft", window, sequence_length, fft_length)
    stride = positive_integer("ops.istft", "sequence_stride", sequence_stride)
    frames = irfft(x, fft_length)
    places = _stretches(frames.shape[-2], fft_length, stride)
    whole = (*frames.shape[:-2], int(places.max(initial=-1)) + 1)
    squares = np.zeros(whole[-1], np.float32)
    np.add.at(squares, places, np.broadcast_to(weights * weights, places.shape))
    inside = squares > 1e-10  # elsewhere nothing is known
    y = put_in_zeros(frames * weights, (..., places), whole) * (inside / np.where(inside, squares, 1)).astype(
        np.float32
    )
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else whole[-1] - start
    return y[..., start:end]
