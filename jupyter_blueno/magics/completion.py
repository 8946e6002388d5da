"""Tab completion of ``%blueno``: sub-commands, options, names of datasets and jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jupyter_blueno.magics.arguments import CELL, LINE, Command

KEPT = 5.0  # seconds that names are remembered
PATIENCE = 1.0  # seconds that a completion may wait for names

_names: dict[str, tuple[float, list[str]]] = {}


def complete(_: Any, event: Any) -> list[str]:
    """Complete the word before the cursor; whatever goes wrong, there is just no completion."""
    try:
        line: str = getattr(event, "text_until_cursor", None) or event.line
        return matches(line.split("\n")[-1])
    except Exception:
        return []


def matches(line: str) -> list[str]:
    """Words that may stand at the end of `line`, which begins with ``%blueno`` or ``%%blueno``."""
    line = line.lstrip()
    commands: dict[str, Command] = CELL if line.startswith("%%") else LINE
    words = line.split()[1:]
    word = "" if line.endswith((" ", "\t")) or not words else words.pop()
    if not words:
        return [name for name in commands if name.startswith(word)]
    command = commands.get(words[0])
    if command is None:
        return []
    before = command.short.get(words[-1], words[-1])
    if len(words) > 1 and command.options.get(before):
        return []  # the value of an option
    if word.startswith("-"):
        return [option for option in command.options if option.startswith(word)]
    found = [name for name in _of(command.completes) if name.startswith(word)]
    if not word and not found:
        found = [option for option in command.options if option not in words]
    return found


def _of(what: str) -> list[str]:
    sources: dict[str, Callable[[], list[str]]] = {
        "dataset": _datasets,
        "job": _jobs,
        "public set": _public_sets,
    }
    if what not in sources:
        return []
    when, names = _names.get(what, (-KEPT, []))
    if time.monotonic() - when > KEPT:
        names = _soon(sources[what], names)
        _names[what] = (time.monotonic(), names)
    return names


def _soon(ask: Callable[[], list[str]], before: list[str]) -> list[str]:
    """The answer if it comes quickly, else what was known before."""
    import threading

    answer: list[list[str]] = []

    def run() -> None:
        with suppress(Exception):  # no server, no names
            answer.append(ask())

    thread = threading.Thread(target=run, daemon=True, name="blueno-complete")
    thread.start()
    thread.join(PATIENCE)
    return answer[0] if answer else before


def _datasets() -> list[str]:
    from jupyter_blueno.client.finding import datasets

    return [_quoted(one.name) for one in datasets()]


def _jobs() -> list[str]:
    from jupyter_blueno.client.jobs import jobs

    found = jobs()
    named = dict.fromkeys(one.name for one in found if " " not in one.name)
    return [*named, *(one.id[:8] for one in found)]


def _public_sets() -> list[str]:
    from jupyter_blueno.client.ingest import public_sets

    return public_sets()


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
