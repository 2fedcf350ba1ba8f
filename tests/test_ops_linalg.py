"""fastkeras.ops: factors of matrices, their gradients, distances and ranks."""

import numpy as np
import pytest
from checks import assert_close
from op_cases import assert_gradient

import fastkeras
from fastkeras import ops


def symmetric(x):
    """Positive definite, of eigenvalues that differ."""
    return ops.matmul(x, ops.swapaxes(x, -1, -2)) + np.diag(np.arange(1.0, 4.0))


FACTORS = {
    "cholesky": lambda a: ops.cholesky(a),
    "cholesky upper": lambda a: ops.cholesky(a, upper=True),
    "eigh values": lambda a: ops.eigh(a)[0],
    "eigh vectors": lambda a: ops.eigh(a)[1],
    "logdet": lambda a: ops.logdet(a),
    "slogdet": lambda a: ops.slogdet(-a)[1],
    "cholesky_inverse": lambda a: ops.cholesky_inverse(ops.cholesky(a)),
}


@pytest.mark.parametrize("name", FACTORS)
def test_gradients_of_factors_of_symmetric_matrices(name):
    x = np.random.default_rng(4).normal(size=(2, 3, 3))
    assert_gradient(lambda x: FACTORS[name](symmetric(x)), x)


def test_factors_make_the_matrix_again():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(2, 5, 3)).astype(np.float32)
    for full in (True, False):
        u, s, vt = (np.asarray(part) for part in ops.svd(x, full_matrices=full))
        assert_close(u[..., :3] @ (s[..., None] * vt), x, 1e-5)
    for mode, columns in (("reduced", 3), ("complete", 5)):
        q, r = (np.asarray(part) for part in ops.qr(x, mode=mode))
        assert q.shape == (2, 5, columns)
        assert_close(q @ r, x, 1e-5)
    a = np.asarray(symmetric(rng.normal(size=(3, 3))))
    w, v = (np.asarray(part) for part in ops.eigh(a))
    assert_close(v * w @ v.T, a, 1e-12)
    L = np.asarray(ops.cholesky(a))
    assert_close(L @ L.T, a, 1e-12)
    assert_close(ops.cholesky_inverse(L), np.linalg.inv(a), 1e-10)
    assert_close(ops.cholesky_inverse(L.T, upper=True), np.linalg.inv(a), 1e-10)
    assert ops.slogdet(-a)[0] == -1


def test_what_has_no_gradient_says_so():
    x = ops.convert_to_tensor(np.eye(3, dtype=np.float32) + 1)
    for name in ("qr", "svd"):
        with fastkeras.GradientTape() as tape:
            tape.watch(x)
            y = getattr(ops, name)(x)[0]
        with pytest.raises(NotImplementedError, match=f"ops.{name} has no gradient"):
            tape.gradient(y, x)
    with fastkeras.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with pytest.raises(NotImplementedError, match=r"ops\.eigh: its gradient has no gradient"):
            tape.gradient(ops.eigh(x)[0], x)


def test_distances_and_ranks():
    x = fastkeras.Variable([[0.0, 0.0], [3.0, 4.0]])
    with fastkeras.GradientTape() as tape:
        y = ops.cdist(x, [[0.0, 0.0]])
    np.testing.assert_array_equal(y, [[0], [5]])
    np.testing.assert_allclose(tape.gradient(y, x), [[0, 0], [0.6, 0.8]], rtol=1e-6)
    assert ops.matrix_rank(np.float32([[1, 2], [2, 4]])) == 1
    singular = np.float32([[1, 2], [2, 4]])
    assert_close(ops.pinv(singular), np.linalg.pinv(singular), 1e-5)
    np.testing.assert_array_equal(
        ops.nextafter(np.float32([1, 1]), np.float32([2, 0])), np.nextafter(np.float32([1, 1]), np.float32([2, 0]))
    )
    np.testing.assert_array_equal(np.asarray(ops.argpartition([5, 1, 3], 1))[1], 2)
