"""fastkeras.random: what repeats, what is drawn (means and variances), and gradients through dropout and shuffle."""

import numpy as np
import pytest
from checks import assert_close

import fastkeras as keras
from fastkeras import ops, random

DRAWS = {
    "normal": lambda seed: random.normal((2, 5), seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((2, 5), seed=seed),
    "uniform": lambda seed: random.uniform((2, 5), seed=seed),
    "randint": lambda seed: random.randint((2, 5), 0, 1000, seed=seed),
    "gamma": lambda seed: random.gamma((2, 5), 2.0, seed=seed),
    "beta": lambda seed: random.beta((2, 5), 2.0, 3.0, seed=seed),
    "binomial": lambda seed: random.binomial((2, 5), 1000, 0.5, seed=seed),
    "categorical": lambda seed: random.categorical(np.zeros((2, 100)), 5, seed=seed),
    "dropout": lambda seed: random.dropout(np.ones((2, 50), np.float32), 0.5, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(100), seed=seed),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_seeds_repeat_and_generators_go_on(draw):
    np.testing.assert_array_equal(draw(5), draw(5))
    assert (np.asarray(draw(5)) != draw(6)).any()
    first, second = random.SeedGenerator(5), random.SeedGenerator(5)
    series = [np.asarray(draw(first)) for _ in range(2)]
    assert (series[0] != series[1]).any()
    np.testing.assert_array_equal(series, [draw(second) for _ in range(2)])
    keras.utils.set_random_seed(3)
    fresh = [np.asarray(draw(None)) for _ in range(2)]
    assert (fresh[0] != fresh[1]).any()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(fresh, [draw(None) for _ in range(2)])


N = 20000


@pytest.mark.parametrize(
    ("drawn", "mean", "variance"),
    [
        (lambda: random.normal((N,), 2.0, 3.0, seed=1), 2, 9),
        (lambda: random.truncated_normal((N,), 2.0, 3.0, seed=1), 2, 9 * 0.87962566103423978**2),
        (lambda: random.uniform((N,), -1.0, 3.0, seed=1), 1, 16 / 12),
        (lambda: random.randint((N,), 2, 5, seed=1), 3, 2 / 3),
        (lambda: random.gamma((N,), 3.0, seed=1), 3, 3),
        (lambda: random.beta((N,), 2.0, 3.0, seed=1), 0.4, 0.04),
        (lambda: random.binomial((N,), 10, 0.3, seed=1), 3, 2.1),
        (lambda: random.categorical(np.log([[0.2, 0.5, 0.3]]), N, seed=1), 1.1, 0.49),
        (lambda: random.dropout(np.ones(N, np.float32), 0.2, seed=1), 1, 0.25),
    ],
    ids=[
        "normal", "truncated_normal", "uniform", "randint", "gamma", "beta", "binomial", "categorical", "dropout"
    ],
)  # fmt: skip
def test_means_and_variances(drawn, mean, variance):
    x = np.asarray(drawn(), np.float64)
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / N)
    assert abs(x.var() / variance - 1) < 0.06


def test_types_and_bounds():
    assert random.normal((2,)).dtype == random.binomial((2,), 3, 0.5).dtype == np.float32
    assert random.uniform((2,), dtype="float64").dtype == np.float64
    x = random.randint((1000,), -2, 2)
    assert x.dtype == np.int32 and sorted(set(x.tolist())) == [-2, -1, 0, 1]
    assert abs(np.asarray(random.truncated_normal((5000,), stddev=0.5))).max() <= 1
    assert ops.is_tensor(random.normal((2,))) and random.normal(3).shape == (3,)
    np.testing.assert_array_equal(random.binomial((2, 2), [0, 5], [0.5, 1.0]), [[0, 5], [0, 5]])


def test_dropout_scales_what_it_keeps_and_so_its_gradient():
    x = ops.convert_to_tensor(np.full((3, 40), 2.0, np.float32))
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = random.dropout(x, 0.75, noise_shape=(None, 1), seed=2)
    assert set(np.unique(y.numpy())) <= {0.0, 8.0}
    assert (np.asarray(y) == np.asarray(y)[:, :1]).all()  # a row shares its fate
    assert_close(tape.gradient(y, x), np.asarray(y) / 2, 1e-6)
    assert len(set(np.asarray(random.dropout(x, 0.5, seed=1))[0])) == 2


def test_shuffle_moves_whole_parts_and_their_gradients():
    x = ops.convert_to_tensor(np.arange(20.0, dtype=np.float32).reshape(10, 2))
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = random.shuffle(x, seed=4)
        total = ops.sum(y[0] * 3)
    assert sorted(np.asarray(y).tolist()) == np.asarray(x).tolist() != np.asarray(y).tolist()
    np.testing.assert_array_equal(tape.gradient(total, x)[int(y[0, 0]) // 2], [3, 3])
    assert sorted(np.asarray(random.shuffle(x, axis=1, seed=1))[0].tolist()) == [0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.uniform((2,), dtype="int32"), "Received: dtype=int32"),
        (lambda: random.randint((2,), 0, 3, dtype="float32"), "Received: dtype=float32"),
        (lambda: random.normal((None, 2)), r"Received: shape=\(None, 2\)"),
        (lambda: random.categorical(np.zeros(3), 2), r"Received: shape \(3,\)"),
        (lambda: random.dropout(np.ones(3), 1.0), "Received: rate=1.0"),
        (lambda: random.normal((2,), seed="x"), "Received: seed='x'"),
    ],
)
def test_errors_say_what_was_received(call, message):
    with pytest.raises(ValueError, match=message):
        call()
