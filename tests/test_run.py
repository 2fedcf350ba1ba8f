"""The memory of a pass: where arrays begin, and which of them a layer gets again."""

import numpy as np
import pytest

from fastkeras.core.run import Run, empty

HUGE_PAGE = 2 << 20


@pytest.mark.parametrize(
    "shape, dtype, alignment",
    [
        ((7, 11), np.float32, 64),
        ((3, 5, 7), np.int64, 64),
        ((), np.float32, 64),
        ((HUGE_PAGE // 8 - 1,), np.float32, 64),
        ((HUGE_PAGE // 8,), np.float32, HUGE_PAGE),
        ((HUGE_PAGE // 4,), np.float32, HUGE_PAGE),
        ((1009, 1013), np.float32, HUGE_PAGE),
    ],
)
def test_array_starts_a_cache_line_or_a_huge_page(shape, dtype, alignment):
    arrays = [empty(shape, dtype) for _ in range(3)]
    for i, array in enumerate(arrays):
        assert array.shape == shape and array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable
        assert array.ctypes.data % alignment == 0
        array[...] = i
    assert [np.all(array == i) for i, array in enumerate(arrays)] == [True] * 3  # none lies on another


@pytest.mark.parametrize("size", [1 << 48, 1 << 61])
def test_more_than_there_is_is_a_memory_error(size):
    with pytest.raises(MemoryError):
        empty((size,))


def test_buffer_of_the_same_shape_is_the_same_memory():
    run = Run()
    a, other = run.buffer("a", (13, 17)), run.buffer("b", (13, 17))
    a[...], other[...] = 2, 3
    assert run.buffer("a", (13, 17)) is a and np.all(a == 2)
    smaller = run.buffer("a", (5, 7))
    assert smaller.shape == (5, 7) and np.shares_memory(smaller, a)
    assert not np.shares_memory(run.buffer("a", (1009, 7)), other)
    assert np.all(other == 3)
