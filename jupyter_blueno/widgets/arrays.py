"""What an object in a notebook is, as `Pixels`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.widgets.pixels import Pixels

if TYPE_CHECKING:
    import numpy as np

_SHAPES = (
    "A picture is (H, W) or (H, W, 3), a volume (Z, Y, X), a stack of pictures (N, H, W, 3) "
    "or a list of them."
)


def pixels_of(
    thing: Any,
    *,
    name: str | None = None,
    stack: bool | None = None,
    spacing: Sequence[float] | None = None,
) -> Pixels:
    """Return an object's pixels.

    Parameters
    ----------
    thing : array, tensor, image or list of those
        numpy, torch (channels first), anything numpy can read, PIL, nibabel,
        SimpleITK; not copied where that can be avoided.
    name : str, optional
        A title.
    stack : bool, optional
        Whether the first axis counts pictures, where it may also be a volume.
    spacing : sequence of 3 float, optional
        mm along the axes of a volume.

    Raises
    ------
    InvalidInput
        ``bad_shape``, ``bad_dtype``, ``empty``, ``not_an_image``.
    """
    known = _with_geometry(thing, name)
    if known is not None:
        return known
    if isinstance(thing, (list, tuple)):
        return _listed(thing, name)
    array, channels_first = _array(thing)
    return _shaped(array, channels_first, name or "array", stack, spacing)


def _with_geometry(thing: Any, name: str | None) -> Pixels | None:
    """Objects that know where they are in space."""
    import numpy as np

    module = type(thing).__module__.partition(".")[0]
    if module == "nibabel" and hasattr(thing, "dataobj"):
        array = np.asanyarray(thing.dataobj)
        if array.ndim not in (3, 4):
            raise _bad_shape(array.shape)
        frames = [array] if array.ndim == 3 else [array[..., n] for n in range(array.shape[3])]
        path = thing.get_filename()
        title = name or (path and path.rsplit("/", 1)[-1]) or "image"
        return Pixels(frames[0], frames=frames, name=title, affine=thing.affine)
    if module == "SimpleITK" and hasattr(thing, "GetSpacing"):
        array = sys.modules["SimpleITK"].GetArrayViewFromImage(thing)
        if array.ndim == 3 and thing.GetNumberOfComponentsPerPixel() == 1:
            return Pixels(array, name=name or "image", affine=_itk_affine(thing).tolist())
    return None


def _itk_affine(image: Any) -> np.ndarray:
    """From (z, y, x) indices to RAS+ mm; ITK's own are (x, y, z) and LPS."""
    import numpy as np

    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    affine[:2] *= -1
    return affine[:, [2, 1, 0, 3]]


def _listed(things: Sequence[Any], name: str | None) -> Pixels:
    import numpy as np

    if not things:
        raise InvalidInput("The list is empty: nothing to show.", code="empty")
    if all(isinstance(one, (int, float, complex)) for one in things):
        raise InvalidInput("A list of numbers is no image. " + _SHAPES, code="not_an_image")
    arrays = [_coloured(*_array(one)) for one in things]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim not in (2, 3):
        shown = ", ".join(sorted(map(str, shapes))[:4])
        raise InvalidInput(
            f"Pictures of a list need one shape (H, W[, C]); these have {shown}.", code="bad_shape"
        )
    return Pixels(np.stack(arrays), name=name or f"{len(arrays)} pictures", stack=True)


def _array(thing: Any) -> tuple[np.ndarray, bool]:
    """Anything as an array, and whether its channels come first."""
    import numpy as np

    module = type(thing).__module__.partition(".")[0]
    if module == "torch" and hasattr(thing, "detach"):
        tensor = thing.detach().cpu()
        return (tensor if "bfloat16" not in str(tensor.dtype) else tensor.float()).numpy(), True
    if module == "PIL" and hasattr(thing, "convert"):
        plain = thing.mode in {"L", "RGB", "RGBA", "I;16", "I", "F", "1"}
        return np.asarray(thing if plain else thing.convert("RGB")), False
    try:
        array = np.asarray(thing)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"numpy cannot make an array of this {type(thing).__name__} ({error}).",
                           code="not_an_image") from error  # fmt: skip
    if array.ndim == 0:
        raise InvalidInput(f"A {type(thing).__name__} is no image. {_SHAPES}", code="not_an_image")
    return array, False


def _shaped(
    array: np.ndarray, channels_first: bool, name: str, stack: bool | None, spacing: Sequence[float] | None
) -> Pixels:
    many = array.ndim == 4  # pictures, even where their one channel goes
    array = _coloured(array, channels_first)
    if array.ndim == 2:
        return Pixels(array[None], name=name, stack=True)
    if array.ndim == 3:
        if (
            array.shape[2] in (3, 4)
            and array.dtype.name == "uint8"
            and not stack
            and min(array.shape[:2]) > 4
        ):
            return Pixels(array[None], name=name, stack=True)
        stack = bool(stack) or many
        return Pixels(array, name=name, stack=stack, spacing=None if stack else spacing)
    if array.ndim == 4 and array.shape[3] in (3, 4):
        return Pixels(array, name=name, stack=True)
    raise _bad_shape(array.shape)


def _coloured(array: np.ndarray, channels_first: bool) -> np.ndarray:
    """Channels last, one channel dropped, colours as uint8 where it is clear how."""
    import numpy as np

    if channels_first and array.ndim in (3, 4) and array.shape[-3] in (1, 3, 4):
        array = np.moveaxis(array, -3, -1)
    if array.ndim < 3 or array.shape[-1] not in (1, 3, 4):
        return array
    if array.shape[-1] == 1:
        return array[..., 0]
    if (array.ndim == 3 and min(array.shape[:2]) <= 4) or array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f" and np.nanmin(array) >= 0 and np.nanmax(array) <= 1:
        colours: np.ndarray = (np.nan_to_num(array) * 255 + 0.5).astype(np.uint8)
        return colours
    if array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 255:
        return array.astype(np.uint8)
    if array.ndim == 4 or channels_first:
        raise InvalidInput(
            f"Colours are uint8, or floats within 0 … 1; these are {array.dtype} within "
            f"{array.min():g} … {array.max():g}. Scale them first.",
            code="bad_colours",
        )
    return array


def _bad_shape(shape: tuple[int, ...]) -> InvalidInput:
    return InvalidInput(
        f"An array of shape {tuple(shape)} is no picture and no volume. {_SHAPES} Index its first axis.",
        code="bad_shape",
    )
