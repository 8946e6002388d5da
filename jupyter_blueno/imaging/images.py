"""A 2D picture."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_blueno.imaging.formats.base import Format, Header

if TYPE_CHECKING:
    import numpy as np


class Image:
    """A picture in a file. Its pixels are decoded when first asked for.

    Attributes
    ----------
    header : Header
    name : str
        The file's.
    """

    def __init__(self, path: Path, key: str | None, format: Format, header: Header) -> None:
        self.path, self.key, self.header, self.name = path, key, header, path.name
        self._format = format

    def __repr__(self) -> str:
        return f"<Image '{self.name}' {'×'.join(map(str, self.shape))} {self.header.dtype}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """``(H, W)`` or ``(H, W, C)``."""
        return self.header.shape

    @cached_property
    def array(self) -> np.ndarray:
        """The numbers, ``(H, W[, C])``, upright."""
        import numpy as np
        from PIL import Image as PILImage

        source: Any = self._format.picture(self.path, self.key)
        if not isinstance(source, PILImage.Image):
            return source  # type: ignore[no-any-return]
        from jupyter_blueno.imaging.formats.pillow import upright

        with source:
            return np.asarray(upright(source, self.name))

    def numpy(self) -> np.ndarray:
        """Return the values: as stored, or rescaled to float32 where the file says so."""
        import numpy as np

        slope, intercept = self.header.slope, self.header.intercept
        if (slope, intercept) == (1.0, 0.0):
            return self.array
        return self.array.astype(np.float32) * np.float32(slope) + np.float32(intercept)
