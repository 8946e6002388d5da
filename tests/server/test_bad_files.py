"""Files that are not what they say, or lie where they should not, through every door."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.server.hostile import alive, ask, refused, until
from tests.servers import Lab


class Payload:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def png(width: int, height: int) -> bytes:
    """A header that promises so many pixels, and none of them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def npy(array: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def bomb() -> bytes:
    """A few KB that say, in the archive and in the array, that they inflate to 20 GB."""
    head = io.BytesIO()
    shape = (5 << 10, 1 << 10, 1 << 10)
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": shape})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", head.getvalue() + bytes(4 << 20))
        archive.filelist[0].file_size = 21 << 30
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(lab: Lab) -> Path:
    """Two good files among the bad ones."""
    import nibabel

    made = lab.root / "mixed"
    made.mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    for name in ("good.png", "good.jpg"):
        picture.save(made / name)
    for name in ("cut.jpg", "cut.png"):
        whole = (made / name.replace("cut", "good")).read_bytes()
        (made / name).write_bytes(whole[: len(whole) // 2])
    nibabel.save(nibabel.Nifti1Image(np.ones((8, 8, 8), np.int16), np.eye(4)), made / "cut.nii")
    os.truncate(made / "cut.nii", 600)
    (made / "cut.npy").write_bytes(npy(np.zeros((8, 8), np.uint8))[:-10])
    (made / "cut.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\0\0\0UL\x04\0\xb0")
    for suffix in ("dcm", "nii", "png", "npy", "npz", "jpg"):
        (made / f"text.{suffix}").write_text("this is a text\n" * 20)
    (made / "huge.png").write_bytes(png(60_000, 60_000))
    (made / "bomb.npz").write_bytes(bomb())
    (made / "none.npy").write_bytes(npy(np.zeros((0, 8), np.uint8)))
    (made / "nan.npy").write_bytes(npy(np.full((6, 5, 7), np.nan)))
    loaded = np.empty(1, object)
    loaded[0] = Payload(lab.root / "unpickled")
    (made / "object.npy").write_bytes(npy(loaded))
    (made / "pickle.npy").write_bytes(pickle.dumps(Payload(lab.root / "unpickled")))
    (made / "text.txt").write_text("not a picture, and not said to be one")
    os.mkfifo(made / "fifo.png")
    (made / "passwd.png").symlink_to("/etc/passwd")
    (made / "etc").symlink_to("/etc")
    (made / "zero.npy").symlink_to("/dev/zero")
    return made


OUTSIDE = {"passwd.png", "etc", "zero.npy"}
BAD = {
    "cut.jpg", "cut.png", "cut.nii", "cut.npy", "cut.dcm", "text.dcm", "text.nii", "text.png", "text.npy",
    "text.npz", "text.jpg", "huge.png", "nan.npy", "bomb.npz", "none.npy", "object.npy", "pickle.npy",
    "fifo.png",
}  # fmt: skip
TOO_LARGE = {"huge.png", "bomb.npz"}


def ingested(lab: Lab, name: str, source: dict[str, Any]) -> dict[str, Any]:
    """The version that an ingest ends with."""
    started = ask(lab, "POST", "/ingests", {"name": name, "source": source})
    assert started.status == 201, started

    def over() -> Any:
        version = ask(lab, "GET", f"/datasets/{started.json['id']}").json["version"]
        return version if version["state"] != "preparing" else None

    found: dict[str, Any] = until(over, "the ingest")
    return found | {"dataset_id": started.json["id"]}


def test_good_ones_come_in_and_bad_ones_are_named(lab: Lab, folder: Path) -> None:
    version = ingested(lab, "mixed", {"type": "folder", "path": str(folder)})
    assert version["state"] == "ready", version
    problems = {one["name"]: one for one in version["problems"]}
    assert set(problems) == BAD | OUTSIDE
    assert problems["nan.npy"]["code"] == "no_finite_values"
    samples = ask(lab, "GET", f"/datasets/{version['dataset_id']}/samples").json["samples"]
    assert {one["name"] for one in samples} == {"good.png", "good.jpg"}
    for name, problem in problems.items():
        assert problem["message"].endswith("."), problem
        assert "Error" not in problem["message"], problem
        assert problem["code"] not in {"", "error", "unexpected", "decoder_failed"}, (name, problem)
    assert not (lab.root / "unpickled").exists()


def test_bad_files_by_path(lab: Lab, folder: Path) -> None:
    # A browser shows what there is of a cut picture, and a volume of nothing but NaN in black.
    for name in sorted(BAD - {"cut.jpg", "cut.png", "nan.npy"}):
        status = 413 if name in TOO_LARGE else 400
        query = [("path", f"mixed/{name}")]
        volume = [*query, ("plane", "axial"), ("index", 0)]
        flat = ("jpg", "png")
        doors = ["/images/picture"] if name.endswith(flat) else ["/volumes/info", "/volumes/slice"]
        for door in doors:
            answer = ask(lab, "GET", door, query=volume if "slice" in door else query)
            assert answer.status in {400, status}, (name, answer)
            assert answer.problem.code not in {"error", "decoder_failed"}
    for name in sorted(OUTSIDE):
        for door in ("/images/picture", "/volumes/info"):
            refused(ask(lab, "GET", door, query=[("path", f"mixed/{name}")]), 403, "outside_roots")
    assert not (lab.root / "unpickled").exists()
    alive(lab)


def test_a_volume_of_nan_is_black(lab: Lab, folder: Path) -> None:
    query = [("path", "mixed/nan.npy")]
    info = ask(lab, "GET", "/volumes/info", query=query).json
    assert (info["low"], info["high"], info["window"]) == (0, 0, 1)
    answer = ask(lab, "GET", "/volumes/slice", query=[*query, ("plane", "axial"), ("index", 0)])
    assert np.isnan(np.frombuffer(answer.body, np.float32)).all()
    refused(ask(lab, "GET", "/images/picture", query=query), 400, "no_finite_values")


def test_pipes_and_links_are_not_read_by_url(lab: Lab, folder: Path) -> None:
    refused(ask(lab, "GET", "/data", query=[("data_url", f"file://{folder}/fifo.png")]), 400, "not_a_file")
    made = ask(lab, "POST", "/datasets", {"name": "links"}).json["id"]
    for name in sorted(OUTSIDE):
        url = f"file://{folder}/{name}"
        refused(ask(lab, "GET", "/data", query=[("data_url", url)]), 403, "outside_roots")
        for validate in (True, False):
            row = {"name": name, "data_url": url, "validate": validate}
            refused(ask(lab, "POST", f"/datasets/{made}/samples", row), 403, "outside_roots")
    row = {"name": "fifo", "data_url": f"file://{folder}/fifo.png"}
    refused(ask(lab, "POST", f"/datasets/{made}/samples", row), 400, "not_a_file")
    assert ask(lab, "GET", f"/datasets/{made}/samples").json["samples"] == []


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ({"type": "folder", "path": "/etc"}, 403, "outside_roots"),
        ({"type": "folder", "path": "../.."}, 403, "outside_roots"),
        ({"type": "folder", "path": "%2e%2e"}, 404, "not_found"),
        ({"type": "folder", "path": "..\\.."}, 404, "not_found"),
        ({"type": "folder", "path": ""}, 400, "invalid_path"),
        ({"type": "folder", "path": "a\0b"}, 400, "invalid_path"),
        ({"type": "folder", "path": "x" * 5000}, 400, "invalid_path"),
        ({"type": "folder", "path": "{root}/mixed/etc"}, 403, "outside_roots"),
        ({"type": "folder", "path": "{root}/mixed/good.png"}, 400, "invalid_input"),
        ({"type": "folder", "path": "{root}/empty"}, 400, "empty"),
        ({"type": "files", "paths": []}, 400, "empty"),
        ({"type": "files", "paths": ["{root}/mixed/fifo.png"]}, 400, "not_a_file"),
        ({"type": "files", "paths": ["/dev/zero"]}, 403, "outside_roots"),
        ({"type": "upload", "upload_id": ".."}, 404, "not_found"),
        ({"type": "upload", "upload_id": "0" * 32}, 404, "not_found"),
        ({"type": "public", "builder": "no_such_set"}, 404, "not_found"),
        ({"type": "public", "builder": "mnist/../../x"}, 404, "not_found"),
        ({"type": "nothing"}, 400, "invalid_request"),
    ],
    ids=str,
)
def test_sources_that_are_refused(
    lab: Lab, folder: Path, source: dict[str, Any], status: int, code: str
) -> None:
    (lab.root / "empty").mkdir(exist_ok=True)
    for name in ("path", "paths"):
        if name in source:
            text = source[name]
            root = str(lab.root)
            filled = (
                [one.replace("{root}", root) for one in text]
                if name == "paths"
                else text.replace("{root}", root)
            )
            source = {**source, name: filled}
    before = ask(lab, "GET", "/datasets").json["datasets"]
    refused(ask(lab, "POST", "/ingests", {"name": "refused", "source": source}), status, code)
    for job_id in ("x", "..", "\0", "A" * 32):
        body = {"name": "refused", "source": {"type": "folder", "path": str(folder)}, "job_id": job_id}
        refused(ask(lab, "POST", "/ingests", body), 400, "job_id")
    after = ask(lab, "GET", "/datasets").json["datasets"]
    assert [one["name"] for one in after] == [one["name"] for one in before]


