"""prelu.c against the reference: values, gradients, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import prelu as kernel

RNG = np.random.default_rng(19)


@pytest.mark.parametrize("N, C", [(0, 3), (1, 1), (5, 3), (7, 19), (257, 5), (1031, 131)])  # above a block of rows
def test_values_and_gradients(N, C):
    x, dy = RNG.normal(size=(2, N, C)).astype("f")
    a = RNG.normal(size=C).astype("f")
    x[::3, 0] = 0.0  # the slope there is a

    def forward():
        y = guarded(np.zeros((N, C)))
        kernel.forward(y, x, a)
        assert_guards_whole(y)
        return y.copy()

    def backward():
        dx, da = guarded(np.zeros((N, C))), guarded(np.ones(C))
        kernel.backward(dx, da, dy, x, a)
        assert_guards_whole(dx, da)
        return dx.copy(), da - 1

    exact = x.astype(np.float64)
    assert_close(same_bits_for_any_threads(forward), reference.prelu(exact, a), 1e-6, "y")
    dx, da = same_bits_for_any_threads(backward)
    wanted_dx, wanted_da = reference.prelu_backward(dy.astype(np.float64), exact, a)
    assert_close(dx, wanted_dx, 1e-6, "dx")
    assert_close(da, wanted_da, 1e-5, "da")


def test_either_gradient_may_be_left_out():
    x, dy = RNG.normal(size=(2, 5, 3)).astype("f")
    a = RNG.normal(size=3).astype("f")
    dx, da = np.zeros_like(x), np.zeros_like(a)
    kernel.backward(dx, da, dy, x, a)
    alone = np.zeros_like(a)
    kernel.backward(None, alone, dy, x, a)
    np.testing.assert_array_equal(alone, da)
    kernel.backward(dy, None, dy, x, a)  # in place
    np.testing.assert_array_equal(dy, dx)
    with pytest.raises(ValueError, match="`a` must be"):
        kernel.forward(dx, x, da[:2])
