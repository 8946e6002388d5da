"""After which failures a job is tried again: the words of `retry_on`. Standard library only."""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Word → the failures that it means; beside these stand names of exceptions.
KINDS = {
    "connection": "a server did not answer",
    "memory": "out of memory, by its own limit or the machine's",
    "machine_memory": "the machine ran out of memory",
    "gpu_memory": "out of a GPU's memory",
    "disk": "the disk was full",
    "timeout": "its time limit, or a time-out of the code's",
    "signal": "it was killed",
    "lost": "nobody saw how it ended",
    "processes": "too many processes",
    "exit_code": "a program ended with an exit code",
    "missing_module": "a module is missing",
    "error": "any exception",
}

TIMEOUTS = {"TimeoutError", "Timeout", "TimeoutException", "ReadTimeoutError"}
CONNECTIONS = TIMEOUTS | {
    "ConnectionError", "URLError", "HTTPException", "gaierror", "SSLError", "TransportError",
    "ClientConnectionError", "ServerDisconnectedError", "HTTPClientError", "ProtocolError", "RpcError",
}  # fmt: skip
PASSING = ("408", "429", "500", "502", "503", "504")  # answers of a server that may be others later
TAIL = 16 << 10  # bytes of a log


def found(folder: str, ending: str, code: int | None) -> list[str]:
    """The words that say how an attempt failed, the most exact one first.

    Parameters
    ----------
    folder : str
        Of the job.
    ending : str
        As in the record.
    code : int, optional
        Exit code, or a signal below 0.
    """
    if ending == "timed_out":
        return ["timeout"]
    if ending in ("out_of_memory", "machine_out_of_memory"):
        return ["memory"] if ending == "out_of_memory" else ["machine_memory", "memory"]
    if ending == "too_many_processes":
        return ["processes"]
    said: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        said = lean.read_json(os.path.join(folder, "failure.json"))
    if said:
        return _raised(said.get("types") or [], str(said.get("message", "")), said.get("kind", "error"))
    if ending != "exited" or code is None:
        return ["lost"]
    if code < 0:
        return ["signal"]
    return [*_of_log(os.path.join(folder, "log")), "exit_code"]


def _raised(types: list[str], message: str, kind: str) -> list[str]:
    words = [*types, kind, "error"]
    if any(one in TIMEOUTS for one in types):
        words.append("timeout")
    if "HTTPError" in types:
        passing = any(one in message for one in PASSING)
    else:
        passing = any(one in CONNECTIONS for one in types)
    return [*words, "connection"] if passing else words


def _of_log(path: str) -> list[str]:
    """The exception with whose traceback a log ends: of a program that is not ours."""
    with suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - TAIL))
        _, begun, text = (
            file.read().decode("utf-8", "replace").rpartition("Traceback (most recent call last)")
        )
        last = [line for line in text.splitlines()[1:] if line[:1].strip()][:1] if begun else []
        for line in last:
            name, _, message = line.partition(":")
            name = name.strip().rpartition(".")[2]
            if name.isidentifier():
                known = (
                    __builtins__.get(name)
                    if isinstance(__builtins__, dict)
                    else getattr(__builtins__, name, None)
                )
                types = [one.__name__ for one in known.__mro__[:-2]] if isinstance(known, type) else [name]
                return _raised(types, message, "error")
    return []


def listed(words: Iterable[str]) -> str:
    """``memory, connection or OSError``."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
