"""What the benchmarks run in: processes of their own, their environments, the disk they take, the machine."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import compare, installed, libraries, machine, worker
from benchmarks.peer import MissingError, Peer, PeerError

THREADS = {
    "fastkeras": {"OMP_NUM_THREADS"},
    "tf": {"TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"},
    "tf_keras": {"TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"},
    "jax": set(),  # which counts the processors that it may use
    "torch": {"OMP_NUM_THREADS"},
    "numpy": {"OPENBLAS_NUM_THREADS"},
}


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_the_environment_is_ours_but_for_threads_and_what_tunes_openblas(name):
    inherited = {"HOME": "/home", "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "1", "OMP_NUM_THREADS": "64"}
    environment = libraries.environment(name, 5, inherited)
    assert (environment["HOME"], environment["CUDA_VISIBLE_DEVICES"]) == ("/home", "-1")
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(environment)
    assert {key for key, value in environment.items() if value == "5"} == THREADS[name]


def test_a_missing_library_and_an_error_are_answers(monkeypatch):
    nowhere = libraries.Kind("nowhere", ("no_such_module",), {})
    monkeypatch.setitem(libraries.LIBRARIES, "nowhere", nowhere)
    assert worker.Worker("nowhere", 1).answer("load") == {"missing": "No module named 'no_such_module'"}
    assert "AttributeError" in worker.Worker("numpy", 1).answer("measure", case="a")["error"]


def test_peers_that_cannot_run_are_missing(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')  # no site-packages, so no numpy
    bare.chmod(0o755)
    found = compare.find_peers({"jax": str(tmp_path / "nothing"), "torch": str(bare)}, 1)
    assert found["versions"] == found["installed"] == {}
    assert "No such file or directory" in found["missing"]["jax"]
    assert "No module named 'numpy'" in found["missing"]["torch"]


def test_a_peer_works_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path)
    with Peer("numpy", sys.executable, 1) as peer:
        assert peer.load()["numpy"] == np.__version__
        with pytest.raises(PeerError, match="KeyError: 'no-such-workload'"):
            peer.start("no-such-workload", path)
        assert peer.start("gemm", path) == {"first": None, "units": 1}
        assert peer.losses() == []
        assert 1e6 < peer.installed() < 1e9
        assert 0 < peer.measure("32 x 8 x 4 y") < 1
        if sys.platform == "linux":
            assert 1e6 < peer.memory() < 1e9
            assert 0 <= peer.disturbance() <= 1
        peer._process.kill()
        with pytest.raises(PeerError, match="the process ended"):
            peer.measure("32 x 8 x 4 y")


@pytest.mark.parametrize(
    ("other_work", "capacity", "share"),
    [(0.5, 2.0, 0.25), (-0.01, 2.0, 0.0), (2.01, 2.0, 1.0), (0.0, 0.0, None)],
)
def test_the_share_of_others_is_between_none_and_all_of_the_time(other_work, capacity, share):
    assert Peer.disturbance(SimpleNamespace(_other_work=other_work, _capacity=capacity)) == share


def test_an_interpreter_that_is_not_there_is_missing():
    with pytest.raises(MissingError, match="no-such-python"):
        Peer("numpy", "no-such-python", 1)


def test_the_disk_that_a_library_takes_includes_what_it_needs(tmp_path, monkeypatch):
    for name, required in {"one": ["two >=1; python_version > '3'", 'three; extra == "more"', "absent"], "two": ["One"],
                           "three": []}.items():  # fmt: skip
        package, about = tmp_path / name, tmp_path / f"{name}-1.dist-info"
        package.mkdir()
        about.mkdir()
        (package / "__init__.py").write_bytes(b"#" * 1000)
        (package / "weights.bin").write_bytes(b"#" * 70)
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n" + "".join(f"Requires-Dist: {r}\n" for r in required)
        )
        (about / "RECORD").write_text(f"{name}/__init__.py,,\n{name}/weights.bin,,\n{name}/gone.py,,\n")
        (about / "top_level.txt").write_text(name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed.size(["three"]) == 1070
    assert installed.size(["one"]) == installed.size(["two"]) == installed.size(["one", "two"]) == 2140
    monkeypatch.setitem(installed.NEEDED_BY_A_CHECKOUT, "built", ("three",))
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "__init__.py").write_bytes(b"#" * 300)
    (tmp_path / "built" / "kernel.c").write_bytes(b"#" * 9000)
    assert installed.size(["built"]) == 1370


def test_the_machine_is_described(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 4, 7}, raising=False)
    found = machine.describe("processor\t: 0\nmodel name\t: A processor\nflags\t\t: sse2 avx2 fma avx512f\n")
    assert found["cpu"] == "A processor"
    assert found["instruction set"] == "AVX-512"
    assert machine.describe("Features\t: fp asimd\n")["instruction set"] == "NEON"
    assert found["processors"] == 3
