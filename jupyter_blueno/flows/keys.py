"""Hashes that say whether work is the same as before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from jupyter_blueno.flows.model import FlowSpec, PartSpec, StepSpec
from jupyter_blueno.jobs.model import JobSpec

CHUNK = 1 << 20
FORMAT = "1"  # another one makes all results so far unknown


def work_of(step: StepSpec, part: PartSpec, spec: JobSpec, code: Mapping[str, str]) -> str:
    """What a part does: its code, arguments and settings, and not what it may use, is called, or was handed.

    Parameters
    ----------
    step, part : StepSpec, PartSpec
    spec : JobSpec
        The part's own.
    code : mapping
        Files of its snapshot: name → hash.
    """
    call = part.fingerprint or _hash((spec.payload or "").encode())
    content = [
        FORMAT,
        spec.kind,
        call if spec.kind == "function" else _hash((spec.source or "").encode()),
        spec.command,
        spec.parameters,
        spec.environment,
        spec.folder,
        [spec.python, spec.requirements, spec.pickled_by],
        sorted(code.items()),
        sorted(step.takes),
        sorted((name, one.step, one.what) for name, one in step.parameters.items()),
        sorted((place, one.step, one.what) for place, one in step.words.items()),
    ]
    return _hash(msgspec.json.encode(content, order="deterministic"))


def result_of(work: str, packages: Iterable[str], handed: Mapping[str, list[str]]) -> str:
    """What comes out of work that is pure: of the work, the installed packages, and what it was handed.

    Parameters
    ----------
    handed : mapping
        Step → hashes of its results.
    """
    return _hash(msgspec.json.encode([FORMAT, work, list(packages), sorted(handed.items())]))


def content_of(path: Path, open_it: Callable[[], BinaryIO]) -> str | None:
    """The hash of a result; kept beside it, for those are large at times. None where there is none."""
    kept = path.with_name(path.name + ".sha256")
    try:
        stamp = f"{path.stat().st_mtime_ns} {path.stat().st_size} "
        if kept.exists() and (known := kept.read_text()).startswith(stamp):
            return known.removeprefix(stamp)
        digest = hashlib.sha256()
        with open_it() as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        temporary = kept.with_name(f".{kept.name}.{os.getpid()}")
        temporary.write_text(stamp + digest.hexdigest())
        temporary.replace(kept)
        return digest.hexdigest()
    except OSError:
        return None


def digest_of(ask: FlowSpec) -> str:
    """Equal for equal requests."""
    return _hash(msgspec.json.encode(ask, order="deterministic"))


def job_id_of(flow_id: str, step: str, part: int) -> str:
    """The id of the job of a part: asked for twice, it is one job."""
    return _hash(f"{flow_id}\0{step}\0{part}".encode())[:32]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
