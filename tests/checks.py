"""What the tests share: comparing arrays, numeric gradients, running under several thread counts, layers at random.

tests/test_checks.py shows that each of them rejects what it should.
"""

import numpy as np

from fastkeras._kernels import threads
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run
from fastkeras.core.variable import pack

RNG = np.random.default_rng(17)


def assert_close(actual, expected, tol, name="result"):
    """`actual` equals `expected` as a whole and in each element.

    Both ||actual - expected|| <= tol ||expected|| and max|actual - expected| <= tol max|expected| must
    hold: the first finds a small error in many elements, the second a wrong element among many right
    ones. Where `expected` is infinite or NaN, `actual` must be the same.
    """
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, f"{name}: shape {actual.shape}, expected {expected.shape}"
    if expected.size == 0:
        return
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite], err_msg=name)
    actual, expected = np.where(finite, actual, 0.0), np.where(finite, expected, 0.0)
    assert np.isfinite(actual).all(), f"{name}: infinite or NaN where a number is expected"

    error, norm = np.linalg.norm(actual - expected), np.linalg.norm(expected)
    assert error <= tol * norm, f"{name}: norm of the error {error:.3e}, allowed {tol:.1e} * {norm:.3e}"
    worst = np.unravel_index(np.abs(actual - expected).argmax(), expected.shape)
    error, largest = abs(actual[worst] - expected[worst]), np.abs(expected).max()
    assert error <= tol * largest, (
        f"{name}{[int(i) for i in worst]}: {actual[worst]}, expected {expected[worst]}, "
        f"allowed error {tol:.1e} * {largest:.3e}"
    )


def central_difference(function, x, dy, step=6e-6):
    """d/dx of sum(dy * function(x)), in float64, for every element of x: (g(x + h) - g(x - h)) / 2h.

    The step is near the cube root of float64's precision, where truncation and rounding balance: the
    result is good to about nine digits. `function` takes an array shaped like x and returns one shaped
    like dy.
    """
    x = np.array(x, np.float64)
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + step
        above = np.sum(dy * function(x.copy()))
        x[i] = kept - step
        below = np.sum(dy * function(x.copy()))
        x[i] = kept
        gradient[i] = (above - below) / (2 * step)
    return gradient


def same_bits_for_any_threads(run):
    """Calls `run` with 1, 2 and 3 threads, asserts the same bits each time, and returns the result.

    `run` returns an array, a float, or a tuple of them, made anew in each call.
    """
    before = threads.get_num_threads()
    try:
        results = {}
        for n in (1, 2, 3):
            threads.set_num_threads(n)
            results[n] = run()
    finally:
        threads.set_num_threads(before)

    for n in (2, 3):
        assert _bits(results[n]) == _bits(results[1]), f"{n} threads give other bits than one"
    return results[1]


def _bits(result):
    parts = result if isinstance(result, tuple) else (result,)
    return [(np.shape(part), np.asarray(part).dtype, np.asarray(part).tobytes()) for part in parts]


_GUARD, _INTEGER_GUARD = 64, -77  # how many numbers stand before and behind a guarded array, and what integers


def guarded(values, dtype=np.float32):
    """A copy of `values` with NaN before and behind it: what is read or written outside shows. Integers, which have no
    NaN, have other numbers there."""
    values = np.asarray(values, dtype)
    outside = np.nan if np.issubdtype(dtype, np.floating) else _INTEGER_GUARD
    memory = np.full(values.size + 2 * _GUARD, outside, dtype)
    copy = memory[_GUARD : _GUARD + values.size].reshape(values.shape)
    copy[...] = values
    return copy


def assert_guards_whole(*arrays):
    """Nothing was written beside arrays that `guarded` made."""
    for array in arrays:
        memory = array
        while memory.base is not None:
            memory = memory.base
        whole = np.isnan if np.issubdtype(memory.dtype, np.floating) else lambda part: part == _INTEGER_GUARD
        assert whole(memory[:_GUARD]).all(), "written before the array"
        assert whole(memory[memory.size - _GUARD :]).all(), "written behind the array"


def random(*shape):
    """Normal numbers, float32."""
    return RNG.normal(size=shape).astype("f")


def built(layer, *shape):
    """The layer, built for inputs of this shape, with random weights and gradients to add to."""
    layer.check_input_shape(shape)
    layer.ensure_built(shape)
    layer.set_weights([random(*w.shape) / 2 for w in layer.get_weights()])
    pack(layer.variables)
    return layer


def as_rows(x):
    """x (B, T, D) with its distinct rows stored once, in another order than they appear."""
    values, index = np.unique(x.reshape(-1, x.shape[-1]), axis=0, return_inverse=True)
    return Rows(np.ascontiguousarray(values), index.reshape(x.shape[:-1]).astype(np.int32))


def summed_by_row(d, rows):
    """The gradient of the distinct rows, for that of the array they stand for."""
    summed = np.zeros(rows.values.shape, d.dtype)
    np.add.at(summed, rows.index, d)
    return summed


def assert_rows_give_what_the_array_gives(layer, values, index, tol, training=False):
    """For Rows(values, index) the layer gives what it gives for values[index]: y, and the gradients of the distinct
    rows and of the weights, for a random dy. The layer is built."""
    rows, found, dy = Rows(values, index), [], None
    for x in (values[index], rows):
        for variable in layer.variables:
            variable.grad.fill(0.0)
        y, backward = layer.forward(x, Run(training=training, trains=True, wants_dx=True))
        dy = random(*y.shape) if dy is None else dy
        if type(y) is Rows:
            y, dx = y.values[y.index], backward(summed_by_row(dy, y))
        else:
            y, dx = y.copy(), backward(dy.copy())
        dx = summed_by_row(dx, rows) if type(x) is not Rows else dx
        found.append((y, dx, *(v.grad.copy() for v in layer.trainable_variables)))
    for by_array, by_rows in zip(*found, strict=True):
        assert_close(by_rows, by_array, tol)