def test_a_folder_of_texts_fails_with_a_sentence(lab: Lab) -> None:
    texts = lab.root / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("a")
    version = ingested(lab, "a name of\ntwo lines", {"type": "folder", "path": str(texts)})
    assert (version["state"], version["sample_count"]) == ("failed", 0)
    assert version["reason"].endswith(".")


def test_uploads_that_are_refused(lab: Lab) -> None:
    upload = ask(lab, "POST", "/uploads", {}).json["upload_id"]
    path = f"/uploads/{upload}"
    for name in (
        "../x",
        "/etc/x",
        "a/../../x",
        "C:\\x",
        "..\\x",
        "",
        ".",
        "a\0b",
        "a\nb",
        "x" * 300,
        "a/" * 40,
    ):
        refused(ask(lab, "PUT", path, query=[("name", name)], raw=b"x"), 400, "invalid_input")
    for offset, status in ((-1, 400), (1, 409), (10**12, 413), (10**30, 413)):
        refused(ask(lab, "PUT", path, query=[("name", "f"), ("offset", offset)], raw=b"x"), status)
    refused(ask(lab, "PUT", path, query=[("name", "f")], raw=bytes(9 << 20)), 413, "too_large")
    refused(ask(lab, "PUT", "/uploads/..%2f..", query=[("name", "f")], raw=b"x"), 404, "not_found")
    left = [one for one in (lab.home / "uploads" / upload).rglob("*") if one.is_file() and one.stat().st_size]
    assert left == []


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("file://../../etc/passwd", 403), ("file:///etc/passwd", 403),
        ("file://%2e%2e/%2e%2e/etc/passwd", 403),
        ("file:////etc/passwd", 403), ("file:///proc/self/environ", 403), ("file://postgres/x", 403),
        ("file://data/../postgres/PG_VERSION", 403),
        ("http://x", 400), ("", 400), ("file://", 400), ("s3://", 400),
        ("file://%00", 400), ("file://%ff", 400), ("file://" + "x" * 5000, 400),
    ],
)  # fmt: skip
def test_addresses_that_are_refused(lab: Lab, url: str, status: int) -> None:
    refused(ask(lab, "GET", "/data", query=[("data_url", url)]), status)
    refused(ask(lab, "PUT", "/data", query=[("data_url", url)], raw=b"x"), status)


def test_slices_that_are_not_there(lab: Lab) -> None:
    np.save(lab.root / "volume.npy", np.zeros((4, 5, 6), np.int16))
    good = {"path": "volume.npy", "plane": "axial", "index": "0"}
    assert ask(lab, "GET", "/volumes/slice", query=list(good.items())).status == 200
    for wrong, status in (
        ({"plane": "diagonal"}, 400), ({"index": "-1"}, 404), ({"index": "4"}, 404),
        ({"index": "9" * 30}, 404),
        ({"frame": "-1"}, 404), ({"frame": "7"}, 404), ({"tag": "stale"}, 409), ({"dataset_id": "1"}, 400),
    ):  # fmt: skip
        answer = ask(lab, "GET", "/volumes/slice", query=list({**good, **wrong}.items()))
        assert answer.status in (status, 400), (wrong, answer)
        assert answer.problem.code
    alive(lab)
