"""What the workers of one job share, and how they find each other. Standard library only.

Rank 0 has the job's own folder. Each other rank has one below it, ``workers/{rank}``,
with a log and what it writes; what all of them read, and what belongs to the job as
a whole, is a link there.
"""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "workers"
RANK = "rank.json"  # how a worker stands, as whoever watches it says
CAUSE = "cause.json"  # in the job's folder: the worker that ended the others
SHARED = (
    *("code", "code.json", "spec.json", "given.json", "variables.json", "environ", "environment.json"),
    *("cancel", "paused", "results", "used.jsonl", "written.jsonl", "attempt.json", "exit.json"),
)
SAID = ("ended.json", "failure.json", "error.pickle")  # what the work said of its own end


def folder_of(job: str, rank: int) -> str:
    """Where a rank writes."""
    return os.path.join(job, FOLDER, str(rank)) if rank else job


def surroundings(job: str, rank: int, hosts: list[str], port: int, ports: list[int]) -> dict[bytes, bytes]:
    """The variables by which one worker finds the others.

    Each is a node of its own with one process, so that ``LOCAL_RANK`` is always 0:
    of the GPUs it sees its own alone. ``PET_…`` are the defaults of ``torchrun``.

    Parameters
    ----------
    job : str
        The job's folder.
    rank : int
    hosts : list of str
        One for each rank.
    port : int
        Where rank 0 is to be met.
    ports : list of int
        One for each rank, for servers of their own (TensorFlow).
    """
    named = [f"[{host}]" if ":" in host else host for host in hosts]
    listed = ", ".join(f'"{host}:{own}"' for host, own in zip(named, ports, strict=True))
    task = f'{{"type": "worker", "index": {rank}}}'
    size, number, meet = str(len(hosts)), str(rank), str(port)
    found = {
        "RANK": number,
        "WORLD_SIZE": size,
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "MASTER_ADDR": hosts[0],
        "MASTER_PORT": meet,
        "PET_NNODES": size,
        "PET_NODE_RANK": number,
        "PET_MASTER_ADDR": hosts[0],
        "PET_MASTER_PORT": meet,
        "TF_CONFIG": f'{{"cluster": {{"worker": [{listed}]}}, "task": {task}}}',
        "BLUENO_JOB_FOLDER": folder_of(job, rank),
    }
    return {name.encode(): os.fsencode(value) for name, value in found.items()}


def stands(job: str, rank: int, **content: Any) -> None:
    """Write down how a worker stands."""
    folder = os.path.join(job, FOLDER, str(rank))
    with suppress(OSError):  # a full disk: the job's own record is what counts
        os.makedirs(folder, exist_ok=True)
        lean.write_json(os.path.join(folder, RANK), content)


def standing(job: str, rank: int) -> dict[str, Any]:
    """How a worker stands; empty where nobody said so."""
    found: dict[str, Any] = lean.told(os.path.join(job, FOLDER, str(rank), RANK)) or {}
    return found


def blame(job: str, rank: int, size: int) -> None:
    """Let what one worker said of its end be what the job says.

    The others failed because of it, if they did: what they said tells nothing.
    """
    if rank:
        lean.forget(job, *SAID)
        for name in SAID:
            with suppress(OSError):
                lean.write_whole(os.path.join(job, name), lean.read(os.path.join(folder_of(job, rank), name)))
    lean.write_json(os.path.join(job, CAUSE), {"worker": rank, "workers": size})
