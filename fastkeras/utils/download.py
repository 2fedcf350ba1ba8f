"""Files from the network, kept in Keras's cache folder: compared with their checksum, written whole or not at all."""

import hashlib
import os
import shutil
import tarfile
import zipfile
from contextlib import suppress
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import urlopen

from fastkeras.utils import atomic, suggest
from fastkeras.utils.progress import Progress

_BLOCK = 1 << 16  # bytes
_TIMEOUT = 60  # seconds without a byte


def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
    **unknown,
):
    """The path of a file from the network; it is downloaded unless it is in the cache already.

    Args:
        fname: the file's name in the cache; by default its name in `origin`.
        origin: the URL of the file.
        untar: an older spelling of extract=True for a tar archive.
        md5_hash: an older spelling of `file_hash`, for md5.
        file_hash: the checksum the file must have, in hexadecimal digits. A file in the cache that has another one is
            downloaded again.
        cache_subdir: the folder in the cache, or any absolute path.
        hash_algorithm: 'sha256', 'md5', or 'auto' for whichever has as many digits.
        extract: whether the file is an archive to unpack. An `fname` with an ending, such as 'a.zip', goes into the
            folder a_extracted; otherwise the folder has the name, and '_archive' is added to the archive's.
        archive_format: 'tar' (compressed or not), 'zip', a list of these, or 'auto' for either.
        cache_dir: the cache; by default $KERAS_HOME or ~/.keras. /tmp/.keras serves where that cannot be written.
        force_download: download the file even if it is in the cache.

    Returns:
        The path of the file, or with `extract` that of the folder with its content.

    Raises:
        ValueError: if an argument is none of those, the download has another checksum, or the archive is none or would
            write outside its folder.
        ConnectionError: if the download fails; it says where to put the file. What was in the cache is still there.
    """
    suggest.refuse_arguments("get_file", get_file, unknown)
    if origin is None:
        raise ValueError("get_file needs `origin`, the URL of the file. Received: origin=None")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if name in ("", ".", "..") or os.path.basename(name) != name:
        raise ValueError(
            "get_file: `fname` must be the name of a file; its folder is `cache_subdir`. "
            f"Received: fname={fname!r}, origin={origin!r}"
        )
    folder = os.path.join(_cache(cache_dir), cache_subdir)
    if not extract and not untar:
        path = os.path.join(folder, name)
        _fetch(origin, path, file_hash, hash_algorithm, force_download)
        return path

    if fname and "." in name:
        archive, content = name, name[: name.index(".")] + "_extracted"
    else:
        archive, content = name + "_archive", name
    archive, content = os.path.join(folder, archive), os.path.join(folder, content)
    is_new = _fetch(origin, archive, file_hash, hash_algorithm, force_download)
    if is_new or not os.path.isdir(content):
        _extract(archive, content, "tar" if untar else archive_format)
    return content


def _cache(cache_dir):
    path = os.path.expanduser(cache_dir or os.environ.get("KERAS_HOME") or "~/.keras")
    with suppress(OSError):
        os.makedirs(path, exist_ok=True)
    return path if os.access(path, os.W_OK) else "/tmp/.keras"


# --- download ---------------------------------------------------------------------------------------------------------


def _fetch(origin, path, checksum, algorithm, force):
    """Downloads `origin` to `path` unless it is there with that checksum (None: any). Returns whether it did so."""
    hasher = _hasher(algorithm, checksum)
    if not force and os.path.exists(path):
        if checksum is None or _checksum_of(path, hasher.copy()) == checksum.lower():
            return False
        print(f"{path} does not have the {hasher.name} checksum {checksum}: it is downloaded again.")
    print(f"Downloading data from {origin}")
    with atomic.replacing(path) as file:
        try:
            for block in _receive(origin):
                hasher.update(block)
                file.write(block)
        except ConnectionError as error:
            checked = f"; its {hasher.name} checksum is {checksum}" if checksum else ""
            raise ConnectionError(
                f"{error} Without a connection, put the file {os.path.basename(urlsplit(origin).path)} from elsewhere "
                f"at {path}{checked}."
            ) from error.__cause__
        if checksum is not None and hasher.hexdigest() != checksum.lower():
            raise ValueError(
                f"The download of {origin} is incomplete or corrupted: its {hasher.name} checksum must be {checksum}. "
                f"Received: {hasher.hexdigest()}"
            )
    return True


def _hasher(algorithm, checksum):
    if algorithm == "auto":
        algorithm = "md5" if checksum is not None and len(checksum) == 32 else "sha256"
    if algorithm not in ("md5", "sha256"):
        raise ValueError(suggest.unknown("`hash_algorithm` of get_file", algorithm, ("auto", "md5", "sha256")))
    return hashlib.new(algorithm, usedforsecurity=False)


def _checksum_of(path, hasher):
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def _receive(origin):
    """Yields the bytes at the URL `origin`, block by block, and draws a bar. Raises a ConnectionError if that fails."""
    received = 0
    try:
        with urlopen(origin, timeout=_TIMEOUT) as response:
            length = response.headers["Content-Length"]
            total = None if length is None else int(length)
            with Progress(1, total or None) as bar:
                while block := response.read(_BLOCK):
                    received += len(block)
                    yield block
                    if bar.due():
                        bar.draw(received, {})
                if total is not None and received != total:
                    raise ConnectionError(f"it ended after {received} of {total} bytes")
                if received:
                    bar.finish(received, {})
    except (OSError, HTTPException) as error:
        raise ConnectionError(f"The download of {origin} failed: {error}.") from error


# --- archives ---------------------------------------------------------------------------------------------------------


def _extract(path, folder, formats):
    """Unpacks the archive at `path` into `folder`, which is replaced once everything has been unpacked."""
    if isinstance(formats, str):
        formats = ("tar", "zip") if formats == "auto" else (formats,)
    for name in formats or ():
        if name not in ("tar", "zip"):
            raise ValueError(suggest.unknown("`archive_format` of get_file", name, ("auto", "tar", "zip")))
    temporary = f"{folder}.{os.urandom(4).hex()}"
    try:
        if "tar" in (formats or ()) and tarfile.is_tarfile(path):
            _extract_tar(path, temporary)
        elif "zip" in (formats or ()) and zipfile.is_zipfile(path):
            _extract_zip(path, temporary)
        else:
            raise ValueError(f"{path} is not an archive of the kind asked for. Received: archive_format={formats!r}")
        if os.path.isdir(folder):
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract_tar(path, folder):
    """Pythons before 3.10.12 and 3.11.4 do not check where links lead: there, an archive with links is refused."""
    with tarfile.open(path) as archive:
        if hasattr(tarfile, "data_filter"):
            try:
                archive.extractall(folder, filter="data")
            except tarfile.FilterError as error:
                raise _writes_outside(path, error) from error
        else:
            for member in archive:
                if not (member.isfile() or member.isdir()):
                    raise _writes_outside(path, f"'{member.name}' is neither a file nor a folder")
            _check_names(path, folder, archive.getnames())
            archive.extractall(folder)


def _extract_zip(path, folder):
    with zipfile.ZipFile(path) as archive:
        _check_names(path, folder, archive.namelist())
        archive.extractall(folder)


def _check_names(path, folder, names):
    root = os.path.realpath(folder)
    for name in names:
        if os.path.commonpath([root, os.path.realpath(os.path.join(root, name))]) != root:
            raise _writes_outside(path, f"'{name}'")


def _writes_outside(path, reason):
    return ValueError(f"{path} is not unpacked, for it would write outside its folder: {reason}")
