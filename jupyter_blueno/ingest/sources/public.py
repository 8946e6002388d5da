"""Public image sets: built by TensorFlow Datasets, left in its own layout.

``home/tfds`` is what TFDS calls its data_dir: `tfds.data_source` and `tfds.load`
read the same folder. TensorFlow builds a set; Blueno needs none to read it.
What lies prepared in ``tfds`` of the folder for everybody is not built again.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_blueno.catalog.model import Problem
from jupyter_blueno.config import Config
from jupyter_blueno.errors import BluenoError, InvalidInput, MissingDependency, NotFound, Unavailable
from jupyter_blueno.ingest.model import Batch, PublicSet
from jupyter_blueno.ingest.run import Chunk
from jupyter_blueno.ingest.workers import Workers, available_processors, problem_of

LISTED = Path(__file__).with_name("public-sets.json")  # written by scripts/public-sets
CHUNK_LENGTH = 1000  # records
TENSORFLOW_LINE = "pip install 'jupyter-blueno[tensorflow]'"

_BUILDER = re.compile(r"([a-z0-9_]+)(?:/([A-Za-z0-9_.\-]+))?(?::([0-9.]+))?")
_SHOWN = 12  # names in a message


def list_sets(config: Config) -> list[PublicSet]:
    """All image sets by name, those that Blueno had from the start first."""
    places = _places(config)
    return [
        PublicSet(
            name=one["name"],
            title=one["title"],
            description=one["description"],
            homepage=one["homepage"],
            download_bytes=one["download_bytes"],
            manual=one["manual"],
            instructions=_instructions(config, one["instructions"]),
            original=one["original"],
            prepared=any(any((place / one["name"]).rglob("dataset_info.json")) for place in places),
        )
        for one in _listed()
    ]


def _places(config: Config) -> list[Path]:
    """What TFDS calls data_dir: where sets are built, and where others may lie."""
    return [Path(one) / "tfds" for one in (config.home_path, config.datasets) if one]


@cache
def _list() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(LISTED.read_bytes())
    return content


def _listed() -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = _list()["sets"]
    return sets


def _instructions(config: Config, text: str) -> str:
    folder = config.home_path / "tfds" / "downloads" / "manual"
    return f"Put the files into {folder}. {text}" if text else ""


def check(config: Config, builder: str) -> None:
    """Refuse what cannot be built here, before a job is started for it.

    Raises
    ------
    NotFound
        If there is no public set, configuration or version of that name; says
        which come nearest.
    MissingDependency
        If the packages that build it are not installed; says which line installs them.
    InvalidInput
        If it needs files that only a person can fetch and they are not there;
        says which and where to.
    """
    parts = _BUILDER.fullmatch(builder)
    if parts is None:
        raise NotFound(f"'{builder[:80]}' is no name of a public set, such as 'mnist' or 'coco/2014'.")
    name, configuration, version = parts.groups()
    by_name = {one["name"].partition("/")[0]: one for one in _listed()}
    listed = by_name.get(name)
    if listed is None:
        raise NotFound(
            f"There is no public image set '{name[:80]}'. {_nearest(name, list(by_name))}"
            "The list of public sets has all names."
        )
    prepared = prepared_folder(config, builder) is not None
    if not prepared and _installed() == _list()["tfds"]:  # another release may know others
        _check_one_of(name, "configuration", configuration, listed["configs"])
        _check_one_of(name, "version", version, listed["versions"])
    for module in ("tensorflow_datasets", "array_record"):
        if importlib.util.find_spec(module) is None:
            raise MissingDependency(
                f"Public sets need tensorflow-datasets and array_record: {TENSORFLOW_LINE}"
            )
    if importlib.util.find_spec("tensorflow") is None and not prepared:
        raise MissingDependency(f"Building '{builder}' needs TensorFlow: {TENSORFLOW_LINE}")
    manual = config.folder("tfds", "downloads", "manual")
    if listed["manual"] and not any(manual.iterdir()) and not prepared:
        raise InvalidInput(
            f"'{name}' needs files that only a person can fetch. "
            + _instructions(config, listed["instructions"]),
            code="manual_download",
        )


def _installed() -> str | None:
    try:
        return importlib.metadata.version("tensorflow-datasets")
    except importlib.metadata.PackageNotFoundError:
        return None


def _check_one_of(name: str, what: str, asked: str | None, known: list[str]) -> None:
    if asked is None or asked in known:
        return
    if not known:
        raise NotFound(f"'{name}' has no {what}s, so there is no '{asked[:80]}'; ask for '{name}'.")
    shown = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" * (len(known) > _SHOWN))
    raise NotFound(f"'{name}' has no {what} '{asked[:80]}'. {_nearest(asked, known)}There is {shown}.")


def _nearest(asked: str, known: list[str]) -> str:
    near = difflib.get_close_matches(asked, known, n=3)
    return f"Did you mean {' or '.join(map(repr, near))}? " if near else ""


def prepared_folder(config: Config, builder: str) -> Path | None:
    """Where a set lies if it was prepared before, found without TFDS; the newest version counts."""
    from jupyter_blueno.imaging.formats.prepared import is_prepared

    name, _, version = builder.partition(":")
    for place in _places(config):
        base = place / name
        if "/" not in name and not _versions(base) and base.is_dir():
            continue  # it has configurations: TFDS knows which is the default one
        found = [base / version] if version else _versions(base)
        for folder in reversed(found):
            if is_prepared(folder):
                return folder
    return None


def _versions(base: Path) -> list[Path]:
    found = [one for one in base.glob("*.*.*") if re.fullmatch(r"\d+\.\d+\.\d+", one.name)]
    return sorted(found, key=lambda one: [int(part) for part in one.name.split(".")])


def prepare(config: Config, builder: str, say: Callable[[str], None]) -> Path:
    """Download and build a set, unless it is there, and return its folder.

    Parameters
    ----------
    builder : str
        As TFDS names it: ``mnist``, ``coco/2014``, ``cifar10_corrupted/motion_blur_1:1.0.0``.
    say : callable
        Called with a few words about what is going on, about once a second.

    Raises
    ------
    Unavailable
        If a download failed.
    InvalidInput
        If files that must be fetched by hand are missing.
    """
    there = prepared_folder(config, builder)
    if there is not None:
        return there
    home = config.folder("tfds")
    import tensorflow_datasets as tfds

    from jupyter_blueno.imaging.formats.prepared import is_prepared

    say(f"Looking up {builder}")
    try:
        for place in _places(config):
            made = tfds.builder(builder, data_dir=str(place))
            if is_prepared(Path(made.data_dir)):  # its configuration was left to TFDS
                return Path(made.data_dir)
        made = tfds.builder(builder, data_dir=str(home), file_format="array_record")
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        raise NotFound(
            f"There is no '{builder}' in TensorFlow Datasets; check what follows '/' or ':'."
        ) from error
    with _Watching(home / "downloads", Path(made.data_dir).parent, _expected(made), say):
        try:
            made.download_and_prepare()
        except BluenoError:
            raise
        except (AssertionError, FileNotFoundError) as error:
            text = type(made).MANUAL_DOWNLOAD_INSTRUCTIONS
            if not text:
                raise
            raise InvalidInput(
                f"Files for '{builder}' are missing: {_one_line(error)} "
                + _instructions(config, _one_line(text)),
                code="manual_download",
            ) from error
        except Exception as error:
            if not _is_download(error):
                raise
            raise Unavailable(
                f"Downloading '{builder}' failed: {_one_line(error)} Check the connection, then try again.",
                code="download_failed",
            ) from error
    return Path(made.data_dir)


def _expected(builder: Any) -> int | None:
    infos = getattr(type(builder), "url_infos", None) or {}
    return sum(info.size or 0 for info in infos.values()) or None


def _is_download(error: BaseException) -> bool:
    chain = [one for one in (error, error.__cause__, error.__context__) if one is not None]
    modules = {type(one).__module__.split(".")[0] for one in chain}
    network = {"requests", "urllib3", "http", "socket", "ssl"}
    return bool(modules & network) or "Download" in type(error).__name__


def _one_line(error: object) -> str:
    text = re.sub(r"\s+", " ", str(error)).strip()
    return text[:600] + ("" if text.endswith(".") else ".")


class _Watching:
    """Says how far a build is, from the size of its files: TFDS itself tells only a terminal."""

    def __init__(
        self, downloads: Path, target: Path, expected: int | None, say: Callable[[str], None]
    ) -> None:
        self.downloads, self.target, self.expected, self.say = downloads, target, expected, say
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, name="blueno-tfds", daemon=True)
        self.before = _size(downloads)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *exception: object) -> None:
        self.ended.set()
        self.thread.join()

    def _watch(self) -> None:
        last = ""
        while not self.ended.wait(1.0):
            text = self._state()
            if text != last:
                self.say(text)
                last = text

    def _state(self) -> str:
        written = sum(_size(one) for one in self.target.glob("incomplete.*"))
        if written:
            return f"Building, {written / 1e6:,.0f} MB written"
        loaded = max(0, _size(self.downloads) - self.before)
        if self.expected and loaded <= self.expected:
            return f"Downloading, {100 * loaded // self.expected} % of {self.expected / 1e6:,.0f} MB"
        return f"Downloading and unpacking, {loaded / 1e6:,.0f} MB"


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # renamed meanwhile
            continue
    return total


# -- rows ----------------------------------------------------------------------------


def count(folder: Path) -> int:
    """How many samples a prepared set has, over all splits."""
    from jupyter_blueno.imaging.formats.prepared import open_prepared

    return sum(open_prepared(str(folder)).splits.values())


def chunks(folder: Path, processes: int | None = None) -> Iterator[Chunk]:
    """Read every record of a prepared set and yield rows and thumbnails, split by split."""
    from jupyter_blueno.imaging.formats.prepared import open_prepared

    splits = open_prepared(str(folder)).splits
    runs = [
        [(str(folder), split, start, min(start + CHUNK_LENGTH, length))]
        for split, length in splits.items()
        for start in range(0, length, CHUNK_LENGTH)
    ]
    if not runs:
        return
    many = min(processes or available_processors(), len(runs))
    with Workers(f"{__name__}:examine_records", many, _name_of_run) as workers:
        for (result,) in workers.map(runs):
            if isinstance(result, Problem):
                yield Chunk(Batch(0, [], folder.as_uri()), [], [result])
            else:
                batch, tiles, problems = result
                yield Chunk(batch, tiles, problems)


def _name_of_run(run: tuple[str, str, int, int]) -> str:
    return f"{run[1]}/{run[2]}-{run[3] - 1}"


def examine_records(run: tuple[str, str, int, int]) -> tuple[Batch, list[Any], list[Problem]] | Problem:
    """Rows and thumbnails of some records of one split; runs in a process of its own."""
    folder, split, start, stop = run
    try:
        return _examine_records(Path(folder), split, start, stop)
    except Exception as error:
        return problem_of(_name_of_run(run), error)


def _examine_records(
    folder: Path, split: str, start: int, stop: int
) -> tuple[Batch, list[Any], list[Problem]]:
    from PIL import Image

    from jupyter_blueno.imaging import thumbnails
    from jupyter_blueno.imaging.formats.prepared import dtype_of, open_prepared, shape_of

    prepared = open_prepared(str(folder))
    keys: list[str | None] = []
    shapes: list[list[int] | None] = []
    labels, dtypes, sizes = [], [], []
    attributes: list[dict[str, Any]] = []
    tiles: list[Any] = []
    problems: list[Problem] = []
    for number, record in enumerate(prepared.records(split, start, stop), start):
        key = f"{split}/{number}"
        try:
            encoded = prepared.encoded(record)
            with Image.open(io.BytesIO(encoded)) as image:
                shape, dtype = list(shape_of(image)), dtype_of(image)
                tile = thumbnails.make(image, key)
        except Exception as error:
            problems.append(problem_of(key, error))
            continue
        label = record.get(prepared.label or "")
        keys.append(key)
        labels.append(prepared.label_name(prepared.label or "", label[0]) if label else None)
        shapes.append(shape)
        dtypes.append(dtype)
        sizes.append(len(encoded))
        attributes.append(prepared.attributes(record))
        tiles.append(tile)
    batch = Batch(
        first_ordinal=0, names=[str(key) for key in keys], keys=keys, data_url=folder.as_uri(),
        kind="image2d", split=split, label=labels, shapes=shapes, dtype=dtypes, bytes=sizes,
        attributes=attributes if any(attributes) else [],
    )  # fmt: skip
    return batch, tiles, problems
