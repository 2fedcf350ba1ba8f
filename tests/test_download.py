"""utils.get_file: what it downloads, keeps, checks, unpacks and refuses; from a web server in a thread."""

import hashlib
import io
import os
import re
import tarfile
import zipfile

import pytest
from live import keras_module, needs_tensorflow
from local_server import serving

import fastkeras
from fastkeras.utils import download, get_file

DATA = bytes(range(256)) * 1001  # of several blocks
SHA256 = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture
def server():
    with serving() as server:
        server.files["data.bin"] = DATA
        yield server


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def files(folder):
    """The files below a folder, those whose names begin with a dot included."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


# --- download and cache -----------------------------------------------------------------------------------------------


def test_a_file_is_downloaded_once(server, cache, capsys):
    for _ in range(2):
        path = get_file("a.bin", server.url + "data.bin", file_hash=SHA256)
        assert path == str(cache / "datasets" / "a.bin")
        assert (cache / "datasets" / "a.bin").read_bytes() == DATA
    assert server.requests == ["data.bin"]
    assert files(cache) == ["datasets/a.bin"]
    printed = capsys.readouterr().out
    bar = rf"{len(DATA)}/{len(DATA)} \[={{30}}\] - \d+s \d+us/step\n"
    assert re.fullmatch(rf"Downloading data from {server.url}data\.bin\n{bar}", printed)


def test_force_download_asks_again(server, cache):
    get_file("a.bin", server.url + "data.bin")
    server.files["data.bin"] = b"new"
    get_file("a.bin", server.url + "data.bin")
    assert (cache / "datasets" / "a.bin").read_bytes() == DATA
    get_file("a.bin", server.url + "data.bin", force_download=True)
    assert (cache / "datasets" / "a.bin").read_bytes() == b"new"


def test_the_name_is_that_of_the_url_unless_given(server, cache):
    server.files["data.bin?version=2"] = b"2"
    assert get_file(origin=server.url + "data.bin?version=2") == str(cache / "datasets" / "data.bin")


@pytest.mark.parametrize("subdir", ["models", os.path.join("datasets", "deep")])
def test_folders(server, tmp_path, subdir):
    path = get_file("a", server.url + "data.bin", cache_dir=str(tmp_path / "else"), cache_subdir=subdir)
    assert path == str(tmp_path / "else" / subdir / "a")
    absolute = get_file("a", server.url + "data.bin", cache_subdir=str(tmp_path / "absolute"))
    assert absolute == str(tmp_path / "absolute" / "a")


def test_the_cache_is_in_the_home_folder_without_keras_home(server, tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert get_file("a", server.url + "data.bin") == str(tmp_path / "home" / ".keras" / "datasets" / "a")


def test_a_cache_that_cannot_be_made_is_in_tmp(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert download._cache(str(tmp_path / "file" / "below")) == "/tmp/.keras"


def test_a_server_that_does_not_say_the_length(server, cache, capsys):
    server.announced["data.bin"] = None
    get_file("a", server.url + "data.bin", file_hash=SHA256)
    assert (cache / "datasets" / "a").read_bytes() == DATA
    assert f"{len(DATA)}/{len(DATA)} [====" in capsys.readouterr().out


def test_an_empty_file(server, cache):
    server.files["empty"] = b""
    assert os.path.getsize(get_file(origin=server.url + "empty")) == 0


# --- checksums --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "check",
    [
        {"file_hash": SHA256},
        {"file_hash": MD5},
        {"file_hash": SHA256.upper()},
        {"file_hash": SHA256, "hash_algorithm": "sha256"},
        {"file_hash": MD5, "hash_algorithm": "md5"},
        {"md5_hash": MD5},
    ],
)
def test_checksums(server, cache, check):
    for _ in range(2):
        get_file("a", server.url + "data.bin", **check)
    assert server.requests == ["data.bin"]
    ((key, value), *_) = check.items()
    wrong = check | {key: ("0" if value[0] != "0" else "1") + value[1:]}
    with raises(ValueError, "incomplete or corrupted"):
        get_file("b", server.url + "data.bin", **wrong)
    assert files(cache) == ["datasets/a"]


def test_a_damaged_file_in_the_cache_is_downloaded_again(server, cache, capsys):
    path = cache / "datasets" / "a"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA[:-1])
    get_file("a", server.url + "data.bin", file_hash=SHA256)
    assert path.read_bytes() == DATA
    assert f"{path} does not have the sha256 checksum {SHA256}" in capsys.readouterr().out


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_download_that_ends_early_leaves_nothing(server, cache):
    server.announced["data.bin"] = len(DATA) + 1
    with raises(ConnectionError, f"it ended after {len(DATA)} of {len(DATA) + 1} bytes"):
        get_file("a", server.url + "data.bin")
    assert files(cache) == []
    del server.announced["data.bin"]
    get_file("a", server.url + "data.bin")
    assert (cache / "datasets" / "a").read_bytes() == DATA


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_download_leaves_what_was_there(server, cache, monkeypatch, error):
    path = cache / "datasets" / "a"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    blocks = []

    def due(bar):
        blocks.append(None)
        if len(blocks) == 2:
            raise error

    monkeypatch.setattr(download.Progress, "due", due)
    with pytest.raises(error):
        get_file("a", server.url + "data.bin", force_download=True)
    assert path.read_bytes() == b"old"
    assert files(cache) == ["datasets/a"]


def test_a_full_disk_is_not_taken_for_a_missing_connection(server, cache, monkeypatch):
    monkeypatch.setattr(download.os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left")))
    with raises(OSError, "No space left") as caught:
        get_file("a", server.url + "data.bin")
    assert not isinstance(caught.value, ConnectionError)
    assert files(cache) == []


def test_without_a_connection_the_error_says_what_to_put_where(cache):
    with serving() as gone:
        origin = gone.url + "folder/data.bin"
    message = (
        f"Without a connection, put the file data.bin from elsewhere at {cache / 'datasets' / 'a'}; "
        f"its sha256 checksum is {SHA256}."
    )
    with raises(ConnectionError, message):
        get_file("a", origin, file_hash=SHA256)
    assert files(cache) == []
    (cache / "datasets" / "a").write_bytes(DATA)
    assert get_file("a", origin, file_hash=SHA256) == str(cache / "datasets" / "a")


def test_a_missing_file_is_named(server):
    with raises(ConnectionError, f"The download of {server.url}nothing failed: HTTP Error 404"):
        get_file(origin=server.url + "nothing")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fname": "a"}, ValueError, "get_file needs `origin`"),
        ({"fname": "b/a", "origin": "http://x/a"}, ValueError, "`fname` must be the name of a file"),
        ({"fname": "..", "origin": "http://x/a"}, ValueError, "Received: fname='..', origin='http://x/a'"),
        ({"origin": "http://x/.."}, ValueError, "Received: fname=None, origin='http://x/..'"),
        ({"origin": "http://x/"}, ValueError, "`fname` must be the name of a file"),
        ({"origin": "http://x/a", "hash_algorithm": "sha-256"}, ValueError, "Did you mean 'sha256'?"),
        ({"origin": "http://x/a", "filehash": "1"}, TypeError, "Did you mean 'file_hash'? Received: 'filehash'"),
    ],
)
def test_arguments_that_are_none(arguments, error, message):
    with raises(error, message):
        get_file(**arguments)


# --- archives ---------------------------------------------------------------------------------------------------------


def tar(names, mode="w:gz", link=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return buffer.getvalue()


def zipped(names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return buffer.getvalue()


NAMES = ["in/a.txt", "in/deep/b.txt"]


@pytest.fixture(params=[True, False], ids=["filter", "no filter"])
def tar_filter(request, monkeypatch):
    """As it is, and as before Python 3.10.12 and 3.11.4: `tarfile` has no filters."""
    if not request.param:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


@pytest.mark.parametrize(
    ("data", "archive_format"),
    [(tar(NAMES), "auto"), (tar(NAMES, "w"), "tar"), (zipped(NAMES), "auto"), (zipped(NAMES), ["zip"])],
)
@pytest.mark.parametrize(
    ("fname", "archive", "folder"),
    [("set", "set_archive", "set"), ("set.x.y", "set.x.y", "set_extracted"), (None, "pack.tgz_archive", "pack.tgz")],
)
def test_archives_are_unpacked_where_keras_does(
    server, cache, tar_filter, data, archive_format, fname, archive, folder
):
    server.files["pack.tgz"] = data
    for _ in range(2):
        path = get_file(fname, server.url + "pack.tgz", extract=True, archive_format=archive_format)
        assert path == str(cache / "datasets" / folder)
        assert files(cache / "datasets" / folder) == NAMES
        assert (cache / "datasets" / folder / "in" / "a.txt").read_text() == "in/a.txt"
    assert server.requests == ["pack.tgz"]
    assert sorted(os.listdir(cache / "datasets")) == sorted([archive, folder])


def test_untar_and_a_newer_archive(server, cache):
    server.files["pack.tgz"] = tar(NAMES)
    get_file("set", server.url + "pack.tgz", untar=True)
    (cache / "datasets" / "set" / "in" / "a.txt").unlink()
    get_file("set", server.url + "pack.tgz", untar=True)
    assert files(cache / "datasets" / "set") == NAMES[1:]  # it is not unpacked again
    server.files["pack.tgz"] = tar(["c"])
    get_file("set", server.url + "pack.tgz", untar=True, force_download=True)
    assert files(cache / "datasets" / "set") == ["c"]


@pytest.mark.parametrize(
    "data",
    [
        tar(["fine", "../outside"]),
        tar(["fine"], link="../../outside"),
        tar(["/outside/../../outside"]),
        zipped(["fine", "../outside"]),
        zipped(["fine", "/outside"]),
    ],
)
def test_archives_that_would_write_elsewhere_are_refused(server, cache, tar_filter, data):
    server.files["pack"] = data
    with raises(ValueError, "is not unpacked, for it would write outside its folder"):
        get_file("set", server.url + "pack", extract=True)
    assert files(cache) == ["datasets/set_archive"]
    assert os.listdir(cache / "datasets") == ["set_archive"]


@pytest.mark.parametrize("archive_format", ["auto", "tar", "zip", None, []])
def test_what_is_no_archive_is_not_unpacked(server, cache, archive_format):
    server.files["pack"] = DATA
    with raises(ValueError, "is not an archive of the kind asked for"):
        get_file("set", server.url + "pack", extract=True, archive_format=archive_format)


def test_an_unknown_kind_of_archive(server):
    server.files["pack"] = tar(NAMES)
    with raises(ValueError, "`archive_format` of get_file. Did you mean 'tar'? Received: 'tarr'"):
        get_file("set", server.url + "pack", extract=True, archive_format="tarr")


@needs_tensorflow
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"fname": "a.zip", "file_hash": MD5},
        {"fname": "a", "cache_subdir": "models"},
        {"origin": "pack.zip", "extract": True},
        {"origin": "pack.zip", "extract": True, "fname": "a"},
        {"origin": "pack.zip", "extract": True, "fname": "a.b.zip", "archive_format": "zip"},
    ],
)
def test_keras_puts_files_in_the_same_places(server, tmp_path, arguments):
    server.files["pack.zip"] = zipped(NAMES)
    arguments = {**arguments, "origin": server.url + arguments.get("origin", "data.bin")}
    folders = {keras_module(): tmp_path / "theirs", fastkeras: tmp_path / "ours"}
    paths = []
    for keras, folder in folders.items():
        folder.mkdir()
        path = keras.utils.get_file(**arguments, cache_dir=str(folder))
        paths.append(os.path.relpath(path, folder))
    assert paths[0] == paths[1]
    theirs, ours = folders.values()
    assert files(theirs) == files(ours)
