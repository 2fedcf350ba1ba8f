"""Initializers: values, distributions, seeds, names and configurations."""

import math

import numpy as np
import pytest

from fastkeras import initializers, random_state

N = 200_003  # draws for a statistic; the bounds below are five standard errors
RANDOM = {
    "random_normal": initializers.RandomNormal,
    "random_uniform": initializers.RandomUniform,
    "truncated_normal": initializers.TruncatedNormal,
    "variance_scaling": initializers.VarianceScaling,
    "glorot_uniform": initializers.GlorotUniform,
    "glorot_normal": initializers.GlorotNormal,
    "he_uniform": initializers.HeUniform,
    "he_normal": initializers.HeNormal,
    "lecun_uniform": initializers.LecunUniform,
    "lecun_normal": initializers.LecunNormal,
    "orthogonal": initializers.Orthogonal,
}


def check_moments(values, mean, stddev, kurtosis):
    """Mean and deviation within five standard errors, for a distribution of this kurtosis."""
    values = values.astype(np.float64).ravel()
    n = values.size
    assert abs(values.mean() - mean) < 5 * stddev / math.sqrt(n)
    assert abs(values.std() - stddev) < 5 * stddev * math.sqrt((kurtosis - 1) / 4 / n)


def check_uniform(values, low, high):
    assert low <= values.min() < low + (high - low) * 1e-3
    assert high - (high - low) * 1e-3 < values.max() <= high
    check_moments(values, (low + high) / 2, (high - low) / math.sqrt(12), 1.8)


def check_truncated(values, mean, cut):
    """Normal values cut off at mean +- cut, which is two standard deviations."""
    assert cut * 0.999 < np.abs(values - mean).max() <= cut * (1 + 1e-6)
    # a standard normal cut off at +-2 has variance 0.7737 and kurtosis 2.37
    check_moments(values, mean, cut / 2 * math.sqrt(0.77374), 2.37)


# --- constant --------------------------------------------------------------------------------------------


def test_constants():
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)), np.zeros((2, 3), np.float32))
    np.testing.assert_array_equal(initializers.Ones()((2, 3)), np.ones((2, 3), np.float32))
    np.testing.assert_array_equal(initializers.Constant(2.5)((3,)), np.full(3, 2.5, np.float32))
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)), [[3, 0, 0], [0, 3, 0]])


def test_constant_takes_a_matrix_as_people_give_embeddings():
    matrix = np.arange(6.0).reshape(2, 3)
    initializer = initializers.Constant(matrix)
    np.testing.assert_array_equal(initializer((2, 3)), matrix)
    again = initializers.deserialize(initializers.serialize(initializer))
    np.testing.assert_array_equal(again((2, 3)), matrix)


def test_constant_reads_the_array_of_a_keras_3_file():
    value = {"class_name": "__numpy__", "config": {"value": [1.0, 2.0], "dtype": "float32"}}
    initializer = initializers.deserialize({"class_name": "Constant", "config": {"value": value}})
    np.testing.assert_array_equal(initializer((2,)), [1, 2])


def test_identity_wants_a_matrix():
    with pytest.raises(ValueError, match=r"Identity .*Received: shape=\(2,\)"):
        initializers.Identity()((2,))


# --- random ----------------------------------------------------------------------------------------------


def test_random_normal():
    check_moments(initializers.RandomNormal(0.7, 0.3, seed=1)((N,)), 0.7, 0.3, 3.0)


def test_random_uniform():
    check_uniform(initializers.RandomUniform(-0.3, 0.9, seed=2)((N,)), -0.3, 0.9)


def test_truncated_normal():
    check_truncated(initializers.TruncatedNormal(0.7, 0.3, seed=3)((N,)), 0.7, 0.6)


# fan_in of (401, 499) is 401, fan_out 499, their mean 450
@pytest.mark.parametrize(
    "name, variance",
    [
        ("glorot_uniform", 1 / 450),
        ("glorot_normal", 1 / 450),
        ("he_uniform", 2 / 401),
        ("he_normal", 2 / 401),
        ("lecun_uniform", 1 / 401),
        ("lecun_normal", 1 / 401),
    ],
)
def test_scaled_by_fans(name, variance):
    values = RANDOM[name](seed=4)((401, 499))
    if name.endswith("uniform"):
        check_uniform(values, -math.sqrt(3 * variance), math.sqrt(3 * variance))
    else:
        check_truncated(values, 0.0, 2 * math.sqrt(variance / 0.77374))


@pytest.mark.parametrize("mode, n", [("fan_in", 401), ("fan_out", 499), ("fan_avg", 450)])
def test_variance_scaling_modes(mode, n):
    values = initializers.VarianceScaling(3.0, mode, "untruncated_normal", seed=5)((401, 499))
    check_moments(values, 0.0, math.sqrt(3.0 / n), 3.0)
    check_uniform(
        initializers.VarianceScaling(3.0, mode, "uniform", seed=5)((401, 499)),
        -math.sqrt(9.0 / n),
        math.sqrt(9.0 / n),
    )


