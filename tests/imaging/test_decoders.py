"""Decoder processes: what they survive, what they do not, and that nobody notices."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import psutil
import pytest

from jupyter_blueno import errors
from jupyter_blueno.imaging import worker
from jupyter_blueno.imaging.cache import VolumeCache
from jupyter_blueno.imaging.decoders import Decoders


@pytest.fixture
def decoders(tmp_path: Path) -> Iterator[Decoders]:
    made = Decoders(tmp_path / "cache", count=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoders]:
    """For tests that only ask."""
    made = Decoders(tmp_path_factory.mktemp("shared") / "cache", count=1)
    yield made
    made.close()


@pytest.fixture
def volume(tmp_path: Path) -> tuple[str, np.ndarray]:
    array = np.random.default_rng(0).integers(-900, 900, (20, 30, 40), np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "a.nii")
    return str(tmp_path / "a.nii"), array


def _processes(folder: Path, of: int | None = None) -> list[psutil.Process]:
    """The decoders that a process has for the caches below `folder`; other tests may have theirs."""
    found = []
    for one in psutil.Process(of).children(recursive=True):
        try:
            command = one.cmdline()
            if worker.__name__ in command and any(str(folder) in part for part in command):
                found.append(one)
        except psutil.Error:
            continue
    return found


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _pixels(decoders: Decoders, path: str, plane: str, index: int, frame: int = 0) -> np.ndarray:
    facts, body = decoders.slice(path, None, plane, index, frame)  # type: ignore[arg-type]
    return np.frombuffer(body, facts["dtype"]).reshape(facts["rows"], facts["columns"])


@pytest.mark.parametrize(
    ("dtype", "wire"),
    [("int8", "int8"), ("uint8", "uint8"), ("int16", "int16"), (">i2", "int16"), ("uint16", "uint16"),
     ("int32", "float32"), ("uint32", "float32"), ("int64", "float32"), ("float32", "float32"),
     (">f4", "float32"), ("float64", "float32"), ("float16", "float32"), ("bool", "uint8")],
)  # fmt: skip
def test_numbers_of_any_type_arrive(shared: Decoders, tmp_path: Path, dtype: str, wire: str) -> None:
    array = np.random.default_rng(0).integers(0, 100, (4, 5, 6)).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    info = shared.info(str(tmp_path / "a.npy"))
    assert info.wire_type == wire
    np.testing.assert_array_equal(_pixels(shared, str(tmp_path / "a.npy"), "coronal", 3), array[:, 3])


def test_a_compressed_volume_is_unpacked_once(
    decoders: Decoders, volume: tuple[str, np.ndarray], tmp_path: Path
) -> None:
    path, array = volume
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(Path(path).read_bytes()))
    for plane, index, expected in (
        ("axial", 39, array[:, :, 39].T), ("coronal", 0, array[:, 0].T), ("sagittal", 7, array[7].T),
    ):  # fmt: skip
        np.testing.assert_array_equal(_pixels(decoders, str(packed), plane, index), expected[::-1, ::-1])
    (kept,) = (tmp_path / "cache").iterdir()
    assert (kept.suffix, kept.stat().st_size) == (".vox", array.nbytes)
    written = kept.stat().st_ino
    decoders.close()
    again = Decoders(tmp_path / "cache", count=1)
    assert _pixels(again, str(packed), "axial", 0).shape == (30, 20)
    again.close()
    assert [one.stat().st_ino for one in (tmp_path / "cache").iterdir()] == [written]


def test_a_broken_compressed_volume_leaves_nothing(decoders: Decoders, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(-900, 900, (40, 60, 40), np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "b.nii.gz")
    os.truncate(tmp_path / "b.nii.gz", (tmp_path / "b.nii.gz").stat().st_size // 4)
    with pytest.raises(errors.UnreadableData) as caught:
        decoders.info(str(tmp_path / "b.nii.gz"))
    assert caught.value.code == "truncated"
    assert not list((tmp_path / "cache").iterdir())


def test_the_cache_makes_room(tmp_path: Path) -> None:
    cache = VolumeCache(tmp_path, limit=1000)
    for n in range(4):
        cache.path(f"t{n}").write_bytes(bytes(10_000))
        os.utime(cache.path(f"t{n}"), (n, n))
    (tmp_path / "dead.part").write_bytes(b"left behind")
    os.utime(tmp_path / "dead.part", (0, 0))
    cache.limit = sum(one.stat().st_blocks * 512 for one in tmp_path.iterdir()) - 1
    cache.make_room(0)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["t0.vox", "t1.vox", "t2.vox", "t3.vox"]
    cache.make_room(5000)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["t1.vox", "t2.vox", "t3.vox"]


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with pytest.raises(errors.Unavailable) as caught:
        VolumeCache(tmp_path).make_room(1 << 60)
    assert caught.value.code == "cache_full"


def test_a_killed_process_is_replaced(
    decoders: Decoders, tmp_path: Path, volume: tuple[str, np.ndarray]
) -> None:
    path, array = volume
    decoders.start()
    (process,) = _processes(tmp_path)
    process.kill()
    process.wait()
    np.testing.assert_array_equal(_pixels(decoders, path, "sagittal", 3), array[3].T[::-1, ::-1])


def test_a_process_that_dies_at_work_is_named(
    decoders: Decoders, tmp_path: Path, volume: tuple[str, np.ndarray]
) -> None:
    path, _ = volume
    decoders.start()
    (process,) = _processes(tmp_path)
    process.suspend()  # so that the request is surely waiting
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(decoders.info, path)
        _until(lambda: decoders._workers[0].busy_for > 0.05)
        process.kill()
        with pytest.raises(errors.DecoderFailed) as caught:
            asked.result()
    assert caught.value.code == "decoder_died"
    assert decoders.info(path).frames == 1


def test_a_request_that_takes_too_long_is_stopped(tmp_path: Path, volume: tuple[str, np.ndarray]) -> None:
    decoders = Decoders(tmp_path / "cache", count=1)
    decoders.start()
    (process,) = _processes(tmp_path)
    process.suspend()
    decoders.time_limit = 0.3
    with pytest.raises(errors.DecoderFailed) as caught:
        decoders.info(volume[0])
    assert caught.value.code == "decoder_timeout"
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    decoders.time_limit = 30
    assert decoders.info(volume[0]).frames == 1
    decoders.close()


def test_memory_is_limited(tmp_path: Path, volume: tuple[str, np.ndarray]) -> None:
    from PIL import Image

    Image.new("RGB", (12_000, 12_000)).save(tmp_path / "wide.png")
    decoders = Decoders(tmp_path / "cache", count=1, memory=300 << 20)
    with pytest.raises((errors.TooLarge, errors.DecoderFailed)):
        decoders.picture(str(tmp_path / "wide.png"), max_size=100)
    assert decoders.info(volume[0]).frames == 1
    decoders.close()


def test_a_volume_larger_than_the_memory_limit_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "large.nii"
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4))
    image.header.set_data_shape((1024, 1024, 400))
    with path.open("wb") as file:
        image.header["vox_offset"] = 352
        image.header.write_to(file)
    os.truncate(path, 352 + 1024 * 1024 * 400 * 2)
    decoders = Decoders(tmp_path / "cache", count=1, memory=400 << 20)
    assert _pixels(decoders, str(path), "sagittal", 500).shape == (400, 1024)
    decoders.close()


def test_many_at_once(tmp_path: Path, volume: tuple[str, np.ndarray]) -> None:
    path, array = volume
    decoders = Decoders(tmp_path / "cache")
    with ThreadPoolExecutor(16) as threads:
        for index, found in enumerate(threads.map(lambda n: _pixels(decoders, path, "axial", n), range(40))):
            np.testing.assert_array_equal(found, array[:, :, index].T[::-1, ::-1])
    decoders.close()
    assert not _processes(tmp_path)


# A shell that starts the tests in its background lets them ignore Ctrl-C; a server does not.
_SERVER = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from jupyter_blueno.imaging.decoders import Decoders
decoders = Decoders(Path(sys.argv[1]))
decoders.start()
print("up", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_they_end_with_their_server(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", _SERVER, str(tmp_path / "cache")]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert server.stdout is not None
    assert server.stderr is not None
    assert server.stdout.readline() == "up\n"
    processes = _processes(tmp_path, server.pid)
    assert len(processes) == 2
    os.killpg(server.pid, how)  # as Ctrl-C in a terminal does
    said = server.communicate()[1]
    assert "worker.py" not in said  # the server may tell of its end, they do not of theirs
    _until(lambda: not any(one.is_running() for one in processes))


def test_they_have_no_file_of_the_server(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        decoders = Decoders(tmp_path / "cache", count=1)
        decoders.start()
        (process,) = _processes(tmp_path)
        assert listening.getsockname()[1] not in {one.laddr.port for one in process.net_connections("inet")}
        decoders.close()
