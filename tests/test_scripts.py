"""Scripts as learners write them run as they stand by `python -m fastkeras`, and compute what TensorFlow does."""

import json
import math
from pathlib import Path

import pytest
from live import needs_tensorflow
from script_cases import FOLDER, PEERS, SLOW, results, run, run_with_tensorflow

FIXTURES = json.loads((Path(__file__).with_name("fixtures") / "scripts.json").read_text())


def assert_same(ours, theirs, place):
    """Equal, but for numbers: to 1e-4 of their size, or 2e-5."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), place
        for key, value in theirs.items():
            assert_same(ours[key], value, f"{place}, {key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), place
        for i, value in enumerate(theirs):
            assert_same(ours[i], value, f"{place}, {i}")
    elif isinstance(theirs, float):
        assert math.isclose(ours, theirs, rel_tol=1e-4, abs_tol=2e-5), f"{place}: {ours} instead of {theirs}"
    else:
        assert ours == theirs, place


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """computed(name): what a script has computed with fastkeras; each runs once."""
    done = {}

    def compute(name):
        if name not in done:
            done[name] = run(FOLDER / f"{name}.py", tmp_path_factory.mktemp(name))
        assert done[name].returncode == 0, done[name].stderr
        return done[name]

    return compute


@pytest.mark.parametrize("name", PEERS)
def test_computes_what_tensorflow_did(name, computed):
    done = computed(name)
    assert_same(results(done.stdout), FIXTURES[name], name)
    if not name.startswith("t3"):
        assert done.stderr == ""  # neither warnings nor notices: the script is written in today's spellings


@pytest.mark.parametrize("peer", ["keras", "tf_keras"])
@needs_tensorflow
def test_computes_what_tensorflow_does(peer, computed):
    names = [name for name in PEERS if PEERS[name] == peer and name not in SLOW]
    for name, theirs in run_with_tensorflow(names, peer).items():
        assert_same(results(computed(name).stdout), theirs, name)


def test_every_script_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == PEERS.keys() == FIXTURES.keys()
    assert {path.stem for path in (FOLDER / "modern").glob("*.py")} <= PEERS.keys()


@pytest.mark.parametrize("wrong", [0.7302, 0.0, -0.7301, 1.4602, math.nan])
def test_a_wrong_number_is_noticed(wrong):
    with pytest.raises(AssertionError):
        assert_same({"loss": [0.5, wrong]}, {"loss": [0.5, 0.7301]}, "script")
