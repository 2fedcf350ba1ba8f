"""Weights by name in numpy's .npz."""

import io
import zipfile

import numpy as np
import pytest
from file_cases import branches, random_weights

import fastkeras
from fastkeras.layers import Dense, Input


def small():
    model = fastkeras.Sequential([Input((3,)), Dense(5, name="first"), Dense(2, name="last")])
    random_weights(model, 1)
    return model


def same(ours, theirs):
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_numpy_reads_what_is_exported(tmp_path):
    model = small()
    model.export(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as arrays:
        assert list(arrays) == ["first/kernel", "first/bias", "last/kernel", "last/bias"]
        assert same([arrays[name] for name in arrays], model.get_weights())


@pytest.mark.parametrize(("name", "format"), [("model", None), ("w.npz", "tf_saved_model"), ("w.onnx", "onnx")])
def test_nothing_else_is_exported(tmp_path, name, format):
    with pytest.raises(ValueError, match=r"export writes the weights to a file \*\.npz; a SavedModel.*is not written"):
        small().export(tmp_path / name, format)


def test_weights_come_back_by_their_order(tmp_path):
    """The names that layers get by themselves count on within a process, so they do not count."""
    model, _, _ = branches(fastkeras)
    model.save_weights(tmp_path / "w.npz")
    again, _, _ = branches(fastkeras)
    random_weights(again, 9)
    again.load_weights(tmp_path / "w.npz")
    assert same(again.get_weights(), model.get_weights())


def test_weights_by_name(tmp_path):
    small().export(tmp_path / "w.npz")
    other = fastkeras.Sequential([Input((5,)), Dense(2, name="last"), Dense(4, name="new")])
    before = other.get_weights()
    other.load_weights(tmp_path / "w.npz", by_name=True)
    assert same(other.get_weights(), small().get_weights()[2:] + before[2:])


def test_weights_that_do_not_fit(tmp_path):
    small().export(tmp_path / "w.npz")
    model = fastkeras.Sequential([Input((3,)), Dense(5, name="first"), Dense(4, name="wider")])
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"Layer 'wider' \(Dense\): expected weights of shapes .*w\.npz"):
        model.load_weights(tmp_path / "w.npz")
    assert same(model.get_weights(), before)
    with pytest.warns(UserWarning, match="Layer 'wider'.*keeps its weights"):
        model.load_weights(tmp_path / "w.npz", skip_mismatch=True)
    assert same(model.get_weights(), small().get_weights()[:2] + before[2:])
    with pytest.raises(ValueError, match=r"has 2 weights, but '.*w\.npz' has 4: \['first/kernel'"):
        fastkeras.Sequential([Input((3,)), Dense(5)]).load_weights(tmp_path / "w.npz")


def written(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def stored(array, **options):
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def test_files_that_are_none_or_want_too_much(tmp_path):
    """Objects are never unpickled, and no memory is taken because a header says so."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (3, 10**12)}
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, header)
    good = [stored(w) for w in small().get_weights()]
    (tmp_path / "no.npz").write_bytes(b"PK")
    names = ("a", "b", "c", "d")
    for path, message in [
        (tmp_path / "no.npz", "is damaged, or is no .npz file"),
        (written(tmp_path / "object.npz", a=stored(np.array([{}, 1], object), allow_pickle=True)), "must hold numbers"),
        (written(tmp_path / "text.npz", a=b"nothing"), "'a.npy' is not an array"),
        (
            written(tmp_path / "huge.npz", **dict(zip(names, [huge.getvalue(), *good[1:]], strict=True))),
            "expected weights",
        ),
        (written(tmp_path / "cut.npz", **dict(zip(names, [good[0][:-1], *good[1:]], strict=True))), "ends before its"),
    ]:
        model = small()
        with pytest.raises(ValueError, match=message) as error:
            model.load_weights(path)
        assert path.name in str(error.value) and same(model.get_weights(), small().get_weights())
