"""`View`: an output that JupyterLab serves from the server, whatever the kernel does."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from jupyter_blueno.errors import BluenoError

MIME = "application/vnd.blueno.view+json"
_SIDE = 512


class View:
    """A sample, a dataset or a file in an output.

    JupyterLab with the extension shows it live; every other program the PNG and
    the line of text beside it.

    Parameters
    ----------
    view : dict
        ``{"type": "sample", "dataset_id": …, "ordinal": …}``, ``{"type": "path",
        "path": …}`` or ``{"type": "dataset", "dataset_id": …, "filter": {…}}``.
    text : str
    png : bytes, optional
    """

    def __init__(self, view: dict[str, Any], text: str, png: bytes | None = None) -> None:
        self.view, self.text, self.png = view, text, png

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text}
        if self.view:
            bundle[MIME] = self.view
        if self.png:
            bundle["image/png"] = base64.b64encode(self.png).decode()
        return bundle


def of_handle(handle: Any) -> View:
    """The view of a sample's or a dataset's handle."""
    view = dict(handle._blueno_view_() or {})  # nothing: only a picture of it
    if view and "type" not in view:
        dataset_id = view.pop("dataset_id")
        if "ordinal" in view:
            view = {"type": "sample", "dataset_id": dataset_id, "ordinal": view["ordinal"]}
        else:
            view = {"type": "dataset", "dataset_id": dataset_id, "filter": view}
    return View(view, repr(handle), _png_of(handle))


def of_path(path: Path) -> View:
    """The view of a file; its picture where it can be read here.

    Raises
    ------
    BluenoError
        If it is no picture and no volume.
    """
    from jupyter_blueno import imaging
    from jupyter_blueno.imaging.images import Image

    item = imaging.open(path)
    kind = "image2d" if isinstance(item, Image) else "volume3d"
    view = {"type": "path", "path": str(path.resolve()), "kind": kind}
    return View(
        view, f"<{path.name} {'×'.join(map(str, item.shape))} {item.header.dtype}>", _png_of_item(item)
    )


def _png_of(handle: Any) -> bytes | None:
    """A still picture is worth no failure."""
    try:
        png: bytes | None = handle._blueno_png_()
    except (AttributeError, BluenoError, OSError):
        return None
    return png


def _png_of_item(item: Any) -> bytes | None:
    import io

    from PIL import Image

    from jupyter_blueno.imaging.images import Image as Picture
    from jupyter_blueno.imaging.window import to_8_bit

    try:
        if isinstance(item, Picture):
            array = to_8_bit(item.array, item.name, item.header.inverted)
        else:
            array = to_8_bit(item.slice("axial", item.count("axial") // 2), item.name, item.header.inverted)
        picture = Image.fromarray(array)
    except (BluenoError, OSError, TypeError, ValueError):
        return None
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
