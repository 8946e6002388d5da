"""Where data lies: data URLs, read and written.

``file:///absolute/path`` and ``file://path/below/the/data/folder`` are files
here; ``s3://``, ``gs://`` and ``az://`` go through fsspec. A file's URL is
percent-encoded, as `pathlib.Path.as_uri` writes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from jupyter_blueno.catalog.checks import check_text
from jupyter_blueno.config import Config
from jupyter_blueno.errors import (
    BluenoError,
    InvalidInput,
    MissingDependency,
    NotAllowed,
    NotFound,
    OutsideRoots,
    Unavailable,
)

URL_LIMIT = 4096  # characters
REMOTE = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}  # scheme -> package that fsspec needs
SECRET = ("postgres",)  # folders below the data folder that no data URL reaches
OWNED = (*SECRET, "jobs", "thumbnails", "tfds", "cache")  # and those that none writes to


def local_path(config: Config, data_url: str, root: str | None = None) -> Path:
    """The real path of a ``file://`` URL.

    Parameters
    ----------
    config : Config
    data_url : str
    root : str, optional
        The dataset's own folder, allowed beside the configured ones.

    Raises
    ------
    InvalidInput
        ``invalid_data_url``
    OutsideRoots
        It leads, by whatever way, out of the folders that may be read.
    """
    if scheme_of(data_url) != "file":
        raise InvalidInput(f"{_quoted(data_url)} is not a file on this server.", code="invalid_data_url")
    try:
        text = check_text(unquote(data_url[len("file://") :], errors="strict"), "The data URL", URL_LIMIT)
    except UnicodeDecodeError:
        raise InvalidInput(f"{_quoted(data_url)} is not valid UTF-8.", code="invalid_data_url") from None
    if not text.strip("/"):
        raise InvalidInput(f"{_quoted(data_url)} names no file.", code="invalid_data_url")
    # A tilde is a letter here: only the shell means a home folder by it.
    path = config.resolve(config.home_path / text, root)
    _refuse(config, path, SECRET)
    return path


def scheme_of(data_url: str) -> str:
    """The scheme of a data URL, one of those that are known.

    Raises
    ------
    InvalidInput
        ``invalid_data_url``
    """
    check_text(data_url, "The data URL", URL_LIMIT)
    scheme, separator, _ = data_url.partition("://")
    scheme = scheme.lower()
    if not separator or (scheme != "file" and scheme not in REMOTE):
        raise InvalidInput(
            f"{_quoted(data_url)} is not a data URL; write file://, s3://, gs:// or az:// and the path.",
            code="invalid_data_url",
        )
    place = data_url.partition("://")[2].strip("/")
    if not place or (scheme in REMOTE and "/" not in place):  # a bucket holds data, and is none
        raise InvalidInput(f"{_quoted(data_url)} names no data; add the path.", code="invalid_data_url")
    return scheme


def exists(config: Config, data_url: str, root: str | None = None) -> bool:
    """Whether something is at a data URL: a file, a folder, an object."""
    if scheme_of(data_url) == "file":
        with explained(data_url):
            return local_path(config, data_url, root).exists()
    with _remote(data_url) as (system, path):
        return bool(system.exists(path))


def must_exist(config: Config, data_url: str, root: str | None = None) -> None:
    """Check that something is at a data URL; raises `NotFound` (``data_not_found``)."""
    if not exists(config, data_url, root):
        raise _absent(data_url)


def load(config: Config, data_url: str, root: str | None = None) -> bytes:
    """The bytes at a data URL; raises `NotFound` (``data_not_found``)."""
    if scheme_of(data_url) != "file":
        with _remote(data_url) as (system, path):
            content: bytes = system.cat_file(path)
            return content
    with explained(data_url):
        file = local_path(config, data_url, root)
        must_be_regular(file, data_url)
        return file.read_bytes()


def must_be_regular(path: Path, data_url: str) -> None:
    """Refuse pipes, sockets and devices: reading one may never end."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InvalidInput(
            f"{_quoted(data_url)} is a pipe or a device, not a file. Save the data as a file.",
            code="not_a_file",
        )