@pytest.mark.parametrize(
    "shape, fans",
    [((), (1, 1)), ((5,), (5, 5)), ((3, 7), (3, 7)), ((2, 3, 7), (6, 14)), ((2, 5, 3, 7), (30, 70))],
)
def test_fans(shape, fans):
    assert initializers.compute_fans(shape) == fans


def test_fans_of_named_axes():
    assert initializers.compute_fans((2, 5, 3, 7), [0, 3], [1]) == (14, 5)
    values = initializers.HeUniform(seed=1, input_axes=[1], output_axes=[0])((401, 499))
    check_uniform(values, -math.sqrt(6 / 499), math.sqrt(6 / 499))


@pytest.mark.parametrize("shape", [(7, 7), (11, 5), (5, 11), (2, 3, 5), (2, 3, 11)], ids=str)
def test_orthogonal(shape):
    values = initializers.Orthogonal(gain=2.0, seed=6)(shape)
    assert values.shape == shape
    matrix = values.reshape(-1, shape[-1]).astype(np.float64) / 2.0
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)


def test_orthogonal_matrices_are_uniform():
    """The first element of a random unit vector in the plane is cos(u), u uniform: mean 0, variance 1/2."""
    seeds = range(2000)
    corners = np.array([initializers.Orthogonal(seed=seed)((2, 2)) for seed in seeds])[:, 0, 0]
    assert abs(corners.mean()) < 5 * math.sqrt(0.5 / len(seeds))
    assert abs(corners.var() - 0.5) < 5 * math.sqrt(0.125 / len(seeds))


def test_orthogonal_wants_two_axes():
    with pytest.raises(ValueError, match=r"Orthogonal: .*Received: shape=\(3,\)"):
        initializers.Orthogonal()((3,))


# --- seeds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_repeats(name):
    shape = (5, 7)
    values = RANDOM[name](seed=11)(shape)
    assert values.dtype == np.float32
    assert np.unique(values).size == values.size
    np.testing.assert_array_equal(RANDOM[name](seed=11)(shape), values)
    assert not np.intersect1d(RANDOM[name](seed=12)(shape), values).size


@pytest.mark.parametrize("name", RANDOM)
def test_one_instance_repeats_itself_and_two_differ(name):
    first, second = RANDOM[name](), RANDOM[name]()
    np.testing.assert_array_equal(first((5, 7)), first((5, 7)))
    assert not np.intersect1d(first((5, 7)), second((5, 7))).size


@pytest.mark.parametrize("name", RANDOM)
def test_the_global_seed_repeats(name):
    random_state.set_random_seed(3)
    values = initializers.get(name)((5, 7))
    random_state.set_random_seed(3)
    np.testing.assert_array_equal(initializers.get(name)((5, 7)), values)


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_generator_gives_new_values_every_time(name):
    initializer = RANDOM[name](seed=random_state.SeedGenerator(3))
    first, second = initializer((5, 7)), initializer((5, 7))
    assert not np.intersect1d(first, second).size
    again = initializers.deserialize(initializers.serialize(initializer))
    np.testing.assert_array_equal(again((5, 7)), first)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_types(name, dtype):
    values = RANDOM[name](seed=1)((3, 5), dtype=dtype)
    assert values.dtype == dtype
    assert values.shape == (3, 5)


def test_float64_is_drawn_with_its_own_precision():
    values = initializers.RandomUniform(seed=1)((100,), dtype="float64")
    assert not np.array_equal(values, values.astype(np.float32))


@pytest.mark.parametrize("name", ["random_normal", "random_uniform", "truncated_normal", "glorot_uniform"])
def test_scalars_and_nothing(name):
    assert RANDOM[name](seed=1)(()).shape == ()
    assert RANDOM[name](seed=1)((0, 3)).shape == (0, 3)


# --- names and configurations ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, cls",
    [
        *RANDOM.items(),
        *((cls.__name__, cls) for cls in RANDOM.values()),
        ("zeros", initializers.Zeros),
        ("Zeros", initializers.Zeros),
        ("zero", initializers.Zeros),
        ("ones", initializers.Ones),
        ("one", initializers.Ones),
        ("constant", initializers.Constant),
        ("identity", initializers.Identity),
        ("IdentityInitializer", initializers.Identity),
        ("OrthogonalInitializer", initializers.Orthogonal),
        ("uniform", initializers.RandomUniform),
        ("normal", initializers.RandomNormal),
    ],
)
def test_get_by_name(name, cls):
    assert type(initializers.get(name)) is cls


def test_get_takes_objects_classes_functions_and_arrays():
    assert initializers.get(None) is None
    zeros = initializers.Zeros()
    assert initializers.get(zeros) is zeros
    assert type(initializers.get(initializers.HeNormal)) is initializers.HeNormal

    def mine(shape, dtype=None):
        return np.full(shape, 3, dtype or "float32")

    assert initializers.get(mine) is mine
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(initializers.get(values)((2, 3)), values)
    assert initializers.get(values)((2, 3)).dtype == np.float32
    with pytest.raises(ValueError, match=r"must have shape \(3, 2\)\. Received: \(2, 3\)"):
        initializers.get(values)((3, 2))


