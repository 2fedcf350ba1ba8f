"""The reader of HDF5: it reads what h5py writes, and answers everything else with a ValueError."""

import os

import h5py
import numpy as np
import pytest

from fastkeras.saving import hdf5


@pytest.fixture
def file(tmp_path):
    """(path, h5py.File to write to it)"""
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as f:
        yield path, f


def read(file):
    path, f = file
    f.close()
    return hdf5.File(path)


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8", "i1", "<i8", ">i2", "<u4"])
@pytest.mark.parametrize("shape", [(), (7,), (2, 3, 5), (0, 3)])
def test_arrays(file, dtype, shape):
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    file[1]["inner/folder/array"] = values
    with read(file) as f:
        array = f.root.array("inner/folder/array")
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
        np.testing.assert_array_equal(array.read(), values)


def test_arrays_that_were_only_declared(file):
    """Zeros that nobody wrote have no place in the file; Keras never leaves them so."""
    file[1].create_dataset("a", (3,), "f4")
    with read(file) as f, pytest.raises(ValueError, match=r"'/a', of shape \(3,\), has"):
        f.root.array("a")


def test_groups_with_any_number_of_members(file):
    names = [f"member_{i * 7919 % 1500}" for i in range(1500)]  # a tree of several levels, filled out of order
    group = file[1].create_group("all")
    for i, name in enumerate(names):
        group[name] = np.float32(i)
    file[1].create_group("none")
    with read(file) as f:
        assert sorted(f.root.group("all")) == sorted(names)
        assert [float(f.root.array(f"all/{name}").read()) for name in names[::97]] == list(range(0, 1500, 97))
        assert list(f.root.group("none")) == []
        assert "member_3" in f.root.group("all") and "member" not in f.root.group("all")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", "text"),
        ("", ""),
        ("é한국어", "é한국어"),
        (b"bytes", "bytes"),
        ("long " * 30_000, "long " * 30_000),
        (np.bytes_(b"fixed"), "fixed"),
        (["a", "bcd", ""], ["a", "bcd", ""]),
        (np.array([b"a", b"bcd"]), ["a", "bcd"]),
    ],
)
def test_attributes_that_are_text(file, written, expected):
    file[1].attrs["other"] = "not this one"
    file[1].attrs["name"] = written
    with read(file) as f:
        assert f.root.attribute("name") == expected
        assert f.root.attribute("missing") is None


@pytest.mark.parametrize("value", [3, 2.5, [1.0, 2.0], np.arange(6).reshape(2, 3), np.array([])])
def test_attributes_that_are_numbers(file, value):
    group = file[1].create_group("g")
    for i in range(20):  # more than the header has room for: it goes on elsewhere
        group.attrs[f"filler_{i}"] = i
    group.attrs["name"] = value
    group.attrs["é"] = 5
    with read(file) as f:
        np.testing.assert_array_equal(f.root.group("g").attribute("name"), value)
        assert f.root.group("g").attribute("é") == 5
        assert f.root.group("g").attribute("filler_19") == 19


# --- what is refused -------------------------------------------------------------------------------------------------


def external_link(f):
    f["g/link"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(f):
    f["elsewhere/array"] = np.ones(3)
    f["g/link"] = h5py.SoftLink("/elsewhere/array")


def external_storage(f):
    f.create_dataset("g/link", (3,), "f4", external=[("/etc/passwd", 0, 12)])


def virtual(f):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,))
    f.create_virtual_dataset("g/link", layout)


def compressed(f):
    f.create_dataset("g/link", data=np.zeros(1000), compression="gzip")


def chunked(f):
    f.create_dataset("g/link", data=np.zeros(1000), chunks=(10,))


def strings(f):
    f["g/link"] = np.array([b"not", b"numbers"])


def compound(f):
    f["g/link"] = np.zeros(3, [("a", "f4"), ("b", "i4")])


def shared_type(f):
    f["type"] = np.dtype("f4")
    f.create_dataset("g/link", (3,), f["type"])


def a_group(f):
    f.create_group("g/link")


