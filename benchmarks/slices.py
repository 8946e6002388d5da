"""Slices of a 210 MB volume: from a decoder process and over HTTP, against a bare memory map."""

from __future__ import annotations

import gzip
import http.client
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure, percentile, spread
from jupyter_blueno.api.operation import PREFIX
from jupyter_blueno.imaging.decoders import Decoders
from tests.servers import TOKEN, Lab

SHAPE = (512, 512, 400)  # int16, first axis fastest: 210 MB
OFFSET = 352
SCROLL = 120  # slices a plane
PLANES = ("axial", "coronal", "sagittal")


def measure() -> list[Figure]:
    """Write a volume into a temporary folder and scroll through it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        path = root / "large.nii"
        _write(path)
        packed = root / "large.nii.gz"
        with packed.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as stream:
            stream.write(path.read_bytes())
        bare = {plane: _scroll(_bare(path, plane), plane) for plane in PLANES}
        return [*_in_a_decoder(path, packed, bare, Path(folder)), *_over_http(bare, Path(folder))]


def _write(path: Path) -> None:
    """Something between a phantom and noise, so that it compresses as a scan does."""
    import nibabel

    i, j, k = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    body = 900 * (i * i + j * j + k * k < 0.8) + 300 * np.cos(9 * i) * np.cos(8 * j) * np.cos(7 * k)
    noise = np.random.default_rng(0).integers(-20, 20, SHAPE, np.int16)
    image = nibabel.Nifti1Image(body.astype(np.int16) + noise, np.diag([0.7, 0.7, 1, 1]))
    nibabel.save(image, path)


def _bare(path: Path, plane: str) -> Callable[[int], Any]:
    array = np.memmap(path, "<i2", "r", OFFSET, SHAPE, "F")
    axis = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    array.max()  # its pages are there, as those of the decoder are
    return lambda index: np.ascontiguousarray(_at(array, axis, index))


def _at(array: np.ndarray, axis: int, index: int) -> np.ndarray:
    where: list[Any] = [slice(None)] * 3
    where[axis] = index
    return array[tuple(where)]


def _scroll(read: Callable[[int], Any], plane: str) -> list[float]:
    count = {"axial": SHAPE[2], "coronal": SHAPE[1], "sagittal": SHAPE[0]}[plane]
    times = []
    for index in range(count // 4, count // 4 + SCROLL):
        start = time.perf_counter()
        read(index)
        times.append(time.perf_counter() - start)
    return times


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _in_a_decoder(path: Path, packed: Path, bare: dict[str, list[float]], folder: Path) -> list[Figure]:
    decoders = Decoders(folder / "cache")
    started = _timed(decoders.start)
    figures = [Figure("both decoder processes up", f"{started:.2f} s")]
    tag = ""

    def open_() -> None:
        nonlocal tag
        tag = decoders.info(str(path)).tag
        decoders.slice(str(path), None, "axial", SHAPE[2] // 2)

    first = _timed(open_)
    figures.append(_figure("210 MB .nii: info and first slice", first, 0.15))
    first_sagittal = _timed(lambda: decoders.slice(str(path), None, "sagittal", 250))
    figures.append(_figure("first sagittal slice, while its pages are fetched", first_sagittal, None))
    time.sleep(1)  # a person's pause; the map is warmed meanwhile
    for plane in PLANES:
        times = _scroll(
            lambda index, plane=plane: decoders.slice(str(path), None, plane, index, 0, tag), plane
        )
        figures.append(_against(f"{plane} slice from a decoder", times, bare[plane], 0.015))
    figures.append(_fifty(lambda n: decoders.slice(str(path), None, "sagittal", n * 10, 0, tag)))
    gunzip = _timed(lambda: subprocess.run(["gzip", "-dc", packed], stdout=subprocess.DEVNULL, check=True))

    def open_packed() -> None:
        decoders.info(str(packed))
        decoders.slice(str(packed), None, "axial", SHAPE[2] // 2)

    unpacked = _timed(open_packed)
    whole = unpacked + _timed(lambda: decoders.slice(str(packed), None, "axial", SHAPE[2] - 1))
    ratio = whole / gunzip
    figures.append(Figure("210 MB .nii.gz, first time ever: middle slice", f"{unpacked:.2f} s"))
    figures.append(
        Figure(
            "… its last slice",
            f"{whole:.2f} s",
            f"gzip -dc {gunzip:.2f} s: × {ratio:.2f}",
            "≤ 1.3",
            ratio <= 1.3,
        )
    )
    decoders.close()
    again = Decoders(folder / "cache")
    again.start()
    figures.append(
        _figure("… opened again", _timed(lambda: again.slice(str(packed), None, "axial", 9)), 0.15)
    )
    again.close()
    return figures


def _over_http(bare: dict[str, list[float]], folder: Path) -> list[Figure]:
    lab = Lab(folder / "root", folder / "lab" / "home")
    lab.home.mkdir(parents=True)
    lab.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", lab.port)

        def get(path: str, over: http.client.HTTPConnection = connection) -> bytes:
            over.request("GET", PREFIX + path, headers={"Authorization": f"token {TOKEN}"})
            answer = over.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(body)
            return body

        get("/images/picture?path=large.nii&max_size=64")  # the decoders are up, as they are in a Lab
        info = json.loads(get("/volumes/info?path=large.nii"))
        get("/volumes/slice?path=large.nii&plane=sagittal&index=9")
        time.sleep(1)
        figures = []
        for plane in PLANES:
            address = f"/volumes/slice?path=large.nii&plane={plane}&tag={info['tag']}&index="
            times = _scroll(lambda index, address=address: get(f"{address}{index}"), plane)
            figures.append(_against(f"{plane} slice over HTTP", times, bare[plane], 0.05))
        connection.close()
        return figures
    finally:
        lab.stop()


def _fifty(ask: Callable[[int], Any]) -> Figure:
    with ThreadPoolExecutor(50) as threads:
        times = list(threads.map(lambda n: _timed(lambda: ask(n)), range(50)))
    late = percentile(times, 95)
    return Figure("sagittal, 50 at once", spread(times), "", "p95 ≤ 60 ms", late <= 0.060)


def _figure(name: str, seconds: float, reach: float | None) -> Figure:
    if reach is None:
        return Figure(name, f"{1000 * seconds:.0f} ms")
    return Figure(name, f"{1000 * seconds:.0f} ms", "", f"≤ {1000 * reach:.0f} ms", seconds <= reach)


def _against(name: str, times: list[float], bare: list[float], reach: float) -> Figure:
    ratio = statistics.median(times) / statistics.median(bare)
    return Figure(
        name, spread(times), f"bare memory map {spread(bare)}: × {ratio:.1f}",
        f"p95 ≤ {1000 * reach:.0f} ms", percentile(times, 95) <= reach,
    )  # fmt: skip
