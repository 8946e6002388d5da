"""Files from the browser."""

from __future__ import annotations

import pytest

from jupyter_blueno.api.ingest import UploadChunk, UploadRef, create_upload, drop_upload, put_chunk
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from jupyter_blueno.ingest import uploads
from jupyter_blueno.ingest.model import UploadSource
from tests.ingest.conftest import write_picture


@pytest.fixture
def upload(context):
    return create_upload(context, Nothing()).upload_id


@pytest.fixture
def put(context, upload):
    def send(name, content, offset=0):
        return put_chunk(context, UploadChunk(upload, name, offset, content)).done

    return send


def test_what_was_sent_becomes_a_dataset_of_its_own(context, upload, put, ingest, samples, tmp_path):
    for label in ("cat", "dog"):
        content = write_picture(tmp_path / f"{label}.png").read_bytes()
        assert put(f"pets/{label}/1.png", content[:100])
        assert put(f"pets/{label}/1.png", content[100:], offset=100)
        assert not put(f"pets/{label}/1.png", content[100:], offset=100)  # sent again: nothing changes
    dataset, _ = ingest("pets", UploadSource(upload))
    found = samples(dataset)
    assert [(one.name, one.label) for one in found] == [("cat/1.png", "cat"), ("dog/1.png", "dog")]
    home = context.config.folder("data", dataset.id)
    assert found[0].data_url == (home / "pets/cat/1.png").as_uri()
    assert (home / "pets/cat/1.png").read_bytes() == (tmp_path / "cat.png").read_bytes()
    assert list(context.config.folder("uploads").iterdir()) == []
    with pytest.raises(NotFound, match="no upload"):
        ingest("again", UploadSource(upload))


def test_an_upload_that_is_given_up_leaves_nothing(context, upload, put):
    put("pets/cat/1.png", b"half a picture")
    assert drop_upload(context, UploadRef(upload)).done
    assert list(context.config.folder("uploads").iterdir()) == []
    with pytest.raises(NotFound, match="no upload"):
        drop_upload(context, UploadRef(upload))


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "/", "/etc/passwd", "../up.png", "a/../../up.png", "..\\up.png", "C:\\up.png", "c:up.png",
        "a\0b.png", "a\nb.png", "n" * 300, "a/" * 600 + "b", "a/" * 40 + "b", "\ud800.png",
    ],
)  # fmt: skip
def test_names_that_lead_anywhere_else_are_refused(put, context, name):
    with pytest.raises(InvalidInput):
        put(name, b"x")
    assert not [one for one in context.config.home_path.rglob("*") if one.is_file()]


def test_names_of_any_language_are_kept(put, context, upload):
    assert put("Bilder – Sommer/größe ①.png", b"x")
    assert (uploads.folder_of(context.config, upload) / "Bilder – Sommer" / "größe ①.png").exists()


def test_chunks_come_in_order(put):
    put("a.bin", b"12345")
    with pytest.raises(Conflict, match="5 bytes so far"):
        put("a.bin", b"x", offset=6)
    assert put("a.bin", b"67", offset=5)


def test_limits(put, monkeypatch):
    with pytest.raises(TooLarge):
        put("a.bin", bytes(uploads.CHUNK_LIMIT + 1))
    with pytest.raises(TooLarge):
        put("a.bin", b"x", offset=uploads.UPLOAD_LIMIT)
    monkeypatch.setattr(uploads, "SPARE", 1 << 62)
    with pytest.raises(Unavailable) as raised:
        put("a.bin", b"x")
    assert raised.value.code == "disk_full"


def test_a_file_is_not_a_folder(put):
    put("a", b"x")
    with pytest.raises(InvalidInput, match="at once"):
        put("a/b", b"x")


def test_an_upload_that_is_not_there(context, ingest, upload):
    for wrong in ("0" * 32, "../../etc", ""):
        with pytest.raises(NotFound):
            put_chunk(context, UploadChunk(wrong, "a.png", 0, b"x"))
    with pytest.raises(InvalidInput, match="Nothing was uploaded"):
        ingest("empty", UploadSource(upload))
