"""Scripts as learners write them run as they stand by `python -m fastkeras`, and compute what TensorFlow does."""

import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from live import needs_tensorflow
from running import run_file
from script_cases import FAILING, FOLDER, PEERS, results, run_with_tensorflow

FIXTURES = json.loads((Path(__file__).with_name("fixtures") / "scripts.json").read_text())

LINES = [
    "_" * 65,
    "Layer (type)                 Output Shape              Param #   ",
    "=" * 65,
    "dense (Dense)                (None, 8)                 40        ",
    "_" * 65,
    "dense_1 (Dense)              (None, 1)                 9         ",
    "=" * 65,
    "Total params: 49",
    "Trainable params: 49",
    "Non-trainable params: 0",
    "_" * 65,
]


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
            done[name] = run_file(tmp_path_factory.mktemp(name), FOLDER / f"{name}.py")
        assert done[name].returncode == 0, done[name].stderr
        return done[name]

    return compute


@pytest.mark.parametrize("name", PEERS)
def test_computes_what_tensorflow_did(name, computed):
    done = computed(name)
    assert_same(results(done.stdout), FIXTURES[name], name)
    if name.startswith("t3"):
        assert done.stderr
        for notice in done.stderr.splitlines():
            assert re.fullmatch(rf"{name}\.py:\d+: .+ (is|are) .+ now\.", notice)
    else:
        assert done.stderr == ""  # neither warnings nor notices: the script is written in today's spellings


@needs_tensorflow
def test_computes_what_tensorflow_does(computed):
    def of(peer):
        return run_with_tensorflow([name for name in PEERS if PEERS[name] == peer], peer)

    with ThreadPoolExecutor() as side_by_side:
        for found in side_by_side.map(of, ["keras", "tf_keras"]):
            for name, theirs in found.items():
                assert_same(results(computed(name).stdout), theirs, name)


def test_the_chapter_prints_its_pages(computed):
    """What the script of the chapter prints between its blocks, in the chapter's words."""
    printed = computed("t0_chapter").stdout
    assert "word index: {'the': 1, 'earth': 2, 'is': 3, 'an': 4, 'awesome': 5, 'place': 6, 'live': 7}\n" in printed
    assert "[[1 2 3]\n [4 5 6]\n [0 7 8]]\n(2, 5, 2)\n" in printed
    assert "\n".join(LINES) in printed
    assert re.search(
        r"Epoch 3/3\n7/7 \[={30}\] - \d+s \d+[um]?s/step - loss: 0\.\d{4} - acc: 0\.\d{4} - val_loss: 0\.\d{4} - ",
        printed,
    )
    assert re.search(r"Epoch 4/4\n - \d+s - loss: 0\.\d{4} - acc: 0\.\d{4}\n", printed)


@pytest.mark.parametrize("name", FAILING)
def test_what_cannot_run_says_why(name, tmp_path):
    """The last line names what is wrong and what to write, and the lines above it are the script's own alone."""
    done = run_file(tmp_path, FOLDER / "failing" / f"{name}.py")
    assert done.returncode == 1
    *above, last = done.stderr.splitlines()
    assert FAILING[name] in last
    assert [name in line for line in above if line.startswith("  File ")] == [True]


def test_every_script_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == PEERS.keys() == FIXTURES.keys()
    assert {path.stem for path in (FOLDER / "modern").glob("*.py")} <= PEERS.keys()
    assert {path.stem for path in (FOLDER / "failing").glob("*.py")} == FAILING.keys()


@pytest.mark.parametrize("wrong", [0.7302, 0.0, -0.7301, 1.4602, math.nan])
def test_a_wrong_number_is_noticed(wrong):
    with pytest.raises(AssertionError):
        assert_same({"loss": [0.5, wrong]}, {"loss": [0.5, 0.7301]}, "script")
