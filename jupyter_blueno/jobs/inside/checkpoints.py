"""Checkpoints of a job: copies in its folder, the newest few kept. Standard library only.

::

    checkpoints/000004/model.pt    a file or folder under its own name
    checkpoints/000004.json        step, size, when: written last, removed first

A copy is a copy, not a hard link: who writes `model.pt` again would change what
was kept. Where the file system can share blocks until then, it does.
"""

from __future__ import annotations

import os
import sys
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RESUME = "BLUENO_RESUME_FROM"  # the folder of the job that this one goes on with
FOLDER = "checkpoints"
_FICLONE = 0x40049409


def checkpoint(path: str | os.PathLike[str], step: float | None = None, keep: int | None = 3) -> str | None:
    """Keep a copy of what training could go on from; it outlives a crash and the work's own clean-up.

    Outside of a job it does nothing. Trouble, such as a full disk, is told in
    the log and does not end the work.

    Parameters
    ----------
    path : str or path
        A file or a folder; it may be written again or removed right after.
    step : number, optional
        Where training was.
    keep : int, optional
        So many of the newest are kept, of those whose names differ only in
        their digits; None keeps all.

    Returns
    -------
    str or None
        Where the copy is; None where there is none.

    Examples
    --------
    >>> torch.save(model.state_dict(), "model.pt")
    >>> blueno.checkpoint("model.pt", step=epoch)
    """
    folder = reporting.folder()
    if folder is None:
        return None
    try:
        return _keep(os.path.join(folder, FOLDER), os.fspath(path), step, keep)
    except (OSError, TypeError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        print(f"blueno: the checkpoint {str(path)[:200]!r} was not kept: {words}.", file=sys.stderr)
        return None


def note(path: str, step: float | None) -> None:
    """List what a framework keeps where it is; it is left out when it is gone."""
    folder = reporting.folder()
    if folder is None:
        return
    place = os.path.join(folder, FOLDER)
    os.makedirs(place, exist_ok=True)
    path = os.path.abspath(path)
    numbers = _numbers(place)
    for number in numbers:  # written again under the same name: it is the newest now
        with suppress(OSError, ValueError):
            if lean.read_json(os.path.join(place, f"{number:06d}.json")).get("path") == path:
                os.unlink(os.path.join(place, f"{number:06d}.json"))
    _describe(os.path.join(place, f"{max([*numbers, -1]) + 1:06d}"), path, step, {"path": path})


def latest_checkpoint() -> str | None:
    """The newest checkpoint of this job, or else of the job that it resumes; None if there is none.

    Examples
    --------
    >>> start = blueno.latest_checkpoint()
    >>> if start:
    ...     model.load_state_dict(torch.load(start))
    """
    folder = reporting.folder() or os.environ.get(RESUME)
    seen: set[str] = set()
    while folder and folder not in seen:
        seen.add(folder)
        for one in reversed(found(folder)):
            return str(one["path"])
        folder = os.environ.get(RESUME) if len(seen) == 1 else _resumed_by(folder)
    return None


def found(folder: str) -> list[dict[str, Any]]:
    """What the job of a folder kept, the oldest first: index, name, path, step, size, files, saved_at."""
    place = os.path.join(folder, FOLDER)
    kept = []
    for number in _numbers(place):
        with suppress(OSError, ValueError, KeyError):
            content = lean.read_json(os.path.join(place, f"{number:06d}.json"))
            content.setdefault("path", os.path.join(place, f"{number:06d}", content["name"]))
            if os.path.exists(content["path"]):
                kept.append({"index": number, **content})
    return kept


def _keep(place: str, path: str, step: float | None, keep: int | None) -> str:
    import shutil

    path = os.path.abspath(path)
    name = os.path.basename(path)
    step = None if step is None else float(step)
    if keep is not None and keep < 1:
        raise ValueError("keep is 1 or more")
    begun = os.path.join(place, f".{os.urandom(4).hex()}")
    os.makedirs(begun)
    try:
        copy = os.path.join(begun, name)
        if os.path.isdir(path):
            shutil.copytree(path, copy, copy_function=_copy, ignore_dangling_symlinks=True)
        else:
            _copy(path, copy)
        number = max([*_numbers(place), -1]) + 1
        while True:
            final = os.path.join(place, f"{number:06d}")
            try:
                os.rename(begun, final)
                break
            except OSError:
                if not os.path.isdir(final):  # another process took the number
                    raise
                number += 1
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    _describe(final, os.path.join(final, name), step, {})
    if keep is not None:
        _forget(place, name, keep)
    return os.path.join(final, name)


def _describe(final: str, path: str, step: float | None, more: dict[str, Any]) -> None:
    size, files = _measured(path)
    about = {"name": os.path.basename(path), "step": None if step is None else float(step)}
    about |= {"size": size, "files": files, "saved_at": time.time(), **more}
    lean.write_json(final + ".json", about, durable=True)


def _forget(place: str, name: str, keep: int) -> None:
    """Remove all but the newest of those that are called so, but for digits."""
    import shutil

    alike = []
    for number in _numbers(place):
        with suppress(OSError, ValueError, KeyError):
            other = lean.read_json(os.path.join(place, f"{number:06d}.json"))
            if "path" not in other and _bare(other["name"]) == _bare(name):
                alike.append(number)
    for number in alike[:-keep]:
        with suppress(OSError):
            os.unlink(os.path.join(place, f"{number:06d}.json"))
        shutil.rmtree(os.path.join(place, f"{number:06d}"), ignore_errors=True)


def _bare(name: str) -> str:
    return "".join(sign for sign in name if not sign.isdigit())


def _numbers(place: str) -> list[int]:
    """Of those that are whole."""
    try:
        names = os.listdir(place)
    except OSError:
        return []
    return sorted(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit())


def _copy(source: str, target: str) -> str:
    """Copy a file; share its blocks where the file system can."""
    import shutil

    with suppress(ImportError, OSError):
        import fcntl

        with open(source, "rb") as old, open(target, "wb") as new:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
            return target
    shutil.copyfile(source, target)
    return target


def _measured(path: str) -> tuple[int, int]:
    """Bytes and number of files."""
    if not os.path.isdir(path):
        return os.stat(path).st_size, 1
    sizes = [
        os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names
    ]
    return sum(sizes), len(sizes)


def _resumed_by(folder: str) -> str | None:
    """The folder that the job of a folder went on with."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = lean.read_json(os.path.join(folder, "variables.json")).get(RESUME)
        return found if isinstance(found, str) else None
    return None
