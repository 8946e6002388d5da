"""The nine methods, by the letter: in this process and against a real Jupyter server."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jupyter_blueno import PlatformClient, PlatformError
from jupyter_blueno.api import catalog
from jupyter_blueno.api.context import Context
from jupyter_blueno.catalog.model import SamplePage
from jupyter_blueno.client import platform
from jupyter_blueno.client.transport import InProcess
from jupyter_blueno.imaging.pack import ThumbnailPack
from tests.servers import PASSWORD, TOKEN, Lab

ODD_NAME = "blueno::x y/ü ☃ %41 'q\" \\N\t\n"


@dataclass
class Subject:
    """A client, and the data folder of the platform that it speaks to."""

    client: PlatformClient
    home: Path
    dataset: str

    def files(self) -> set[Path]:
        return {
            path for name in ("data", "uploads") for path in (self.home / name).rglob("*") if path.is_file()
        }


@pytest.fixture(params=["in-process", "http"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    name = f"nine-{uuid.uuid4().hex[:8]}"
    if request.param == "http":
        lab: Lab = request.getfixturevalue("lab")
        client, home = PlatformClient(lab.url, token=TOKEN), lab.home
    else:
        context: Context = request.getfixturevalue("context")
        client, home = _in_process(context), context.config.home_path
    assert client.create_dataset(name, description="Nine", info={"modality": "MR"}) is True
    yield Subject(client, home, name)
    client.delete_dataset(name)


def _in_process(context: Context) -> PlatformClient:
    client = object.__new__(PlatformClient)
    client.email, client._dataset_ids, client._transport = None, {}, InProcess(context)
    return client


def refused(code: str, do: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(PlatformError) as caught:
        do(*args, **kwargs)
    assert caught.value.code == code
    assert len(caught.value.message) > 20
    return caught.value.message


def test_datasets(subject: Subject) -> None:
    client = subject.client
    listed = {one["name"]: one for one in client.list_datasets()}[subject.dataset]
    assert listed == {"name": subject.dataset, "info": {"description": "Nine", "modality": "MR"}}
    assert client.create_dataset(subject.dataset) is False
    odd = f"{ODD_NAME}{uuid.uuid4().hex}"
    assert client.create_dataset(odd) is True
    assert odd in [one["name"] for one in client.list_datasets()]
    assert client.delete_dataset(odd) is True
    assert client.delete_dataset(odd) is False
    assert odd not in [one["name"] for one in client.list_datasets()]
    assert client.create_dataset(odd) is True  # the trash does not keep the name
    assert client.list_samples(odd) == []
    assert client.delete_dataset(odd) is True


def test_a_sample_there_and_back(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/a b.bin"
    made = client.create_sample(
        ODD_NAME,
        dataset,
        url,
        b"\x00\x01two",
        "2D",
        label="cat",
        split="train",
        other_info={"age": 7, "n": {"x": []}},
    )
    assert made is True
    assert client.list_samples(dataset) == [
        {
            "name": ODD_NAME,
            "info": {
                "split": "train",
                "label": "cat",
                "data": {"url": url},
                "image": {"type": "2D"},
                "age": 7,
                "n": {"x": []},
            },
        }
    ]
    data = client.download_sample(url)
    assert isinstance(data, io.BytesIO)
    assert data.read() == b"\x00\x01two"
    assert (subject.home / "data" / dataset / "a b.bin").read_bytes() == b"\x00\x01two"
    assert client.delete_sample(ODD_NAME, dataset) is True
    assert client.delete_sample(ODD_NAME, dataset) is False
    assert client.list_samples(dataset) == []
    assert client.download_sample(url).read() == b"\x00\x01two"  # without purge it stays


def test_what_is_not_given_is_none(subject: Subject) -> None:
    subject.client.create_sample("bare", subject.dataset, f"file://data/{subject.dataset}/bare", b"")
    assert subject.client.list_samples(subject.dataset)[0]["info"] == {
        "split": None,
        "label": None,
        "data": {"url": f"file://data/{subject.dataset}/bare"},
        "image": {"type": None},
    }


def test_an_existing_name_changes_nothing(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url, other = f"file://data/{dataset}/one", f"file://data/{dataset}/other"
    assert client.create_sample("s", dataset, url, b"first", label="a") is True
    before, files = client.list_samples(dataset), subject.files()
    assert client.create_sample("s", dataset, url, b"second", label="b") is False
    assert client.create_sample("s", dataset, other, b"x" * 1_500_000, label="b") is False
    assert client.register_sample("s", dataset, url, label="b", image_type="3D") is False
    assert client.list_samples(dataset) == before
    assert client.download_sample(url).read() == b"first"
    assert subject.files() == files


def test_anothers_data_is_not_overwritten(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/shared"
    client.create_sample("one", dataset, url, b"first")
    files = subject.files()
    refused("data_in_use", client.create_sample, "two", dataset, url, b"second")
    spelled = f"file://{subject.home}/data/{dataset}/shared"
    refused("data_in_use", client.create_sample, "two", dataset, spelled, b"second")
    assert client.download_sample(url).read() == b"first"
    assert [one["name"] for one in client.list_samples(dataset)] == ["one"]
    assert subject.files() == files


def test_pictures_and_volumes_are_known_by_their_data(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    picture, volume = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((30, 40), 7, np.uint8)).save(picture, "PNG")
    np.save(volume, np.zeros((4, 5, 6), np.int16))
    base = f"file://data/{dataset}"
    client.create_sample("p", dataset, f"{base}/p.png", picture.getvalue())
    client.create_sample("v", dataset, f"{base}/v.npy", volume.getvalue(), image_type="3D")
    client.create_sample("broken", dataset, f"{base}/broken.png", picture.getvalue()[:50])
    transport = client._transport
    (found,) = transport.call(catalog.list_datasets, catalog.ListDatasets(name=dataset)).datasets
    assert found.kinds == ["image2d", "volume3d"]
    p, v, broken = transport.call(catalog.list_samples, SamplePage(found.id)).samples
    assert (p.kind, p.shape, p.dtype, p.bytes) == ("image2d", [30, 40], "uint8", len(picture.getvalue()))
    assert (v.kind, v.shape, v.dtype) == ("volume3d", [4, 5, 6], "int16")
    assert (broken.kind, broken.shape) == (None, None)
    tiles = ThumbnailPack(subject.home / "thumbnails" / str(found.id)).tiles(
        [p.ordinal, v.ordinal, broken.ordinal]
    )
    assert (tiles[0].width, tiles[0].height) == (40, 30)
    assert tiles[1].width > 0
    assert tiles[2].width == 0


def test_upload_then_register(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/up"
    refused("data_not_found", client.register_sample, "s", dataset, url)
    refused("data_not_found", client.download_sample, url)
    assert client.list_samples(dataset) == []
    assert client.register_sample("later", dataset, url, validate=False) is True
    client.upload_sample(url, io.BytesIO(b"one"))
    client.upload_sample(url, bytearray(b"two"))
    assert client.download_sample(url).read() == b"two"
    assert (
        client.register_sample("s", dataset, f"file://{subject.home}/data/{dataset}/up", image_type="3D")
        is True
    )
    assert [one["info"]["image"]["type"] for one in client.list_samples(dataset)] == [None, "3D"]


def test_purge_deletes_what_nobody_else_uses(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/p"
    client.create_sample("a", dataset, url, b"data")
    client.register_sample("b", dataset, f"file://{subject.home}/data/{dataset}/p")
    assert client.delete_sample("a", dataset, purge=True) is True
    assert client.download_sample(url).read() == b"data"
    assert client.delete_sample("b", dataset, purge=True) is True
    refused("data_not_found", client.download_sample, url)


def test_labels_are_texts_or_numbers(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/l"
    client.upload_sample(url, b"x")
    for name, label in (("int", 7), ("numpy", np.uint8(3)), ("text", np.str_("cat"))):
        client.register_sample(name, dataset, url, label=label)
    assert [one["info"]["label"] for one in client.list_samples(dataset)] == ["7", "3", "cat"]
    for label in (["a"], {"a": 1}, np.zeros(3), object()):
        refused("invalid_label", client.register_sample, "no", dataset, url, label=label)


def test_info_is_json(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/i"
    info = {"spacing": np.array([1.0, 0.5]), "age": np.int64(61), "name": np.str_("x"), "t": (1, 2)}
    client.create_sample("s", dataset, url, b"x", other_info=info)
    listed = client.list_samples(dataset)[0]["info"]
    assert {name: listed[name] for name in info} == {
        "spacing": [1.0, 0.5],
        "age": 61,
        "name": "x",
        "t": [1, 2],
    }
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    for value in ({"o": object()}, {"b": "\ud800"}, deep, ["no"]):
        with pytest.raises(PlatformError):
            client.register_sample("no", dataset, url, other_info=value)  # type: ignore[arg-type]
    with pytest.raises(PlatformError):
        client.register_sample("half \ud800", dataset, url)
    assert len(client.list_samples(dataset)) == 1


def test_more_samples_than_a_page(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "PAGE", 10)
    client, dataset = subject.client, subject.dataset
    url = f"file://data/{dataset}/page"
    client.upload_sample(url, b"x")
    names = [f"n{number}" for number in range(31)]
    with ThreadPoolExecutor(4) as threads:
        done = list(
            threads.map(lambda name: client.register_sample(name, dataset, url, validate=False), names)
        )
    assert all(done)
    assert sorted(one["name"] for one in client.list_samples(dataset)) == sorted(names)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("name_empty", {"name": ""}),
        ("name_too_long", {"name": "n" * 513}),
        ("invalid_character", {"name": "a\x00b"}),
        ("invalid_character", {"label": "a\x00b"}),
        ("invalid_character", {"other_info": {"deep": ["a\x00b"]}}),
        ("invalid_character", {"other_info": {"a\x00b": 1}}),
        ("text_too_long", {"split": "s" * 256}),
        ("too_large", {"other_info": {"a": "x" * 1_000_001}}),
        ("invalid_image_type", {"image_type": "4D"}),
        ("invalid_data_url", {"data_url": "http://example.org/x"}),
        ("invalid_data_url", {"data_url": "no url"}),
        ("invalid_data_url", {"data_url": "file://"}),
        ("invalid_path", {"data_url": f"file://{'a' * 300}"}),
        ("outside_roots", {"data_url": "file://../../../../etc/passwd"}),
        ("outside_roots", {"data_url": "file:///etc/passwd"}),
        ("outside_roots", {"data_url": "file://%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd"}),
        ("outside_roots", {"data_url": "file://data/..%2f..%2f..%2fetc/passwd"}),
        ("outside_roots", {"data_url": "file://postgres/password"}),
        ("outside_roots", {"data_url": "file://data/../postgres/password"}),
        ("dataset_not_found", {"dataset": "there is none"}),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:40],
)
def test_what_cannot_be_is_refused(subject: Subject, code: str, change: dict[str, Any]) -> None:
    client = subject.client
    url = f"file://data/{subject.dataset}/x"
    client.upload_sample(url, b"x")
    files = subject.files()
    given = {"name": "s", "dataset": subject.dataset, "data_url": url, **change}
    refused(code, client.register_sample, **given)
    if change.get("data_url", url) == url:
        given["data_url"] = f"file://data/{subject.dataset}/new"
    refused(code, client.create_sample, data_content=b"y", **given)
    assert client.list_samples(subject.dataset) == []
    assert subject.files() == files


def test_names_of_datasets_that_cannot_be(subject: Subject) -> None:
    refused("name_empty", subject.client.create_dataset, "")
    refused("name_too_long", subject.client.create_dataset, "n" * 10_000)
    refused("invalid_character", subject.client.create_dataset, "a\x00b")
    refused("invalid_character", subject.client.create_dataset, "a", "de\x00scription")
    refused("invalid_type", subject.client.create_dataset, 7)
    refused("dataset_not_found", subject.client.list_samples, "there is none")
    assert subject.client.delete_sample("s", "there is none") is False


def test_a_missing_package_is_named(subject: Subject) -> None:
    message = refused("missing_adlfs", subject.client.download_sample, "az://container/x")
    assert "pip install adlfs" in message


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> str:
    """A store that is not a file system: objects in memory, under the scheme of a cloud."""
    from fsspec.implementations.memory import MemoryFileSystem
    from fsspec.registry import _registry

    class Bucket(MemoryFileSystem):
        protocol = ("gs",)
        store: dict[str, Any] = {}
        pseudo_dirs = [""]

        def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
            if "nowhere/" in path:
                raise FileNotFoundError(path)
            super().pipe_file(path, value, **options)

    monkeypatch.setitem(_registry, "gs", Bucket)
    return "gs://bucket"


def test_a_store_that_is_no_file_system(context: Context, bucket: str) -> None:
    client, url = _in_process(context), f"{bucket}/a ü.bin"
    client.create_dataset("far")
    refused("data_not_found", client.download_sample, url)
    refused("data_not_found", client.register_sample, "a", "far", url)
    client.upload_sample(url, b"abc")
    assert client.download_sample(url).read() == b"abc"
    assert client.register_sample("a", "far", url, image_type="2D", label="x") is True
    assert client.register_sample("a", "far", url) is False
    assert client.create_sample("c", "far", f"{bucket}/c.png", b"png") is True
    assert client.create_sample("c", "far", f"{bucket}/other.png", b"other") is False
    refused("data_not_found", client.download_sample, f"{bucket}/other.png")
    refused("data_in_use", client.create_sample, "d", "far", f"{bucket}/c.png", b"over")
    assert client.download_sample(f"{bucket}/c.png").read() == b"png"
    assert [(one["name"], one["info"]["data"]["url"]) for one in client.list_samples("far")] == [
        ("a", url),
        ("c", f"{bucket}/c.png"),
    ]
    refused("invalid_data_url", client.download_sample, bucket)
    refused("invalid_data_url", client.upload_sample, f"{bucket}/", b"x")
    refused("bucket_not_found", client.upload_sample, "gs://nowhere/x", b"x")


def test_a_dataset_made_again_is_found_again(subject: Subject) -> None:
    client, dataset = subject.client, subject.dataset
    client.upload_sample(f"file://data/{dataset}/x", b"x")
    client.register_sample("s", dataset, f"file://data/{dataset}/x")
    for one in client.list_datasets():
        if one["name"] == dataset:  # by somebody else, whom this client does not know of
            other = object.__new__(PlatformClient)
            other._dataset_ids, other._transport = {}, client._transport
            assert other.delete_dataset(dataset)
            assert other.create_dataset(dataset)
    assert client.list_samples(dataset) == []
    assert client.register_sample("s", dataset, f"file://data/{dataset}/x") is True


def test_sign_in_by_password(lab: Lab) -> None:
    client = PlatformClient(lab.url, "alice@example.org", PASSWORD)
    name = f"signed-{uuid.uuid4().hex}"
    assert client.create_dataset(name) is True  # a POST: the page's XSRF token goes along
    assert client.delete_dataset(name) is True
    assert PASSWORD not in repr(client)
    refused("wrong_password", PlatformClient, lab.url, "alice@example.org", "wrong")


def test_servers_that_are_none(lab: Lab) -> None:
    refused("server_unreachable", PlatformClient("http://127.0.0.1:9", token="x").list_datasets)
    refused("server_unreachable", PlatformClient, "http://127.0.0.1:9", "a@example.org", "x")
    refused("invalid_server", PlatformClient, "ftp://example.org", token="x")
    refused("server_missing", PlatformClient, None, "a@example.org", "x")
    refused("http_403", PlatformClient(lab.url, token="wrong").list_datasets)


def test_the_address_in_the_browser_will_do(lab: Lab) -> None:
    client = PlatformClient(f"{lab.url}/lab/tree/notebook.ipynb?token={TOKEN}&reset")
    assert isinstance(client.list_datasets(), list)


def test_without_arguments_the_running_server_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", lab.environment["JUPYTER_RUNTIME_DIR"])
    monkeypatch.setenv("BLUENO_HOME", str(lab.home))
    assert lab.url in repr(PlatformClient())
