"""Getting data in: a background ingest, an upload, or rows of pixels that a kernel wrote."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Done, Nothing, operation
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.ingest.model import (
    AddBatch,
    BeginVersion,
    BegunVersion,
    FinishVersion,
    OpenVersion,
    PublicSet,
    Reserved,
    ReserveOrdinals,
    StartIngest,
)


class PublicSets(Struct, frozen=True):
    sets: list[PublicSet]


class Upload(Struct, frozen=True):
    upload_id: str


class UploadRef(Struct, frozen=True, forbid_unknown_fields=True):
    """An upload by its id."""

    upload_id: str


class UploadChunk(Struct, frozen=True, forbid_unknown_fields=True):
    """`content` (the body, ≤ 8 MB) goes into file `name` at byte `offset`."""

    upload_id: str
    name: str
    offset: int = 0
    content: bytes = b""


@operation("POST", "/ingests", resource="ingests", action="execute", status=201, local=True)
def start_ingest(context: Context, ask: StartIngest) -> Dataset:
    """Start a background job that makes a dataset from a source."""
    from jupyter_blueno.api import launch

    return launch.start(context, ask)


@operation("GET", "/ingests/public-sets", resource="ingests", action="read", local=True)
def list_public_sets(context: Context, ask: Nothing) -> PublicSets:
    """List the public image sets that can be prepared by name."""
    from jupyter_blueno.ingest.sources import public

    return PublicSets(public.list_sets(context.config))


@operation("POST", "/uploads", resource="uploads", action="write", status=201, local=True)
def create_upload(context: Context, ask: Nothing) -> Upload:
    """Open a place for files from the browser."""
    from jupyter_blueno.ingest import uploads

    return Upload(uploads.create(context.config))


@operation("DELETE", "/uploads/{upload_id}", resource="uploads", action="write", local=True)
def drop_upload(context: Context, ask: UploadRef) -> Done:
    """Give up an upload: what was sent of it is deleted."""
    from jupyter_blueno.ingest import uploads

    uploads.drop(context.config, ask.upload_id)
    return Done(True)


@operation("PUT", "/uploads/{upload_id}", resource="uploads", action="write", raw_body="content", local=True)
def put_chunk(context: Context, ask: UploadChunk) -> Done:
    """Write one chunk of one file of an upload."""
    from jupyter_blueno.ingest import uploads

    return Done(uploads.put(context.config, ask.upload_id, ask.name, ask.offset, ask.content))


@operation("POST", "/versions", resource="ingests", action="write", status=201, local=True)
def begin_version(context: Context, ask: BeginVersion) -> OpenVersion:
    """Begin a version that the caller fills; it is ``preparing`` until finished."""
    from jupyter_blueno.ingest import filling

    begun = context.ask(open_version, filling.rooted(context.config, ask))
    return filling.opened(context.config, begun)


@operation("POST", "/versions/open", resource="ingests", action="write", status=201)
def open_version(context: Context, ask: BeginVersion) -> BegunVersion:
    """Write down that a version is being filled; no folder is looked at or made."""
    from jupyter_blueno.api.accounting import check_storage
    from jupyter_blueno.ingest import filling

    check_storage(context, home=False)
    return filling.begin_rows(context.database, context.user, ask)


@operation("POST", "/datasets/{dataset_id}/reserve", resource="ingests", action="write")
def reserve_ordinals(context: Context, ask: ReserveOrdinals) -> Reserved:
    """Reserve a run of ordinals, so that thumbnails can be written before rows."""
    from jupyter_blueno.ingest import filling

    return Reserved(filling.reserve(context.database, context.user, ask.dataset_id, ask.count))


@operation("POST", "/versions/{version_id}/samples", resource="ingests", action="write")
def add_batch(context: Context, ask: AddBatch) -> Done:
    """Add many samples by COPY, in one transaction."""
    from jupyter_blueno.ingest import filling

    return Done(filling.add(context.database, context.user, ask))


@operation("POST", "/versions/{version_id}/finish", resource="ingests", action="write")
def finish_version(context: Context, ask: FinishVersion) -> Dataset:
    """Finish a version: from then on it never changes."""
    from jupyter_blueno.ingest import filling

    return filling.finish(context.database, context.user, ask)