def store(config: Config, data_url: str, content: bytes) -> None:
    """Write bytes to a data URL: all of them, or nothing. Files go below the data folder only.

    Raises
    ------
    OutsideRoots
        The file would lie outside the data folder, or where Blueno keeps its own.
    Unavailable
        ``disk_full``, or the store does not answer.
    """
    if scheme_of(data_url) != "file":
        with _remote(data_url) as (system, key):
            try:
                system.pipe_file(key, content)
            except FileNotFoundError:
                raise NotFound(
                    f"The bucket of {_quoted(data_url)} is not there; make it first, or correct its name.",
                    code="bucket_not_found",
                ) from None
        return
    path = writable_path(config, data_url)
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    with explained(data_url):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def writable_path(config: Config, data_url: str) -> Path:
    """The real path of a ``file://`` URL that may be written or deleted."""
    path = local_path(config, data_url)
    home = Path(os.path.realpath(config.home_path))
    if not path.is_relative_to(home) or path == home:
        raise OutsideRoots(
            f"{_quoted(data_url)} is outside the data folder; write below file://{quote(str(home))}/data."
        )
    _refuse(config, path, OWNED)
    return path


def remove_remote(data_url: str) -> None:
    """Delete what is at a remote data URL."""
    with _remote(data_url) as (system, path):
        system.rm_file(path)


def spellings(config: Config, data_url: str) -> list[str]:
    """The usual ways to write the URL of the same data."""
    if scheme_of(data_url) != "file":
        return [data_url]
    path = Path(os.path.realpath(config.home_path / unquote(data_url[len("file://") :])))
    names = {str(path)}
    with contextlib.suppress(ValueError):
        names.add(str(path.relative_to(os.path.realpath(config.home_path))))
    return sorted({data_url, *(f"file://{form}" for name in names for form in (name, quote(name)))})


def _refuse(config: Config, path: Path, folders: tuple[str, ...]) -> None:
    home = Path(os.path.realpath(config.home_path))
    for name in folders:
        if path.is_relative_to(home / name):
            raise OutsideRoots(f"The folder '{name}' of the data folder is Blueno's own; use 'data' instead.")


@contextlib.contextmanager
def _remote(data_url: str) -> Iterator[tuple[Any, str]]:
    """The file system of a remote URL and the path in it; failures become sentences."""
    package = REMOTE[scheme_of(data_url)]
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(data_url)
    except ImportError:
        raise MissingDependency(
            f"{data_url.split(':')[0]}:// needs the package '{package}'; run: pip install {package}",
            code=f"missing_{package}",
        ) from None
    with explained(data_url):
        try:
            yield system, path
        except (BluenoError, OSError):
            raise
        except Exception as error:  # each store has exceptions of its own
            raise Unavailable(f"{_quoted(data_url)} could not be reached: {error}") from error


@contextlib.contextmanager
def explained(data_url: str) -> Iterator[None]:
    """Turn what the operating system says into an error that a person can act on."""
    what = _quoted(data_url)
    try:
        yield
    except FileNotFoundError:
        raise _absent(data_url) from None
    except PermissionError:
        raise NotAllowed(f"{what} may not be opened by this user; check its permissions.") from None
    except (IsADirectoryError, NotADirectoryError, FileExistsError):
        raise InvalidInput(f"{what} is a folder, or lies below a file.", code="invalid_data_url") from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unavailable("The disk is full; make room and try again.", code="disk_full") from None
        if error.errno in {errno.ENAMETOOLONG, errno.EINVAL}:
            raise InvalidInput(f"{what} is too long for a file's name.", code="invalid_data_url") from None
        raise Unavailable(f"{what} cannot be reached: {error.strerror or error}.") from error


def _absent(data_url: str) -> NotFound:
    return NotFound(
        f"There is nothing at {_quoted(data_url)}; put the data there first.", code="data_not_found"
    )


def _quoted(data_url: str) -> str:
    return f"'{data_url if len(data_url) <= 200 else data_url[:199] + '…'}'"
