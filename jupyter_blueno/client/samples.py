"""One sample in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from jupyter_blueno.catalog import model
from jupyter_blueno.client import look

if TYPE_CHECKING:
    import numpy as np


class Sample:
    """One picture or volume of a dataset.

    Made by indexing or iterating over a `Dataset`. Pixels are read from the
    data folder by this process, when they are asked for.

    Attributes
    ----------
    name, label, split : str
        `label` and `split` are None where the sample has none.
    ordinal : int
        Its number in the dataset, for good.
    kind : str
        ``"image2d"`` or ``"volume3d"``.
    shape : tuple of int
        None while nobody has looked into the file.
    spacing : tuple of float
        Millimetres per voxel along the axes of `shape`.
    attributes : dict
    """

    def __init__(self, info: model.Sample, dataset_name: str = "") -> None:
        self._info = info
        self._dataset_name = dataset_name

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def ordinal(self) -> int:
        return self._info.ordinal

    @property
    def kind(self) -> model.Kind | None:
        return self._info.kind

    @property
    def label(self) -> str | None:
        return self._info.label

    @property
    def split(self) -> str | None:
        return self._info.split

    @property
    def shape(self) -> tuple[int, ...] | None:
        return None if self._info.shape is None else tuple(self._info.shape)

    @property
    def dtype(self) -> str | None:
        return self._info.dtype

    @property
    def spacing(self) -> tuple[float, ...] | None:
        return None if self._info.spacing is None else tuple(self._info.spacing)

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self._info.attributes)

    @property
    def results(self) -> dict[str, float | str]:
        """Values in the dataset's columns, as they were when the sample was read."""
        return dict(self._info.results)

    @property
    def data_url(self) -> str:
        return self._info.data_url

    @property
    def path(self) -> Path | None:
        """The file that holds the pixels; None when it is not on this machine."""
        parts = urlsplit(self._info.data_url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def numpy(self) -> np.ndarray:
        """Read the pixels.

        Returns
        -------
        ndarray
            (H, W) or (H, W, C) for an image; the axes of `shape` for a volume.
            The numbers are the file's own, with its slope and intercept.

        Raises
        ------
        UnreadableData
            If the file is gone or cannot be decoded.
        """
        from jupyter_blueno.client import pixels

        return pixels.read(self._info)

    def record(self, **values: float | str | None) -> None:
        """Write values of this sample into columns of its dataset; None takes one away.

        Raises
        ------
        InvalidInput
        """
        from jupyter_blueno.client import columns

        given = {name: [value] for name, value in values.items()}
        columns.record(self._info.dataset_id, [self.ordinal], given)

    def show(self) -> Any:
        """Show the sample in the notebook: a picture, or a volume to scroll through."""
        return look.show(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        import numpy as np

        return np.asarray(self.numpy(), dtype=dtype)

    def _blueno_view_(self) -> dict[str, Any]:
        return {"type": "sample", "dataset_id": self._info.dataset_id, "ordinal": self.ordinal}

    def _blueno_png_(self) -> bytes | None:
        from jupyter_blueno.client import pixels

        return pixels.sample_png(self._info)

    def _repr_png_(self) -> bytes | None:
        return self._blueno_png_()

    def _words(self) -> list[str]:
        size = "×".join(map(str, self._info.shape or ()))
        mm = "" if self.spacing is None else "×".join(f"{value:g}" for value in self.spacing) + " mm"
        return [
            look.KIND_WORDS.get(self.kind or "", ""),
            f"{size} {self.dtype or ''}".strip(),
            mm,
            f"label {self.label}" if self.label is not None else "",
            f"split {self.split}" if self.split is not None else "",
        ]

    def __repr__(self) -> str:
        where = f"{self._dataset_name}[{self.ordinal}]" if self._dataset_name else f"#{self.ordinal}"
        return f"<Sample {where} {self.name!r}: {' · '.join(word for word in self._words() if word)}>"
