"""Values of samples that a job computed: a file of its folder for each batch of them.

They go into columns of the dataset from there (`jobs/delivery.py`), while the
job runs and also when nobody looked meanwhile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from jupyter_blueno.jobs.inside import reporting

FOLDER = "results"
NEW, TAKEN, REFUSED = ".json", ".taken", ".refused"  # what becomes of a batch


Value = float | str | None


def record(dataset_id: int, ordinals: Sequence[int], values: Mapping[str, Sequence[Value]]) -> bool:
    """Write values of samples down; False where there is no job.

    Raises
    ------
    OSError
        If the disk takes no more: values that are lost would be missing in silence.
    """
    place = reporting.folder()
    if place is None:
        return False
    folder = os.path.join(place, FOLDER)
    os.makedirs(folder, exist_ok=True)
    number = 1 + max((_number(name) for name in os.listdir(folder)), default=0)
    temporary = os.path.join(folder, f".{os.urandom(8).hex()}")
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump({"dataset_id": dataset_id, "ordinals": list(ordinals), "values": dict(values)}, file)
    while True:
        try:
            os.link(temporary, os.path.join(folder, f"{number:06}{NEW}"))
            break
        except FileExistsError:  # of another process of the job
            number += 1
    os.unlink(temporary)
    return True


def recorded(dataset_id: int) -> set[int]:
    """Ordinals of the samples that this job, or an attempt before, has values for."""
    place = reporting.folder()
    found: set[int] = set()
    if place is None:
        return found
    folder = os.path.join(place, FOLDER)
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if not name.startswith(".") and not name.endswith(REFUSED):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                batch = json.load(file)
            if batch["dataset_id"] == dataset_id:
                found.update(batch["ordinals"])
    return found


def _number(name: str) -> int:
    stem = name.partition(".")[0]
    return int(stem) if stem.isdecimal() else 0
