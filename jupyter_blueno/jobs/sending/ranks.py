"""Lays out the folders of a job's workers, when its own is."""

from __future__ import annotations

import os
from typing import Any

from jupyter_blueno.jobs.engine import workers
from jupyter_blueno.jobs.folder import JobFolder


def lay_out(folder: JobFolder, plan: dict[str, Any]) -> None:
    """Make the folders of all ranks but 0.

    Parameters
    ----------
    folder : JobFolder
        Of the job, while it is laid out.
    plan : dict
        The content of its ``run.json``.
    """
    place = plan["folder"]
    (folder.path / "results").mkdir(exist_ok=True)
    for rank in range(1, plan["workers"]):
        mine = JobFolder(folder.path / workers.FOLDER / str(rank))
        mine.path.mkdir(parents=True)
        for name in workers.SHARED:
            os.symlink(f"../../{name}", mine.path / name)
        own = workers.folder_of(place, rank)

        def here(words: list[str] | None, own: str = own) -> list[str] | None:
            return words and [own if word == place else word for word in words]

        mine.write("run.json", plan | {"argv": here(plan["argv"]), "then": here(plan["then"])})
