"""gemm.c against the reference in every form, and the same bits for any tile, number of rows or threads."""

import contextlib
import os
import threading
import time

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import activations, gemm, threads

RNG = np.random.default_rng(3)
FORMS = {"NN": (False, False), "NT": (False, True), "TN": (True, False), "TT": (True, True)}
# (M, N, K): the edges of tiles and vectors; then one size above each of MR, NR, MC, NC and KC of any instruction set,
# enough work for three threads in each direction, strides for which A is copied, and single columns
SIZES = [(1, 1, 1), (2, 3, 5), (3, 17, 1), (7, 1, 11), (1, 67, 13), (13, 37, 7), (29, 11, 19), (31, 103, 101)]
LARGE_SIZES = [(131, 47, 61), (5, 1031, 83), (17, 23, 1571), (263, 541, 79), (1153, 43, 41), (149, 307, 787)]
LARGE_SIZES += [(131, 11, 797), (59, 7, 4001), (127, 41, 1024), (512, 113, 307), (2903, 1, 577), (61, 1, 4001)]


def operands(form, M, N, K, draw=RNG.standard_normal):
    trans_a, trans_b = FORMS[form]
    return guarded(draw((K, M) if trans_a else (M, K))), guarded(draw((N, K) if trans_b else (K, N)))


def product(form, A, B, M, N, **arguments):
    C = guarded(np.full((M, N), np.nan))
    gemm.gemm(C, A, B, *FORMS[form], **arguments)
    assert_guards_whole(C)
    return C


def expected(form, A, B, bias=0.0):
    return reference.matmul(A.astype(np.float64), B.astype(np.float64), bias, *FORMS[form])


