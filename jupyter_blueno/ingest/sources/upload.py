"""Files that a browser sent: moved to where the dataset keeps its own, then read like a folder."""

from __future__ import annotations

from pathlib import Path

from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.ingest import uploads


def check(config: Config, upload_id: str) -> None:
    """Refuse an upload that is not there or has no files.

    Raises
    ------
    NotFound, InvalidInput
    """
    if not any(uploads.folder_of(config, upload_id).iterdir()):
        raise InvalidInput("Nothing was uploaded. Add files, then try again.", code="empty")


def take(config: Config, upload_id: str, folder: Path) -> Path:
    """Move the files into `folder` and return where they are now.

    A single folder at the top is what was dropped, not a label: the search
    begins inside of it.
    """
    uploads.take(config, upload_id, folder)
    root = folder
    while True:
        entries = [one for one in root.iterdir() if not one.name.startswith(".")]
        if len(entries) != 1 or not entries[0].is_dir():
            return root
        root = entries[0]
