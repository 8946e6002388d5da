"""Which datasets a job read: a line of its folder for each, written when it reads. Without a job, nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import msgspec

from jupyter_blueno.catalog.model import Filter
from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.model import UsedDataset

FILE = "used.jsonl"

_noted: set[bytes] = set()


def note(dataset_id: int, name: str, version: int, chosen: Filter) -> None:
    """Write down that samples of a dataset are read; the same again is not."""
    folder = reporting.folder()
    if folder is None:
        return
    line = msgspec.json.encode(UsedDataset(dataset_id, name, version, chosen)) + b"\n"
    if line in _noted:
        return
    _noted.add(line)
    try:
        with open(os.path.join(folder, FILE), "ab", buffering=0) as file:
            file.write(line)  # at once: lines of two processes do not mix
    except OSError:  # a full disk is not the work's fault
        _noted.discard(line)


def read(lines: Iterable[str]) -> list[UsedDataset]:
    """The datasets, in the order in which they were first read; what cannot be read is left out."""
    found: dict[Any, UsedDataset] = {}
    for line in lines:
        try:
            one = msgspec.json.decode(line, type=UsedDataset)
        except msgspec.DecodeError:
            continue
        found.setdefault(msgspec.json.encode(one), one)
    return list(found.values())