@pytest.mark.parametrize("size", SIZES + LARGE_SIZES, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_reference(form, size):
    M, N, K = size
    A, B = operands(form, M, N, K)
    bias = guarded(9 + RNG.standard_normal(N))
    C = same_bits_for_any_threads(lambda: product(form, A, B, M, N))
    assert_close(C, expected(form, A, B), 2e-6, "C")
    C = same_bits_for_any_threads(lambda: product(form, A, B, M, N, bias=bias))
    assert_close(C, expected(form, A, B, bias.astype(np.float64)), 2e-6, "C with bias")


@pytest.mark.parametrize("size", SIZES + LARGE_SIZES, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_accumulate_adds_to_what_is_there(form, size):
    M, N, K = size
    A, B = operands(form, M, N, K)
    before = 9 + RNG.standard_normal((M, N))  # far from where a small sum would cancel it

    def run():
        C = guarded(before)
        gemm.gemm(C, A, B, *FORMS[form], accumulate=True)
        assert_guards_whole(C)
        return C

    C = same_bits_for_any_threads(run)
    assert_close(C, expected(form, A, B) + before.astype(np.float32), 2e-6, "C")


@pytest.mark.parametrize("size", LARGE_SIZES, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_whole_numbers_are_exact(form, size):
    """Sums below 2^24 have no rounding: a term left out, taken twice or put elsewhere cannot hide."""
    M, N, K = size
    A, B = operands(form, M, N, K, draw=lambda shape: RNG.integers(-9, 10, shape))
    np.testing.assert_array_equal(product(form, A, B, M, N), expected(form, A, B))


@pytest.mark.parametrize("size", [(3, 5, 2), (31, 103, 101), (149, 307, 787), (149, 1, 787)], ids=str)
@pytest.mark.parametrize("name", ["linear", "relu", "sigmoid", "tanh"])
def test_activation_follows_the_bias(name, size):
    M, N, K = size
    A, B = operands("NN", M, N, K)
    B /= np.sqrt(K)
    bias = guarded(RNG.standard_normal(N))
    C = same_bits_for_any_threads(lambda: product("NN", A, B, M, N, bias=bias, activation=activations.Activation(name)))
    assert_close(C, getattr(reference, name)(expected("NN", A, B, bias.astype(np.float64))), 5e-6, "C")


@pytest.mark.parametrize("form", FORMS)
def test_part_of_a_product_has_the_bits_of_the_whole(form):
    M, N, K = 263, 541, 787
    A, B = operands(form, M, N, K)
    whole = product(form, A, B, M, N)
    trans_a, trans_b = FORMS[form]
    for rows in [slice(0, 1), slice(5, 8), slice(131, 148), slice(200, 263)]:
        part = np.ascontiguousarray(A[:, rows] if trans_a else A[rows])
        np.testing.assert_array_equal(product(form, part, B, rows.stop - rows.start, N), whole[rows])
    for columns in [slice(0, 1), slice(3, 10), slice(37, 54), slice(300, 541)]:
        part = np.ascontiguousarray(B[columns] if trans_b else B[:, columns])
        C = product(form, A, part, M, columns.stop - columns.start)
        np.testing.assert_array_equal(C, whole[:, columns])


def test_every_form_has_the_same_bits():
    M, N, K = 149, 307, 787
    A, B = operands("NN", M, N, K)
    plain = product("NN", A, B, M, N)
    for form, (trans_a, trans_b) in FORMS.items():
        a, b = (np.ascontiguousarray(x.T) if t else x for x, t in ((A, trans_a), (B, trans_b)))
        np.testing.assert_array_equal(product(form, a, b, M, N), plain)


def test_a_new_product_reads_matrices_however_they_lie():
    A, B = (np.ascontiguousarray(part) for part in operands("NN", 13, 37, 7))
    exact = product("NN", guarded(A), guarded(B), 13, 37)
    layouts = [lambda a: a, np.asfortranarray, lambda a: np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3]]
    for of_A in layouts:
        for of_B in layouts:
            assert np.array_equal(gemm.product(of_A(A), of_B(B)), exact)
    assert gemm.product(A[:0], B).shape == (0, 37)
    with pytest.raises(ValueError, match="`B` must be"):
        gemm.product(A, B.T)
    for vector in (A[0], np.float32(1)[...]):
        with pytest.raises(ValueError, match="must be matrices"):
            gemm.product(A, vector)


@pytest.mark.parametrize("form", FORMS)
def test_sizes_of_zero(form):
    bias = np.array([1, -2, 3], np.float32)
    A, B = operands(form, 2, 3, 0)
    np.testing.assert_array_equal(product(form, A, B, 2, 3), np.zeros((2, 3)))
    np.testing.assert_array_equal(product(form, A, B, 2, 3, bias=bias), [bias, bias])
    C = product(form, A, B, 2, 3, bias=bias, activation=activations.Activation("relu"))
    np.testing.assert_array_equal(C, [[1, 0, 3], [1, 0, 3]])
    gemm.gemm(C, A, B, *FORMS[form], accumulate=True)
    np.testing.assert_array_equal(C, [[1, 0, 3], [1, 0, 3]])
    for M, N in [(0, 3), (2, 0), (0, 0)]:
        A, B = operands(form, M, N, 5)
        assert product(form, A, B, M, N).shape == (M, N)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux tells a thread's cores")
def test_threads_keep_the_cores_they_may_use():
    A, B = operands("NN", 131, 103, 101)
    allowed = os.sched_getaffinity(0)
    for _ in range(20):
        same_bits_for_any_threads(lambda: product("NN", A, B, 131, 103))
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            assert os.sched_getaffinity(int(thread)) == allowed


# --- packed once, used often ------------------------------------------------------------------------


def packed(B, transposed=False):
    K, N = B.shape[::-1] if transposed else B.shape
    memory = np.full(gemm.packed_size(N, K), np.nan, np.float32)
    gemm.pack(memory, B, transposed)
    return memory


@pytest.mark.parametrize("M", [1, 2, 3, 5, 7, 11, 13, 14, 15, 29, 131])
@pytest.mark.parametrize(("N", "K"), [(1, 1), (5, 3), (16, 16), (37, 101), (103, 797)])
def test_packed_product_has_the_bits_of_gemm(M, N, K):
    A, B = operands("NN", M, N, K)
    C = guarded(np.full((M, N), np.nan))
    gemm.packed_gemm(C, A, packed(B))
    np.testing.assert_array_equal(C, product("NN", A, B, M, N))
    gemm.packed_gemm(C, A, packed(np.ascontiguousarray(B.T), transposed=True), start=C)
    twice = product("NN", A, B, M, N)
    gemm.gemm(twice, A, B, accumulate=True)
    np.testing.assert_array_equal(C, twice)
    assert_guards_whole(C)


@pytest.mark.parametrize(("M", "N", "K"), [(1, 5, 3), (23, 37, 101), (131, 7, 797)])
def test_packed_product_takes_rows_by_index(M, N, K):
    A, B = operands("NN", 11, N, K)
    B /= np.sqrt(K)
    start = guarded(RNG.standard_normal((7, N)))
    a_rows, start_rows = RNG.integers(0, 11, M, np.int32), RNG.integers(0, 7, M, np.int32)
    C = guarded(np.full((M, N), np.nan))
    gemm.packed_gemm(C, A, packed(B), a_rows, start, start_rows)
    assert_close(C, expected("NN", A[a_rows], B, start[start_rows].astype(np.float64)), 2e-6, "C")
    assert_guards_whole(C)


def test_packed_product_of_some_columns_leaves_the_others():
    A, B = operands("NN", 17, 41, 13)
    start, C = (RNG.standard_normal((17, 41)).astype(np.float32) for _ in range(2))
    untouched = C[:, 19:].copy()
    memory = np.empty(gemm.packed_size(19, 13), np.float32)
    gemm.pack(memory, B, columns=19)
    gemm.packed_gemm(C, A, memory, start=start, columns=19)
    assert_close(C[:, :19], expected("NN", A, B[:, :19].copy(), start[:, :19].astype(np.float64)), 2e-6)
    np.testing.assert_array_equal(C[:, 19:], untouched)
    twice = np.ascontiguousarray(np.concatenate([B[:, :19].T, B[:, :19].T], axis=1))
    gemm.pack(memory, twice, transposed=True, columns=13)
    again = np.empty_like(C)
    gemm.packed_gemm(again, A, memory, start=start, columns=19)
    np.testing.assert_array_equal(again[:, :19], C[:, :19])
    with pytest.raises(ValueError, match=r"`columns` must be at most 41\. Received: 42"):
        gemm.pack(memory, B, columns=42)


def test_packed_product_of_no_terms_and_no_rows():
    start = np.array([[1, -2, 3]], np.float32)
    C = np.full((1, 3), np.nan, np.float32)
    gemm.packed_gemm(C, np.empty((1, 0), np.float32), packed(np.empty((0, 3), np.float32)), start=start)
    np.testing.assert_array_equal(C, start)
    B = RNG.standard_normal((5, 3)).astype(np.float32)
    gemm.packed_gemm(np.empty((0, 3), np.float32), np.empty((0, 5), np.float32), packed(B))


@pytest.mark.parametrize("rows, columns, left", [(3, 7, 0), (2, 43, 0), (1000, 17, 956)])
def test_product_looks_ahead_as_far_as_it_comes(rows, columns, left):
    # 13 * 331 products ask for 89 lines, and a row of 17 floats has two
    A, B = (RNG.standard_normal(shape).astype(np.float32) for shape in ((13, 331), (331, 5)))
    C, without = np.empty((2, 13, 5), np.float32)
    ahead = RNG.standard_normal((rows, columns)).astype(np.float32)
    kept = ahead.copy()
    assert gemm.packed_gemm(without, A, packed(B)) == 0
    assert gemm.packed_gemm(C, A, packed(B), ahead=ahead) == left
    np.testing.assert_array_equal(C, without)
    np.testing.assert_array_equal(ahead, kept)


# (M, N, taps, depth, step): tiles and vectors, then above MC rows and NR columns, and all of FK_GEMM_DEPTH
TAPS = [
    (1, 1, 1, 1, 1),
    (5, 3, 2, 7, 1),
    (13, 37, 5, 3, 2),
    (131, 17, 11, 1, 1),
    (29, 103, 7, 73, 3),
    (127, 5, 1, 512, 1),
]


@pytest.mark.parametrize(("M", "N", "taps", "depth", "step"), TAPS)
@pytest.mark.parametrize("added", [False, True])
def test_packed_product_of_rows_in_pieces(M, N, taps, depth, step, added):
    """The bits are those of gemm with the pieces copied side by side."""
    memory = guarded(RNG.standard_normal(2003))
    offsets = RNG.permutation(700)[:taps].astype(np.int64)  # in no order, and they may overlap
    a_rows = RNG.integers(0, 2003 - 700 - (depth - 1) * step, M, np.int32)
    places = a_rows[:, None] + (offsets[:, None] + step * np.arange(depth)).reshape(-1)
    A, (_, B) = memory[places], operands("NN", M, N, taps * depth)
    C = guarded(RNG.standard_normal((M, N)) if added else np.full((M, N), np.nan))
    expected = C.copy()
    gemm.gemm(expected, A, B, accumulate=added)
    gemm.packed_taps(C, memory, a_rows, step, offsets, depth, packed(B), C if added else None)
    np.testing.assert_array_equal(C, expected)
    assert_guards_whole(C)


@pytest.mark.parametrize(
    ("row", "taps", "depth", "message"),
    [
        (0, [0, 5], 6, "must stay in the 10 floats"),
        (5, [0, 1], 5, "must stay in the 10 floats"),
        (-1, [0, 1], 5, "must stay in the 10 floats"),
        (0, [0] * 103, 5, "1 to 512 products.*103 taps of 5"),
        (0, [], 5, "1 to 512 products"),
    ],
)
def test_pieces_outside_the_memory_are_refused(row, taps, depth, message):
    B = np.zeros((len(taps) * depth, 3), np.float32)
    rows, taps = np.full(2, row, np.int32), np.array(taps, np.int64)
    with pytest.raises(ValueError, match=message):
        gemm.packed_taps(np.zeros((2, 3), np.float32), np.zeros(10, np.float32), rows, 1, taps, depth, packed(B))


# --- the formula, and what the wrapper refuses ------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_naive_twin_is_the_reference(form):
    M, N, K = 5, 7, 11
    A, B = operands(form, M, N, K)
    bias = guarded(RNG.standard_normal(N))
    C = guarded(np.full((M, N), np.nan))
    gemm.naive(C, A, B, *FORMS[form], bias)
    assert_close(C, expected(form, A, B, bias.astype(np.float64)), 1e-6, "C")
    assert_guards_whole(C)


def array(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gemm.gemm(array(2, 3), array(2, 5), array(4, 3)), "`B`.*\\(5, 3\\)"),
        (lambda: gemm.gemm(array(2, 3), array(4, 5), array(5, 3)), "`A`.*\\(2, 5\\)"),
        (lambda: gemm.gemm(array(2, 3), array(5), array(5, 3)), "`A`"),
        (lambda: gemm.gemm(array(2, 3), array(2, 5), array(3, 5), bias=array(3)), "`B`"),
        (lambda: gemm.gemm(array(2, 3), array(2, 5), array(5, 3), bias=array(2)), "`bias`"),
        (
            lambda: gemm.gemm(array(2, 3), array(2, 5), array(5, 3), accumulate=True, bias=array(3)),
            "`accumulate`",
        ),
        (
            lambda: gemm.gemm(array(2, 3), array(2, 5), array(5, 3), activation=activations.Activation("softmax")),
            "softmax",
        ),
        (lambda: gemm.packed_gemm(array(2, 3), array(2, 5), array(3)), "`packed`"),
        (
            lambda: gemm.packed_gemm(array(2, 3), array(2, 5), packed(array(5, 3)), start=array(2, 2)),
            "`start`",
        ),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_number_of_threads_does_not_change_during_a_product():
    """A product has scratch for as many threads as there were when it began, and asks again inside."""
    started, finished = threading.Event(), []
    a, c = np.ones((2000, 2000), np.float32), np.zeros((2000, 2000), np.float32)

    def multiply():
        started.set()
        gemm.gemm(c, a, a)  # takes 150 ms and more
        finished.append(True)

    before = threads.get_num_threads()
    worker = threading.Thread(target=multiply)
    try:
        threads.set_num_threads(1)
        worker.start()
        started.wait()
        time.sleep(0.05)
        threads.set_num_threads(8)
        assert finished
    finally:
        worker.join()
        threads.set_num_threads(before)
