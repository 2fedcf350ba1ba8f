"""The guard by instruction counts: what it reads from callgrind, what it calls changed, and what it answers."""

import json

import pytest

from benchmarks import instructions
from fastkeras import _kernels

TOLERANCE = {"kernels": 0.01, "around": 0.05}

CALLGRIND = """# callgrind format
version: 1
positions: line
events: Ir
ob=/usr/lib/python
fl=ceval.c
fn=eval
12 500
13 250
cob=/packages/libfk_avx2.so
cfn=fk_gemm
calls=3 0
14 90000
ob=/packages/libfk_avx2.so
fl=???
fn=fk_gemm
0 60000
cfn=compute_tile
calls=9 0
0 30000
fn=compute_tile
0 30000
totals: 90750
"""


def test_costs_are_counted_where_they_arise():
    assert instructions.by_kind(CALLGRIND) == {
        "kernels": 90_000 // instructions.STEPS,
        "around": 750 // instructions.STEPS,
    }


def test_every_second_mark_ends_the_steps_of_a_model():
    marks = 2 * len(instructions.MODELS)
    files = {i: f"ob=libfk_avx2.so\n0 {10 * i * instructions.STEPS}\n" for i in range(1, marks + 3)}
    found = instructions.steps_of(files)  # two marks before the first model's are somebody else's
    assert [counts["kernels"] for counts in found.values()] == [10 * i for i in range(4, marks + 3, 2)]
    assert list(found) == list(instructions.MODELS)


def test_missing_marks_are_an_error():
    with pytest.raises(instructions.InstructionsError, match=r"saw 1 of .* marks"):
        instructions.steps_of({1: CALLGRIND})


def counts(kernels=1000, around=100):
    return {"kernels": kernels, "around": around}


@pytest.mark.parametrize("kernels", [991, 1000, 1010])
@pytest.mark.parametrize("around", [95, 105])
def test_small_differences_are_no_change(kernels, around):
    assert instructions.changes({"a": counts()}, {"a": counts(kernels, around)}, TOLERANCE) == []


@pytest.mark.parametrize("kernels", [989, 1011, 2000, 0])
def test_more_and_less_are_changes(kernels):
    before, now = {"a": counts(), "b": counts()}, {"a": counts(), "b": counts(kernels)}
    assert instructions.changes(before, now, TOLERANCE) == [("b", "kernels", 1000, kernels)]


def test_a_model_on_one_side_only_is_a_change():
    found = instructions.changes({"old": counts()}, {"new": counts()}, TOLERANCE)
    assert found == [
        ("old", "kernels", 1000, None),
        ("old", "around", 100, None),
        ("new", "kernels", None, 1000),
        ("new", "around", None, 100),
    ]


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A place for the recorded counts, and `count` that finds what is put into the list."""
    found = [{"a": counts()}]
    monkeypatch.setattr(instructions, "RECORDED", tmp_path / "instructions.json")
    monkeypatch.setattr(instructions, "TOLERANCE", TOLERANCE)
    monkeypatch.setattr(instructions, "ISA", _kernels.isa)  # there is no AVX2 library outside x86-64
    monkeypatch.setattr(instructions, "count", lambda: found[0])
    return found


def test_the_exit_code_says_whether_counts_have_changed(recorded, capsys):
    assert instructions.main(["--record"]) == 0
    assert instructions.main([]) == 0
    recorded[0] = {"a": counts(kernels=1200)}
    assert "changed" not in capsys.readouterr().out.splitlines()[-1]
    assert instructions.main([]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "changed" in line)
    assert [cell.strip() for cell in line.strip("|").split("|")] == ["a", "kernels", "1,000", "1,200", "20%", "changed"]
    assert instructions.main(["--record"]) == 0
    assert instructions.main([]) == 0


def test_another_compiler_is_said(recorded, capsys):
    instructions.main(["--record"])
    saved = json.loads(instructions.RECORDED.read_text())
    instructions.RECORDED.write_text(json.dumps({**saved, "compiler": "GCC: (Elsewhere) 99.1"}))
    assert instructions.main([]) == 0
    assert "recorded with compiler GCC: (Elsewhere) 99.1, this is " in capsys.readouterr().out


def test_without_valgrind_the_message_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main([]) == 2
    assert "apt-get install valgrind" in capsys.readouterr().err


def test_the_recorded_counts_are_of_these_models():
    saved = json.loads(instructions.RECORDED.read_text())
    assert list(saved["counts"]) == list(instructions.MODELS)
    assert all(list(found) == list(instructions.KINDS) for found in saved["counts"].values())
    assert set(saved["tolerance"]) == set(instructions.KINDS)


@pytest.mark.parametrize("name", instructions.MODELS)
def test_the_models_train(name):
    import fastkeras

    layers, optimizer, loss, x, y = instructions.MODELS[name](fastkeras)
    model = fastkeras.Sequential(layers)
    model.compile(optimizer, loss)
    first = model.train_on_batch(x, y)
    for _ in range(10):
        last = model.train_on_batch(x, y)
    assert last < first
