"""The service as it is, and a list of what it looked at: ``python -m tests.hub.watched TEAMS LIST``.

Every file that is opened below the volume and outside `teams`, and every program
that is started, is a line in the list.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_blueno.hub.service import BluenoService

LOOKS = {"open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.link", "os.mkdir"}
STARTS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}


def main(teams: str, place: str) -> None:
    """Run the service."""
    volume = os.path.dirname(teams)
    kept = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS:
            os.write(kept, f"{event} {arguments[:2]}\n".encode())
        elif event in LOOKS:
            for one in arguments:
                path = os.fsdecode(one) if isinstance(one, str | bytes) else ""
                if path.startswith("/") and _is_elsewhere(path, volume, teams):
                    os.write(kept, f"{event} {path}\n".encode())

    sys.addaudithook(note)
    sys.argv[1:] = []
    BluenoService.launch_instance()


def _is_elsewhere(path: str, volume: str, teams: str) -> bool:
    place = Path(os.path.normpath(path))
    return place.is_relative_to(volume) and not place.is_relative_to(teams) and str(place) != volume


if __name__ == "__main__":
    main(*sys.argv[1:])
