"""Look what everybody keeps on the volume: ``python -m jupyter_blueno.hub.sizes /blueno``.

Run now and then, by whom all folders can be read; the chart has a CronJob for it. No request waits for it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from jupyter_blueno.jobs.quotas.storage import FOUND, LARGEST, Found, Size

BLOCK = 512  # bytes in which a file system says what a file takes


def look(volume: Path) -> Found:
    """Add up what lies in the folders of people and teams; links are not followed."""
    return Found(
        datetime.now(UTC),
        *({one.name: _size(one) for one in _folders(volume / kind)} for kind in ("home", "shared", "teams")),
    )


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as found:
            names = [one.name for one in found if one.is_dir(follow_symlinks=False) and one.name[0] != "."]
    except FileNotFoundError:
        return []
    return [place / name for name in sorted(names)]


def _size(folder: Path) -> Size:
    """A folder's; a file of several names counts once."""
    seen: set[int] = set()
    parts: dict[str, int] = {}
    files = 0
    left: list[tuple[str, str]] = [(str(folder), "")]
    while left:
        place, part = left.pop()
        with contextlib.suppress(OSError), os.scandir(place) as found:  # gone meanwhile, or not ours
            for one in found:
                below = part or one.name
                try:
                    status = one.stat(follow_symlinks=False)
                except OSError:
                    continue
                if status.st_nlink > 1 and not one.is_dir(follow_symlinks=False):
                    if status.st_ino in seen:
                        continue
                    seen.add(status.st_ino)
                parts[below] = parts.get(below, 0) + status.st_blocks * BLOCK
                if one.is_dir(follow_symlinks=False):
                    left.append((one.path, below))
                else:
                    files += 1
    largest = sorted(parts.items(), key=lambda one: (-one[1], one[0]))[:LARGEST]
    return Size(sum(parts.values()), files, dict(largest))


def main(volume: str) -> None:
    """Look, and leave what was found where the service reads it."""
    with contextlib.suppress(OSError):
        os.nice(19)
    place = Path(volume) / "teams" / FOUND
    place.parent.mkdir(exist_ok=True)
    partial = place.with_suffix(".partial")
    partial.write_bytes(msgspec.json.encode(look(Path(volume))))
    partial.replace(place)


if __name__ == "__main__":
    main(sys.argv[1])
