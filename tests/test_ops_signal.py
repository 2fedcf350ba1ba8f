"""fastkeras.ops: Fourier transforms, their inverses and their gradients."""

import numpy as np
import pytest
from checks import assert_close
from op_cases import assert_gradient

import fastkeras
from fastkeras import ops

WAVES = {
    "fft": lambda x: ops.fft((x[0], x[1])),
    "fft2": lambda x: ops.fft2((x[0], x[1])),
    "ifft2": lambda x: ops.ifft2((x[0], x[1])),
    "rfft": lambda x: ops.rfft(x),
    "rfft shorter": lambda x: ops.rfft(x, 4),
    "rfft longer": lambda x: ops.rfft(x, 8),
    "irfft": lambda x: [ops.irfft((x[0], x[1]))],
    "irfft odd": lambda x: [ops.irfft((x[0], x[1]), 7)],
    "stft": lambda x: ops.stft(x, 3, 2, 4),
    "istft": lambda x: [ops.istft((x[0], x[1]), 6, 3, 8)],
}


@pytest.mark.parametrize("name", WAVES)
def test_gradients_of_fourier_transforms(name):
    x = np.random.default_rng(9).normal(size=(2, 3, 5))
    for i in range(len(WAVES[name](x))):
        assert_gradient(lambda x, i=i: WAVES[name](x)[i], x)
    w = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as outer:
        outer.watch(w)
        with fastkeras.GradientTape() as inner:
            inner.watch(w)
            y = ops.sum(ops.square(WAVES[name](w)[0]))
        slope = inner.gradient(y, w)
    assert_close(outer.gradient(slope, w, w), slope, 1e-10)  # of a square, the second derivative along w is the slope


def test_fourier_transforms_are_numpy_s_and_their_inverses_invert():
    rng = np.random.default_rng(10)
    x, z = rng.normal(size=(2, 3, 40)), rng.normal(size=(2, 3, 5)) + 1j * rng.normal(size=(2, 3, 5))
    for name in ("fft", "fft2", "ifft2"):
        real, imaginary = getattr(ops, name)((z.real, z.imag))
        assert_close(real, getattr(np.fft, name)(z).real, 1e-12)
        assert_close(imaginary, getattr(np.fft, name)(z).imag, 1e-12)
    for n in (3, 8, 11, 50):
        real, imaginary = ops.rfft(x, n)
        assert_close(real, np.fft.rfft(x, n).real, 1e-12)
        assert_close(imaginary, np.fft.rfft(x, n).imag, 1e-12)
        assert_close(ops.irfft((z.real, z.imag), n), np.fft.irfft(z, n), 1e-12)
    for window, center in (("hann", True), ("hamming", False), (None, True), (rng.uniform(0.5, 1, 8), False)):
        parts = ops.stft(x, 8, 2, 8, window, center)
        again = np.asarray(ops.istft(parts, 8, 2, 8, window=window, center=center))
        assert again.shape == x.shape
        assert_close(again[..., 1:], x[..., 1:], 1e-6)  # where a window begins with 0, the first element is lost