def test_lower_case_names_are_attributes_as_in_keras():
    assert initializers.glorot_uniform is initializers.GlorotUniform
    assert type(initializers.he_normal(seed=1)) is initializers.HeNormal
    with pytest.raises(AttributeError, match=r"Did you mean 'HeNormal'"):
        _ = initializers.HeNorml


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"Unknown initializer. Did you mean 'glorot_uniform'"):
        initializers.get("glorot_unifrom")
    with pytest.raises(ValueError, match=r"Could not interpret the initializer.*Received: 3"):
        initializers.get(3)


@pytest.mark.parametrize(
    "initializer",
    [
        initializers.Zeros(),
        initializers.Ones(),
        initializers.Constant(0.3),
        initializers.Identity(2.0),
        initializers.RandomNormal(0.1, 0.2, 3),
        initializers.RandomUniform(-0.1, 0.2, 3),
        initializers.TruncatedNormal(0.1, 0.2, 3),
        initializers.VarianceScaling(2.0, "fan_out", "uniform", 3, [0], [1]),
        initializers.GlorotUniform(3),
        initializers.HeNormal(3, input_axes=[1], output_axes=[0]),
        initializers.Orthogonal(0.5, 3),
    ],
    ids=lambda initializer: type(initializer).__name__,
)
def test_configurations_make_equal_initializers(initializer):
    config = initializers.serialize(initializer)
    assert config["module"] == "keras.initializers"
    assert config["registered_name"] is None
    again = initializers.deserialize(config)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    np.testing.assert_array_equal(again((3, 5)), initializer((3, 5)))
    np.testing.assert_array_equal(initializer.clone()((3, 5)), initializer((3, 5)))


# As files of Keras 3, of tf_keras, of Keras 2.2 and of TensorFlow 1 have them.
@pytest.mark.parametrize(
    "config, cls, arguments",
    [
        (
            {
                "module": "keras.initializers",
                "class_name": "GlorotUniform",
                "config": {"seed": None, "input_axes": None, "output_axes": None},
                "registered_name": None,
            },
            initializers.GlorotUniform,
            {"seed": None},
        ),
        ({"class_name": "GlorotUniform", "config": {"seed": 5}}, initializers.GlorotUniform, {"seed": 5}),
        (
            {
                "class_name": "VarianceScaling",
                "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "normal", "seed": None},
            },
            initializers.VarianceScaling,
            {"scale": 1.0, "mode": "fan_avg", "distribution": "truncated_normal"},
        ),
        (
            {"class_name": "Orthogonal", "config": {"gain": 1.5, "seed": None, "dtype": "float32"}},
            initializers.Orthogonal,
            {"gain": 1.5},
        ),
        (
            {"class_name": "OrthogonalInitializer", "config": {"gain": 2.0}},
            initializers.Orthogonal,
            {"gain": 2.0},
        ),
        ({"class_name": "Zeros", "config": {"dtype": "float32"}}, initializers.Zeros, {}),
        ({"class_name": "Zeros"}, initializers.Zeros, {}),
    ],
)
def test_configurations_of_keras(config, cls, arguments):
    initializer = initializers.get(config)
    assert type(initializer) is cls
    assert arguments.items() <= initializer.get_config().items()


def test_functions_are_kept_by_name():
    def mine(shape, dtype=None):
        return np.ones(shape, dtype)

    config = initializers.serialize(mine)
    assert initializers.deserialize(config, {"mine": mine}) is mine
    with pytest.raises(ValueError, match=r"Unknown initializer.*Received: 'mine'"):
        initializers.deserialize(config)


def test_classes_of_the_user_come_from_custom_objects():
    class Twos(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 2, dtype)

    config = initializers.serialize(Twos())
    assert config["registered_name"] == "Twos"
    assert type(initializers.deserialize(config, {"Twos": Twos})) is Twos
    with pytest.raises(ValueError, match=r"Unknown initializer.*Received: 'Twos'"):
        initializers.deserialize(config)


@pytest.mark.parametrize("config", [{}, {"class_name": 3}, {"config": {}}, 5])
def test_damaged_configurations_are_named(config):
    with pytest.raises(ValueError, match=r"configuration of the initializer must be a dictionary"):
        initializers.deserialize(config)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: initializers.VarianceScaling(scale=0), "VarianceScaling: `scale` must be positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), "`mode` must be one of .* Received: mode='fan'"),
        (lambda: initializers.VarianceScaling(distribution="x"), "`distribution` must be one of"),
        (lambda: initializers.HeNormal(seed=1.5), "HeNormal: `seed` must be an integer"),
        (lambda: initializers.HeNormal(seed="1"), "HeNormal: `seed` must be an integer"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
