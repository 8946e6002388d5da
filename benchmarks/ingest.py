"""Getting data in: small arrays, and photos from a folder, each with thumbnails and rows."""

from __future__ import annotations

import io
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.figures import Figure
from jupyter_blueno.api.context import Context, User
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.config import Config
from jupyter_blueno.ingest import work
from jupyter_blueno.ingest.destination import CatalogDestination
from jupyter_blueno.ingest.model import BeginVersion, FolderSource
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from jupyter_blueno.ingest.workers import available_processors

DIGITS = 60_000
DIGITS_REQUIRED, DIGITS_AIM = 5_000, 20_000  # samples/s
PHOTOS = 2_000
PHOTO_SIZE = (500, 375)
TILE = (128, 128)


def measure() -> list[Figure]:
    """Ingest generated digits and photos into a data folder of its own."""
    with tempfile.TemporaryDirectory(prefix="blueno-bench-") as home:
        context = Context.local(Config(home=home))
        try:
            context.database.engine  # noqa: B018 - starts it: not a part of the ingest
            destination = CatalogDestination(context.database, context.config, User("bench"))
            return [*_digits(destination), *_photos(context.config, destination)]
        finally:
            context.platform.close()


def _digits(destination: CatalogDestination) -> list[Figure]:
    pixels = np.random.default_rng(0).integers(0, 256, (DIGITS, 28, 28), dtype=np.uint8)
    labels = np.arange(DIGITS) % 10
    with tempfile.TemporaryFile() as file:
        start = time.perf_counter()
        np.save(file, pixels)
        bare = time.perf_counter() - start
    start = time.perf_counter()
    made = ingest_arrays(destination, "digits", pixels, labels=labels, split="train")
    took = time.perf_counter() - start
    _expect(made, DIGITS)
    rate = DIGITS / took
    return [
        Figure(
            f"{DIGITS:,} arrays of 28×28 in, with thumbnails, rows and labels",
            f"{rate:,.0f} samples/s",
            f"np.save of their pixels alone: {DIGITS / bare:,.0f}/s",
            f"≥ {DIGITS_REQUIRED:,}/s, aim {DIGITS_AIM:,}/s",
            rate >= DIGITS_REQUIRED,
        )
    ]


def _photos(config: Config, destination: CatalogDestination) -> list[Figure]:
    root = config.folder("photos")
    paths = _write_photos(root)
    bare = min(_bare(paths), _bare(paths))
    source = FolderSource(str(root))
    start = time.perf_counter()
    checked = work.check(config, source)
    opened = destination.begin(BeginVersion("photos", root=checked.root))
    request = work.Request(User("bench"), checked.source, opened)
    made = work.run(config, destination, request, lambda _: None)
    took = time.perf_counter() - start
    _expect(made, PHOTOS)
    return [
        Figure(
            f"{PHOTOS:,} JPEGs of {PHOTO_SIZE[0]}×{PHOTO_SIZE[1]} in, from a folder",
            f"{PHOTOS / took:,.0f} photos/s",
            f"bare Pillow (draft, thumbnail, save), all cores: {PHOTOS / bare:,.0f}/s; "
            f"{took / bare:.2f} × its time",
        )
    ]


def _write_photos(root: Path) -> list[str]:
    random = np.random.default_rng(1)
    kinds = []
    for _ in range(20):
        coarse = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize(PHOTO_SIZE, Image.Resampling.BICUBIC)
        noise = Image.effect_noise(PHOTO_SIZE, 40).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")
        out = io.BytesIO()
        Image.blend(smooth, noise, 0.3).save(out, "JPEG", quality=90)
        kinds.append(out.getvalue())
    paths = []
    for n in range(PHOTOS):
        path = root / f"label{n % 10}" / f"{n}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(kinds[n % len(kinds)])
        paths.append(str(path))
    return paths


def _bare(paths: list[str]) -> float:
    """Seconds that Pillow alone takes on all cores, its processes started before."""
    with multiprocessing.get_context("spawn").Pool(available_processors()) as pool:
        pool.map(_thumbnail, paths[:20], chunksize=1)
        start = time.perf_counter()
        pool.map(_thumbnail, paths, chunksize=100)
        return time.perf_counter() - start


def _thumbnail(path: str) -> int:
    with Image.open(path) as image:
        image.draft("RGB", TILE)
        image.thumbnail(TILE)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=80)
        return out.tell()


def _expect(made: Dataset, count: int) -> None:
    if made.version.state != "ready" or made.version.sample_count != count:
        raise RuntimeError(f"the ingest went wrong: {made.version}")
