"""transposed.c: the part that is kept, the bias and the activation, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation

from fastkeras._kernels import transposed

RNG = np.random.default_rng(19)


@pytest.mark.parametrize("B", [0, 1, 3, 41])
@pytest.mark.parametrize("border", [(0, 0, 0, 0), (1, 2, 3, 5), (0, 0, 0, 7)], ids=str)
@pytest.mark.parametrize("name", ["linear", "sigmoid", "silu"])
def test_part_bias_and_activation(B, border, name):
    top, bottom, left, right = border
    f, shape = Activation(name), (B, 11, 13, 19)
    sums, bias = guarded(RNG.standard_normal((B, 11 + top + bottom, 13 + left + right, 19))), RNG.standard_normal(19)
    bias = guarded(bias)

    def run(bias):
        y = guarded(np.full(shape, np.nan))
        z = guarded(np.full(shape, np.nan)) if f.needs_input else None
        transposed.finish(y, z, sums, bias, top, left, f)
        assert_guards_whole(y)
        return (y,) if z is None else (y, z)

    part = sums[:, top : top + 11, left : left + 13].astype(np.float64)
    for given, expected in [(bias, part + bias), (None, part)]:
        y, *z = same_bits_for_any_threads(lambda given=given: run(given))
        assert_close(y, getattr(reference, name)(expected), 2e-6, "y")
        for array in z:
            assert_close(array, expected, 1e-6, "z")


def test_where_nothing_is_cut_off_it_happens_in_place():
    sums, bias = RNG.standard_normal((2, 3, 5, 7)).astype("f"), RNG.standard_normal(7).astype("f")
    y, f = np.empty_like(sums), Activation("tanh")
    transposed.finish(y, None, sums, bias, 0, 0, f)
    transposed.finish(sums, None, sums, bias, 0, 0, f)
    np.testing.assert_array_equal(sums, y)


def array(*shape, dtype="f"):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": array(2, 5, 7)}, "`y` must be"),
        ({"z": array(2, 5, 6, 3)}, "`z` must be"),
        ({"z": array(2, 5, 7, 4)}, "the 3 channels of `y`"),
        ({"sums": array(2, 6, 8, 4)}, "the 3 channels of `y`"),
        ({"sums": array(3, 6, 8, 3)}, "`sums` must be"),
        ({"bias": array(4)}, "`bias` must be"),
        ({"top": 2}, "5 x 7 pixels at 2, 0 must lie in 6 x 8"),
        ({"left": -1}, "5 x 7 pixels at 0, -1 must lie in 6 x 8"),
        ({"activation": "softmax"}, "softmax"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    given = {"y": array(2, 5, 7, 3), "z": None, "sums": array(2, 6, 8, 3), "bias": None, "top": 0, "left": 0}
    given = {**given, "activation": "linear", **arguments}
    with pytest.raises(ValueError, match=message):
        transposed.finish(*(Activation(v) if k == "activation" else v for k, v in given.items()))
