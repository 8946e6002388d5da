"""What the catalog talks about."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

Kind = Literal["image2d", "volume3d"]
Visibility = Literal["private", "team", "everyone"]
VersionState = Literal["open", "preparing", "ready", "failed"]

NAME_LIMIT = 255  # characters of a dataset's name
SAMPLE_NAME_LIMIT = 512


class User(Struct, frozen=True):
    """Who asks; `admin` is an administrator of the hub."""

    name: str
    team: str = "local"
    teams: tuple[str, ...] = ()
    admin: bool = False


class Progress(Struct, frozen=True):
    """How far a piece of work is; `total` is None while it is not known."""

    done: int
    total: int | None = None
    message: str | None = None


class Problem(Struct, frozen=True):
    """A sample that could not be read, and why."""

    name: str
    code: str
    message: str


class Version(Struct, frozen=True):
    """One state of a dataset; immutable once ``ready``.

    ``open`` takes samples one by one; ``preparing`` is being filled by an
    ingest; ``failed`` says why in `reason`.
    """

    id: int
    number: int
    state: VersionState
    sample_count: int
    bytes: int
    created_at: datetime
    finished_at: datetime | None = None
    progress: Progress | None = None
    problems: list[Problem] = field(default_factory=list)
    reason: str | None = None
    job_id: str | None = None
    summary: dict[str, Any] = field(default_factory=dict)


class Dataset(Struct, frozen=True):
    """A named collection of samples, with its newest version.

    `kinds` are those that occur; `label_count` is how many different labels;
    `preview` are ordinals of up to four samples for the strip of thumbnails.
    """

    id: int
    name: str
    owner: str
    team: str
    visibility: Visibility
    created_at: datetime
    updated_at: datetime
    version: Version
    description: str | None = None
    info: dict[str, Any] = field(default_factory=dict)
    kinds: list[Kind] = field(default_factory=list)
    label_count: int = 0
    preview: list[int] = field(default_factory=list)
    root: str | None = None
    revision: int = 0


class Sample(Struct, frozen=True):
    """One picture or volume. `ordinal` is its number in the dataset, for good.

    `spacing` is in mm per voxel along the axes of `shape`; `bytes` is the size
    of its data where that is known. `results` has its values in the dataset's
    columns (`ColumnInfo`).
    """

    dataset_id: int
    ordinal: int
    name: str
    data_url: str
    data_key: str | None = None
    kind: Kind | None = None
    split: str | None = None
    label: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    shape: list[int] | None = None
    dtype: str | None = None
    spacing: list[float] | None = None
    bytes: int | None = None
    checksum: str | None = None
    created_at: datetime | None = None
    results: dict[str, float | str] = field(default_factory=dict)


class ColumnInfo(Struct, frozen=True):
    """A value of samples that somebody computed; of numbers the least and the most."""

    name: str
    type: Literal["number", "text"]
    owner: str
    job_id: str | None
    updated_at: datetime
    count: int
    least: float | None = None
    most: float | None = None


class FacetValue(Struct, frozen=True):
    """A value (None: no value) and how many samples have it."""

    value: str | None
    count: int


class Facets(Struct, frozen=True):
    """Counts by split and by label, each under the filter of the *other* facets."""

    total: int
    splits: list[FacetValue]
    labels: list[FacetValue]


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which samples: values of one field are alternatives, fields are combined.

    `text` is matched, ignoring case, anywhere in name or label. An empty
    string in `split` or `label` means "has none". `having` are conditions on
    columns (``confidence<0.5``), which are all met.
    """

    split: list[str] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    text: str = ""
    having: list[str] = field(default_factory=list)


class Selection(Struct, frozen=True, forbid_unknown_fields=True):
    """A `Filter` on one version (default: the newest) of a dataset.

    `sort` is a column, with a minus before it for the largest first; samples
    without a value come last. Without one samples come by ordinal.
    """

    dataset_id: int
    version: int | None = None
    split: list[str] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    text: str = ""
    having: list[str] = field(default_factory=list)
    sort: str = ""


class SamplePage(Struct, frozen=True, forbid_unknown_fields=True):
    """A page by key: up to `limit` (≤ 1,000) samples of a selection whose ordinal is above `after`."""

    dataset_id: int
    version: int | None = None
    split: list[str] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    text: str = ""
    having: list[str] = field(default_factory=list)
    name: str | None = None
    after: int = -1
    limit: int = 200
