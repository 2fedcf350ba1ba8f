"""What holds for every test."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))  # for the package benchmarks; after an installed fastkeras


def pytest_collection_modifyitems(items):
    """A test marked `needs("tensorflow")` is skipped where that module is not installed.

    `pytest -m needs` runs these tests alone: what a run without the modules has left out.
    """
    for item in items:
        for mark in item.iter_markers("needs"):
            for module in mark.args:
                if importlib.util.find_spec(module) is None:
                    reason = f"{module} is not installed (the extra `compare` has it)"
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def generators():
    """The modules' random generators, each with its state once all modules are loaded."""
    modules = [m for m in sys.modules.values() if Path(getattr(m, "__file__", None) or "").parent == HERE]
    found = {id(v): v for m in modules for v in vars(m).values() if isinstance(v, np.random.Generator)}
    return [(g, g.bit_generator.state) for g in found.values()]


@pytest.fixture(autouse=True)
def its_own_draws(generators):
    """A test draws the same numbers whichever tests ran before it."""
    for generator, start in generators:
        generator.bit_generator.state = start