KINDS = [
    external_link,
    soft_link,
    external_storage,
    virtual,
    compressed,
    chunked,
    strings,
    compound,
    shared_type,
    a_group,
]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_what_is_no_array_in_the_file_is_refused(file, make):
    make(file[1])
    with read(file) as f, pytest.raises(ValueError, match=r"'/g|'link' in '/g'|shared by several"):
        f.root.group("g").array("link")


def test_an_array_is_no_group(file):
    file[1]["a"] = np.ones(3)
    with read(file) as f, pytest.raises(ValueError, match="'/a' should be a group"):
        list(f.root.group("a"))


def test_what_is_missing_is_named(file):
    file[1].create_group("dense")
    with read(file) as f, pytest.raises(ValueError, match="'kernel' is missing in '/dense'"):
        f.root.group("dense").array("kernel")


def test_attributes_of_other_types_are_refused(file):
    file[1].attrs["flag"] = True
    with read(file) as f, pytest.raises(ValueError, match="the attribute 'flag' of '/' has no type that Keras uses"):
        f.root.attribute("flag")


def test_newer_layouts_are_named(tmp_path):
    with h5py.File(tmp_path / "new.h5", "w", libver="latest") as f:
        f["a"] = np.ones(3)
    with pytest.raises(ValueError, match="libver='latest'"):
        hdf5.File(tmp_path / "new.h5")
    with h5py.File(tmp_path / "mixed.h5", "w") as f:
        f.create_group("ordered", track_order=True)["a"] = np.ones(3)
    with hdf5.File(tmp_path / "mixed.h5") as f, pytest.raises(ValueError, match="no object header"):
        f.root.group("ordered")


@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"PK\x03\x04" + bytes(200), bytes(200)])
def test_other_files_are_named(tmp_path, content):
    (tmp_path / "other.h5").write_bytes(content)
    with pytest.raises(ValueError, match=r"other.h5' is damaged, or was not written by Keras: it is not an HDF5 file"):
        hdf5.File(tmp_path / "other.h5")


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.h5"):
        hdf5.File(tmp_path / "no.h5")
    with pytest.raises(OSError, match="folder"):
        hdf5.File(os.fspath(tmp_path))


# --- damage ----------------------------------------------------------------------------------------------------------


def small_file(path):
    with h5py.File(path, "w") as f:
        f["g/array"] = np.arange(5, dtype="f4")
        f["g"].attrs["names"] = ["one", "two"]
    return bytearray(path.read_bytes())


def changed(content, path, start, new):
    content[start : start + len(new)] = new
    path.write_bytes(content)


def test_a_file_that_was_cut_off_says_so(tmp_path):
    path = tmp_path / "cut.h5"
    content = small_file(path)
    path.write_bytes(content[:-10])
    with pytest.raises(ValueError, match=f"cut off after {len(content) - 10} of {len(content)} bytes"):
        hdf5.File(path)


def test_a_tree_that_contains_itself(tmp_path):
    path = tmp_path / "loop.h5"
    content = small_file(path)
    tree = content.index(b"TREE")
    changed(content, path, tree + 32, tree.to_bytes(8, "little"))
    with hdf5.File(path) as f, pytest.raises(ValueError, match="too many members, or contains itself"):
        list(f.root)


def test_huge_sizes_are_not_allocated(tmp_path):
    path = tmp_path / "huge.h5"
    content = small_file(path)
    shape = content.index((5).to_bytes(8, "little") * 2)  # the extent and the largest extent, side by side
    changed(content, path, shape, (2**60).to_bytes(8, "little") * 2)
    with hdf5.File(path) as f, pytest.raises(ValueError, match=rf"'/g/array', of shape \({2**60},\), has 20 bytes"):
        f.root.array("g/array")


def test_text_that_is_no_text(tmp_path):
    path = tmp_path / "text.h5"
    content = small_file(path)
    changed(content, path, content.index(b"one"), b"\xff\xfe")
    with hdf5.File(path) as f, pytest.raises(ValueError, match="where text should be"):
        f.root.group("g").attribute("names")
