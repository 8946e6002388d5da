"""What is asked of an ingest."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from jupyter_blueno.catalog.model import Kind, Problem, Progress


class FolderSource(Struct, frozen=True, tag="folder", forbid_unknown_fields=True):
    """A folder of images and volumes on this server; sub-folders are labels.

    ``train``, ``test``, ``val`` … as the first level become splits. Files are
    registered where they lie.
    """

    path: str


class FileSource(Struct, frozen=True, tag="files", forbid_unknown_fields=True):
    """Single files on this server: pictures, volumes, or DICOM folders, registered in place.

    `names`, `labels` and `splits` are as long as `paths`, or empty. A folder
    that holds several samples gives them all its label and split.
    """

    paths: list[str]
    names: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)


class UploadSource(Struct, frozen=True, tag="upload", forbid_unknown_fields=True):
    """What the browser sent under this upload's id."""

    upload_id: str


class PublicSource(Struct, frozen=True, tag="public", forbid_unknown_fields=True):
    """A TensorFlow Datasets builder, ``mnist`` or ``cifar10_corrupted/motion_blur_1:1.0.0``."""

    builder: str
    tfrecord: bool = True  # also as TFRecord, which `tfds.load` reads; twice the disk space


Source = FolderSource | FileSource | UploadSource | PublicSource


class StartIngest(Struct, frozen=True, forbid_unknown_fields=True):
    """Make a dataset called `name` from `source`, in the background."""

    name: str
    source: Source
    description: str | None = None
    job_id: str | None = None  # made by the client, so that a repeated request is the same ingest


class PublicSet(Struct, frozen=True):
    """A public image set that can be prepared by name; sizes in bytes."""

    name: str
    title: str
    description: str
    homepage: str = ""
    download_bytes: int | None = None
    manual: bool = False  # needs files that only a person can fetch
    instructions: str = ""  # which files, and where they go
    original: bool = False  # one of those Blueno had from the start
    prepared: bool = False


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of many samples, by column: a list as long as `names`, or one value for all.

    `shape` and `spacing` are for all, `shapes` and `spacings` a list of each.
    `keys` say which item of `data_url` each sample is. Ordinals run from
    `first_ordinal`, which was reserved before.
    """

    first_ordinal: int
    names: list[str]
    data_url: str | list[str]
    keys: list[str | None] | None = None
    kind: Kind | list[Kind] | None = None
    split: str | list[str | None] | None = None
    label: str | list[str | None] | None = None
    shape: list[int] | None = None
    shapes: list[list[int] | None] | None = None
    dtype: str | list[str] | None = None
    spacing: list[float] | None = None
    spacings: list[list[float] | None] | None = None
    bytes: int | list[int] | None = None
    attributes: list[dict[str, Any]] = field(default_factory=list)


class BeginVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """Start filling a version of the dataset `name`, made if it is missing.

    `count` is how many samples are expected, for the progress.
    """

    name: str
    count: int | None = None
    description: str | None = None
    info: dict[str, Any] = field(default_factory=dict)
    job_id: str | None = None
    root: str | None = None


class BegunVersion(Struct, frozen=True):
    """The rows are there. `emptied`: in the place of those of a failed attempt, whose files may go."""

    dataset_id: int
    version_id: int
    emptied: bool = False


class OpenVersion(Struct, frozen=True):
    """`folder` is where pixels that belong to the dataset are written."""

    dataset_id: int
    version_id: int
    folder: str
    thumbnails: str


class ReserveOrdinals(Struct, frozen=True, forbid_unknown_fields=True):
    dataset_id: int
    count: int


class Reserved(Struct, frozen=True):
    first_ordinal: int


class AddBatch(Struct, frozen=True, forbid_unknown_fields=True):
    version_id: int
    batch: Batch
    progress: Progress | None = None


class FinishVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """The version becomes ready, or failed when there is a `reason`."""

    version_id: int
    reason: str | None = None
    problems: list[Problem] = field(default_factory=list)


class Described(Struct, frozen=True, forbid_unknown_fields=True):
    """What was seen of a sample's data."""

    kind: Kind | None = None
    shape: list[int] | None = None
    dtype: str | None = None
    spacing: list[float] | None = None
    bytes: int | None = None


class Removed(Struct, frozen=True):
    """Whether a sample was removed; `unused` is where its data lies, if that may be deleted."""

    done: bool
    unused: str | None = None


class RegisterSample(Struct, frozen=True, forbid_unknown_fields=True):
    """Data that lies at `data_url` becomes a sample.

    With `validate` the data must be there. With `staged_url`, data that was
    stored there before is moved to `data_url`, only if the name is free.
    """

    dataset_id: int
    name: str
    data_url: str
    validate: bool = True
    kind: Kind | None = None
    label: str | None = None
    split: str | None = None
    info: dict[str, Any] = field(default_factory=dict)
    staged_url: str | None = None


class InsertSample(Struct, frozen=True, forbid_unknown_fields=True):
    """A sample as it was registered, with what was seen of its data, at an ordinal that was reserved."""

    dataset_id: int
    sample: RegisterSample
    ordinal: int
    found: Described
