"""`PlatformClient`: datasets and samples by name, in nine methods."""

from __future__ import annotations

import io
import numbers
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Literal, TypeVar

import msgspec

from jupyter_blueno.api import catalog
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import Kind, Sample, SamplePage
from jupyter_blueno.client.signin import sign_in
from jupyter_blueno.client.transport import Http, Transport, find
from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound, PlatformError
from jupyter_blueno.ingest.model import RegisterSample

ImageType = Literal["2D", "3D"]
Data = bytes | bytearray | memoryview | BinaryIO
Answer = TypeVar("Answer")

_KINDS: dict[str, Kind] = {"2D": "image2d", "3D": "volume3d"}
_IMAGE_TYPES = {kind: name for name, kind in _KINDS.items()}
_WORTH_ASKING = 1_000_000  # bytes; above, look whether the name is free before sending

PAGE = 1000  # samples asked for at a time


class PlatformClient:
    """Datasets and samples of a Blueno server.

    ``True`` means done, ``False`` that it already existed (or was already
    gone); anything else raises `PlatformError`, whose `code` is stable. Safe to
    use from threads.

    Parameters
    ----------
    server : str, optional
        Base URL of a Jupyter server with Blueno, e.g. ``http://localhost:8888``;
        the address in the browser does too. Default: the running local server,
        or this very process if there is none.
    email, password : str, optional
        How to sign in to `server`; a single user's Jupyter server only looks
        at the password.
    token : str, optional
        A token of the server, instead of a password.

    Examples
    --------
    >>> client = PlatformClient()  # doctest: +SKIP
    >>> client.create_dataset("digits", description="Ten digits")  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        server: str | None = None,
        email: str | None = None,
        password: str | None = None,
        *,
        token: str | None = None,
    ) -> None:
        self.email = email
        self._dataset_ids: dict[str, int] = {}
        with _as_platform_error():
            self._transport = _connect(server, password, token)

    def __repr__(self) -> str:
        return f"PlatformClient({self._transport!r})"

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; without a server, of the database."""
        self._transport.close()

    # -- datasets -----------------------------------------------------------

    def list_datasets(self) -> list[dict[str, Any]]:
        """All datasets, by name: ``{"name": …, "info": {"description": …, …}}``."""
        with _as_platform_error():
            found = self._call(catalog.list_datasets, catalog.ListDatasets()).datasets
        return [{"name": one.name, "info": {**one.info, "description": one.description}} for one in found]

    def create_dataset(
        self, name: str, description: str | None = None, info: dict[str, Any] | None = None
    ) -> bool:
        """Make an empty dataset; False if there is one of this name."""
        with _as_platform_error():
            about = None if description is None else _text(description, "A description")
            ask = catalog.CreateDataset(_text(name, "A name"), about, _json(info, "info"))
            return self._unless("dataset_exists", lambda: self._call(catalog.create_dataset, ask))

    def delete_dataset(self, name: str) -> bool:
        """Delete a dataset, not its files; False if there is none of this name."""
        with _as_platform_error():
            found = self._call(catalog.list_datasets, catalog.ListDatasets(name=_text(name, "A name")))
            self._dataset_ids.pop(name, None)
            if not found.datasets:
                return False
            gone = self._unless(
                "dataset_not_found",
                lambda: self._call(catalog.delete_dataset, catalog.DatasetRef(found.datasets[0].id)).done,
            )
        return gone

    # -- samples ------------------------------------------------------------

    def list_samples(self, dataset: str) -> list[dict[str, Any]]:
        """All samples of a dataset.

        Returns
        -------
        list of dict
            ``{"name": …, "info": {"split": …, "label": …, "data": {"url": …},
            "image": {"type": "2D" | "3D" | None}, …}}``, with what was given as
            `other_info` beside these.
        """
        with _as_platform_error():
            return [_listed(sample) for sample in self._samples(dataset)]

    def create_sample(
        self,
        name: str,
        dataset: str,
        data_url: str,
        data_content: Data,
        image_type: ImageType | None = None,
        label: str | None = None,
        split: str | None = None,
        other_info: dict[str, Any] | None = None,
    ) -> bool:
        """Store data at `data_url` and register it; False, storing nothing, if the name is taken.

        Data that another sample uses is never overwritten.
        """
        with _as_platform_error():
            content = _bytes(data_content)
            if len(content) > _WORTH_ASKING and self._has_sample(dataset, name):
                return False
            ask = self._registration(name, data_url, True, image_type, label, split, other_info)
            suffix = re.search(r"(?:\.[A-Za-z0-9]{1,8}){0,2}$", ask["data_url"])  # tells the format
            staged = f"file://uploads/{uuid.uuid4().hex}{suffix[0] if suffix else ''}"
            self._id_of(dataset)  # before sending anything
            self._call(catalog.store_data, catalog.StoreData(staged, content))
            return self._register(dataset, {**ask, "staged_url": staged})

    def register_sample(
        self,
        name: str,
        dataset: str,
        data_url: str,
        validate: bool = True,
        image_type: ImageType | None = None,
        label: str | None = None,
        split: str | None = None,
        other_info: dict[str, Any] | None = None,
    ) -> bool:
        """Register data that lies at `data_url`; False, changing nothing, if the name is taken.

        With `validate`, data that is not there raises and registers nothing.
        """
        with _as_platform_error():
            ask = self._registration(name, data_url, validate, image_type, label, split, other_info)
            return self._register(dataset, ask)

    def delete_sample(self, name: str, dataset: str, purge: bool = False) -> bool:
        """Delete a sample; False if there is none. With `purge` its file in the data folder too."""
        with _as_platform_error():
            try:
                found = list(self._samples(dataset, _text(name, "A name")))
            except NotFound:
                return False
            if not found:
                return False
            ref = catalog.DeleteSample(found[0].dataset_id, found[0].ordinal, purge)
            return self._unless("dataset_not_found", lambda: self._call(catalog.delete_sample, ref).done)

    def upload_sample(self, data_url: str, data_content: Data) -> None:
        """Store data at `data_url`, over what may be there; registers nothing."""
        with _as_platform_error():
            ask = catalog.StoreData(_text(data_url, "A data URL"), _bytes(data_content))
            self._call(catalog.store_data, ask)

    def download_sample(self, data_url: str) -> io.BytesIO:
        """The data at `data_url`."""
        with _as_platform_error():
            ask = catalog.DataRef(_text(data_url, "A data URL"))
            return io.BytesIO(self._call(catalog.load_data, ask).body)

    # -- steps --------------------------------------------------------------

    def _call(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        return self._transport.call(operation, ask)

    def _unless(self, code: str, do: Callable[[], object]) -> bool:
        """What `do` says; False if it fails with `code`."""
        with _as_platform_error():
            try:
                return do() is not False
            except BluenoError as error:
                if error.code == code:
                    return False
                raise

    def _id_of(self, dataset: str) -> int:
        if dataset not in self._dataset_ids:
            ask = catalog.ListDatasets(name=_text(dataset, "A dataset's name"))
            found = self._call(catalog.list_datasets, ask).datasets
            if not found:
                raise NotFound(
                    f"There is no dataset called '{dataset[:60]}'; create it first.", code="dataset_not_found"
                )
            self._dataset_ids[dataset] = found[0].id
        return self._dataset_ids[dataset]

    def _in_dataset(self, dataset: str, do: Callable[[int], Answer]) -> Answer:
        """Do something with the dataset's id; look it up again if it has been replaced."""
        known = dataset in self._dataset_ids
        try:
            return do(self._id_of(dataset))
        except BluenoError as error:
            if error.code != "dataset_not_found" or not known:
                raise
        del self._dataset_ids[dataset]
        return do(self._id_of(dataset))

    def _samples(self, dataset: str, name: str | None = None) -> Iterator[Sample]:
        after: int | None = -1
        while after is not None:
            start = after
            page = self._in_dataset(
                dataset,
                lambda id, start=start: self._call(  # type: ignore[misc]
                    catalog.list_samples, SamplePage(id, name=name, after=start, limit=PAGE)
                ),
            )
            yield from page.samples
            after = page.next

    def _has_sample(self, dataset: str, name: str) -> bool:
        return any(True for _ in self._samples(dataset, _text(name, "A name")))

    def _registration(
        self,
        name: str,
        data_url: str,
        validate: bool,
        image_type: str | None,
        label: object,
        split: str | None,
        other_info: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if image_type is not None and image_type not in _KINDS:
            raise InvalidInput(
                f"image_type is '2D', '3D' or None, not {image_type!r}.", code="invalid_image_type"
            )
        return {
            "name": _text(name, "A name"),
            "data_url": _text(data_url, "A data URL"),
            "validate": bool(validate),
            "kind": None if image_type is None else _KINDS[image_type],
            "label": _label(label),
            "split": None if split is None else _text(split, "A split"),
            "info": _json(other_info, "other_info"),
        }

    def _register(self, dataset: str, values: dict[str, Any]) -> bool:
        def register(dataset_id: int) -> Sample:
            return self._call(catalog.register_sample, RegisterSample(dataset_id, **values))

        return self._unless("sample_exists", lambda: self._in_dataset(dataset, register))


@contextmanager
def _as_platform_error() -> Iterator[None]:
    try:
        yield
    except PlatformError:
        raise
    except BluenoError as error:
        raise PlatformError(error.message, code=error.code) from error


def _connect(server: str | None, password: str | None, token: str | None) -> Transport:
    if server is None:
        if password is not None or token is not None:
            raise InvalidInput("Say which server the password or token is for.", code="server_missing")
        return find()
    url, token_in_url = _base_url(server)
    if token is None and password is not None:
        return Http(url, headers=sign_in(url, password))
    return Http(url, token or token_in_url)


def _base_url(server: str) -> tuple[str, str | None]:
    """The server's base URL and the token in it, also from the browser's address."""
    parts = urllib.parse.urlsplit(server if "://" in server else f"http://{server}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(f"'{server[:200]}' is not the URL of a Jupyter server.", code="invalid_server")
    path = parts.path.rstrip("/")
    for page in ("/lab", "/tree", "/notebooks"):
        position = f"{path}/".find(f"{page}/")
        if position >= 0:
            path = path[:position]
    token = urllib.parse.parse_qs(parts.query).get("token", [None])[0]
    return f"{parts.scheme}://{parts.netloc}{path}", token


def _listed(sample: Sample) -> dict[str, Any]:
    return {
        "name": sample.name,
        "info": {
            **sample.attributes,
            "split": sample.split,
            "label": sample.label,
            "data": {"url": sample.data_url},
            "image": {"type": _IMAGE_TYPES[sample.kind] if sample.kind else None},
        },
    }


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{what} is a text, not {type(value).__name__}.", code="invalid_type")
    return str(value)


def _label(value: object) -> str | None:
    """A label as text; numbers (also NumPy's) are written out."""
    if value is None:
        return None
    item = getattr(value, "item", None)
    plain = item() if callable(item) and getattr(value, "ndim", None) == 0 else value
    if isinstance(plain, str | numbers.Real):
        return str(plain)
    raise InvalidInput(f"A label is a text or a number, not {type(value).__name__}.", code="invalid_label")


def _json(value: object, what: str) -> dict[str, Any]:
    """A dictionary as JSON has it; NumPy's numbers and arrays are written out."""
    if value is not None and not isinstance(value, dict):
        raise InvalidInput(f"{what} is a dictionary, not {type(value).__name__}.", code="invalid_json")
    try:
        plain: dict[str, Any] = msgspec.to_builtins(value or {}, enc_hook=_plain, str_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{what} cannot be written as JSON: {error}.", code="invalid_json") from None
    return plain


def _plain(value: object) -> object:
    written = getattr(value, "tolist", None)
    if callable(written):
        return written()
    raise TypeError(f"there is a {type(value).__name__} in it")


def _bytes(data: object) -> bytes:
    content = data.read() if hasattr(data, "read") else data
    if not isinstance(content, bytes | bytearray | memoryview):
        raise InvalidInput(
            f"The data is bytes or a file opened in binary mode, not {type(content).__name__}.",
            code="invalid_type",
        )
    return bytes(content)
