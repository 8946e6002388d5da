"""`show`: look at anything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_blueno.errors import InvalidInput, NotFound


def show(
    thing: Any,
    *,
    name: str | None = None,
    stack: bool | None = None,
    spacing: Sequence[float] | None = None,
    widget: bool = False,
    **traits: Any,
) -> Any:
    """Show a picture, a volume, a dataset or a file in the notebook.

    Parameters
    ----------
    thing : array, tensor, image, list of images, path, sample or dataset
        Arrays are ``(H, W)``, ``(H, W, 3)``, ``(Z, Y, X)`` or ``(N, H, W, C)``;
        torch tensors have channels first. nibabel, SimpleITK and PIL images too.
    name : str, optional
        A title.
    stack : bool, optional
        Whether the first axis of a 3D array counts pictures; else it is a volume.
    spacing : sequence of 3 float, optional
        mm along the axes of a volume.
    widget : bool
        Load a sample or a file into this kernel and return a widget with traits,
        instead of an output that the server keeps alive.
    **traits
        The first state of an `ArrayView`: ``plane="coronal"``, ``index=80``,
        ``window=400``, ``level=40``, ``layout_mode="three"``.

    Returns
    -------
    ArrayView or View
        The last expression of a cell is displayed; elsewhere use ``display(…)``.

    Raises
    ------
    InvalidInput
        If it is nothing that can be shown; the sentence says why.
    """
    if hasattr(thing, "_blueno_view_"):
        from jupyter_blueno.widgets.view import of_handle

        if not widget:
            return of_handle(thing)
        thing, name = _loaded(thing), name or getattr(thing, "name", None)
    elif isinstance(thing, (str, os.PathLike)):
        path = Path(thing).expanduser()
        try:
            there = path.exists()
        except OSError:  # too long for a path
            there = False
        if not there:
            raise NotFound(f"There is no file '{str(thing)[:200]}' here ({Path.cwd()}).", code="no_file")
        if not widget:
            from jupyter_blueno.widgets.view import of_path

            return of_path(path)
        return _volume(path, name, traits)
    from jupyter_blueno.widgets.array import ArrayView
    from jupyter_blueno.widgets.arrays import pixels_of

    return ArrayView(pixels_of(thing, name=name, stack=stack, spacing=spacing), **traits)


def _loaded(handle: Any) -> Any:
    if not hasattr(handle, "ordinal"):
        raise InvalidInput(
            "A dataset is shown from the server. For a widget take samples: show(dataset[0], widget=True).",
            code="no_widget",
        )
    return handle.numpy()


def _volume(path: Path, name: str | None, traits: dict[str, Any]) -> Any:
    """A file's pixels in this kernel, with its geometry."""
    from jupyter_blueno import imaging
    from jupyter_blueno.imaging.volumes import Volume
    from jupyter_blueno.widgets.array import ArrayView
    from jupyter_blueno.widgets.arrays import pixels_of
    from jupyter_blueno.widgets.pixels import Pixels

    item = imaging.open(path)
    if not isinstance(item, Volume):
        return ArrayView(pixels_of(item.numpy(), name=name or path.name), **traits)
    header = item.header
    pixels = Pixels(
        item.frame(0),
        frames=[item.frame(n) for n in range(header.frames)],
        name=name or item.name,
        affine=header.affine,
        spacing=header.spacing,
        slope=header.slope,
        intercept=header.intercept,
    )
    return ArrayView(pixels, **traits)
