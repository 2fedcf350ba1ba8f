"""Seeds: what repeats, what does not, and that the distribution of what is drawn is right."""

import random

import numpy as np
import pytest

from fastkeras import random_state


def draws():
    """A bit of everything that takes its seed from the global source."""
    generator = random_state.SeedGenerator()
    return (
        [generator.next(), generator.next(), random_state.SeedGenerator().next(), random_state.draw()],
        random_state.permutation(11).tolist(),
        random.random(),
        np.random.random(),
    )


def test_set_random_seed_repeats_everything():
    random_state.set_random_seed(7)
    first = draws()
    assert draws() != first
    random_state.set_random_seed(7)
    assert draws() == first
    random_state.set_random_seed(8)
    assert draws() != first


def test_unseeded_generators_differ_and_depend_on_the_order_they_are_made_in():
    random_state.set_random_seed(1)
    a, b = random_state.SeedGenerator(), random_state.SeedGenerator()
    assert a.seed != b.seed
    random_state.set_random_seed(1)
    assert random_state.SeedGenerator().seed == a.seed


def test_a_seed_generator_repeats_by_its_seed_and_never_repeats_itself():
    first, second = random_state.SeedGenerator(5), random_state.SeedGenerator(5)
    pairs = [first.next() for _ in range(4)]
    assert pairs == [(5, 0), (5, 1), (5, 2), (5, 3)]
    assert [second.next() for _ in range(4)] == pairs


def test_state_continues_a_stream():
    first, second = random_state.SeedGenerator(5), random_state.SeedGenerator()
    first.next()
    assert first.state.dtype == np.int64
    second.state = first.state
    assert second.next() == first.next() == (5, 1)


def test_config_keeps_the_seed_as_given():
    assert random_state.SeedGenerator().get_config() == {"seed": None, "name": "seed_generator"}
    config = random_state.SeedGenerator(3, name="mine").get_config()
    assert config == {"seed": 3, "name": "mine"}
    assert random_state.SeedGenerator.from_config(config).next() == (3, 0)


def test_keys_are_unsigned_64_bit_integers_whatever_the_seed():
    for seed in (-1, -(2**63), 2**63 - 1):
        generator = random_state.SeedGenerator(seed)
        assert generator.state.tolist() == [seed, 0]
        assert generator.next() == random_state.draw(seed) == (seed % 2**64, 0)


def test_draw_takes_all_three_kinds_of_seed():
    assert random_state.draw(9) == random_state.draw(9) == (9, 0)
    generator = random_state.SeedGenerator(4)
    assert [random_state.draw(generator) for _ in range(2)] == [(4, 0), (4, 1)]
    assert random_state.draw() != random_state.draw()


def test_numpy_generators_of_one_seed_are_equal_and_of_two_counters_are_not():
    generator = random_state.SeedGenerator(4)
    first, second = (random_state.numpy_generator(generator).random(50) for _ in range(2))
    assert np.array_equal(first, random_state.numpy_generator(4).random(50))
    assert not np.intersect1d(first, second).size


def test_permutation():
    order = random_state.permutation(1009, seed=2)
    np.testing.assert_array_equal(np.sort(order), np.arange(1009))
    np.testing.assert_array_equal(order, random_state.permutation(1009, seed=2))
    assert np.mean(order == np.arange(1009)) < 0.02
    assert random_state.permutation(0).shape == (0,)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None, True])
def test_set_random_seed_names_what_is_wrong(seed):
    with pytest.raises(ValueError, match=r"set_random_seed: `seed` must be an integer .* Received: seed="):
        random_state.set_random_seed(seed)


@pytest.mark.parametrize("seed", [1.5, "1", True, 2**63])
def test_seed_generator_names_what_is_wrong(seed):
    with pytest.raises(
        ValueError, match=r"SeedGenerator: `seed` must be an integer of 64 bits or None. Received: seed="
    ):
        random_state.SeedGenerator(seed)
