"""Why a job did not end well: from its record, what its work wrote down, and the end of its log."""

from __future__ import annotations

import os
import re
import shlex
import sys
from typing import Any

import msgspec

from jupyter_blueno.jobs.engine import workers
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import checkpoints
from jupyter_blueno.jobs.inside.failing import is_library
from jupyter_blueno.jobs.lifecycle import ExitRecord, Verdict, amount, duration, more_memory, signal_name
from jupyter_blueno.jobs.model import (
    CONDUCTORS,
    FailingLine,
    Failure,
    FailureKind,
    JobSpec,
    Resources,
    Suggestion,
    Variable,
)

TAIL = 64 << 10  # bytes of the log that are looked at
NEAR = 30  # lines from its end within which a traceback tells why it ended
SHOWN = 300  # characters of a line of the log

# Where a module's package has another name.
PACKAGES = {
    "Bio": "biopython",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "git": "GitPython",
    "google.protobuf": "protobuf",
    "pydicom": "pydicom",
    "pytorch_lightning": "lightning",
    "SimpleITK": "SimpleITK",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "tensorflow_datasets": "tensorflow-datasets",
    "yaml": "PyYAML",
}

EXIT_CODES = {
    126: "A program could not be executed; it needs the right to be (chmod +x), or is for another system.",
    127: "A program was not found; check its name, and that it is on the PATH of the job.",
}

_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<number>\d+),? in (?P<function>\S+)')
_FATAL = re.compile(r"^Fatal Python error: (?P<what>.+)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Described(msgspec.Struct, frozen=True):
    """The content of ``failure.json``; see `failing.describe`."""

    kind: str = "error"
    types: list[str] = []
    message: str = ""
    module: str | None = None
    file: str | None = None
    number: int = 0
    text: str = ""
    function: str | None = None
    variables: list[tuple[str, str]] = []


def explain(verdict: Verdict, record: ExitRecord | None, folder: JobFolder, spec: JobSpec) -> Failure | None:
    """Say why a job that is over did not end well; None for one that did, or was cancelled."""
    if verdict.state in ("SUCCEEDED", "CANCELLED"):
        return None
    found = _explain(verdict, record, folder, spec)
    if record is not None and record.worker is not None:
        words = f"Rank {record.worker} of {record.workers} workers ended, and the others with it: "
        found = msgspec.structs.replace(found, sentence=words + found.sentence)
    if record is None or record.attempts == 1 or spec.kind in CONDUCTORS:
        return found
    if record.attempt == record.attempts:
        tried = f"That was the last of {record.attempts} attempts."
    else:
        tried = f"It was not tried again: {record.untried or 'that would end in the same way'}."
    return msgspec.structs.replace(found, sentence=f"{found.sentence.rstrip('.')}. {tried}")


def _explain(verdict: Verdict, record: ExitRecord | None, folder: JobFolder, spec: JobSpec) -> Failure:
    sentence = verdict.reason or "It failed and did not say why; its log may."
    if verdict.state == "LOST" or record is None:
        return Failure("lost", sentence, suggestion=_resumed(folder))
    if record.ending == "timed_out":
        return _timed_out(sentence, spec.resources)
    if record.ending in ("out_of_memory", "machine_out_of_memory"):
        return _out_of_memory(sentence, record, folder, spec.resources)
    if record.ending == "evicted":
        kind: FailureKind = "disk" if "storage" in sentence else "lost"
        return Failure(kind, sentence, suggestion=_resumed(folder))
    if record.ending in ("too_many_processes", "not_started"):
        return Failure("processes" if record.ending == "too_many_processes" else "not_started", sentence)
    found = folder.read("failure.json", Described)
    if found is not None and record.signal is None:
        return _raised(sentence, found, spec)
    if sentence.startswith("The disk is full"):
        return Failure("disk", sentence)
    return _from_log(sentence, record, folder, spec)


def _resumed(folder: JobFolder) -> Suggestion | None:
    """After an end that was not the work's fault: go on from what it kept, if it kept something."""
    if checkpoints.found(str(folder.path)):
        return Suggestion("Go on from its newest checkpoint", resume=True)
    return None


def _reserved(record: ExitRecord, resources: Resources) -> Suggestion | None:
    """Ask for what it used, so that fewer run beside it."""
    if not record.memory or resources.memory is not None:
        return None
    wanted = -(-int(1.25 * record.memory) // 10**8) * 10**8
    return Suggestion(
        f"Run again with {amount(wanted)} kept for it", msgspec.structs.replace(resources, memory=wanted)
    )


def _timed_out(sentence: str, resources: Resources) -> Failure:
    if resources.timeout is None:
        return Failure("timeout", sentence)
    twice = msgspec.structs.replace(resources, timeout=2 * resources.timeout)
    label = f"Run again with {duration(2 * resources.timeout)}"
    return Failure("timeout", sentence, suggestion=Suggestion(label, twice))


def _out_of_memory(sentence: str, record: ExitRecord, folder: JobFolder, resources: Resources) -> Failure:
    if record.ending == "machine_out_of_memory":
        return Failure("machine_memory", sentence, suggestion=_reserved(record, resources))
    more = more_memory(record)
    suggestion = None
    if more is not None:
        larger = msgspec.structs.replace(resources, memory=more)
        suggestion = Suggestion(f"Run again with {amount(more)}", larger)
    found = folder.read("failure.json", Described)  # of a worker's end, as the others saw it
    line, seen = _line(found)
    return Failure("memory", sentence, line, seen, suggestion)


def _raised(sentence: str, found: Described, spec: JobSpec) -> Failure:
    line, seen = _line(found)
    kinds = msgspec.convert(
        found.kind if found.kind in ("missing_module", "memory", "gpu_memory", "disk") else "error",
        FailureKind,
    )
    if kinds == "missing_module" and found.module:
        return _missing(found.module, line, seen, spec)
    if kinds == "gpu_memory":
        asked = re.search(r"[Tt]ried to allocate ([\d.]+ \w+)", found.message)
        wanted = f" when {asked[1]} more were asked for" if asked else ""
        sentence = f"The GPU's memory was full{wanted}. Use smaller batches, or half precision."
    if kinds == "disk":
        sentence = "The disk is full: free some space, then run it again."
    return Failure(kinds, sentence, line, seen)


def _missing(module: str, line: FailingLine | None, seen: list[Variable], spec: JobSpec) -> Failure:
    package = PACKAGES.get(module, module.replace("_", "-"))
    python = spec.python or sys.executable
    command = f"{shlex.quote(python)} -m pip install {shlex.quote(package)}"
    sentence = (
        f"The job's Python has no module '{module}': install it (pip install {package}), then run it again."
    )
    return Failure(
        "missing_module", sentence, line, seen, Suggestion("Copy the install command", None, command)
    )


def _line(found: Described | None) -> tuple[FailingLine | None, list[Variable]]:
    if found is None or not found.file:
        return None, []
    line = FailingLine(found.file, found.number, found.text, found.function)
    return line, [Variable(name, value) for name, value in found.variables]


def _from_log(sentence: str, record: ExitRecord, folder: JobFolder, spec: JobSpec) -> Failure:
    """What a program said of its own end."""
    text = _COLOUR.sub("", _tail(folder, record.worker or 0))
    crash = max((found.start() for found in _FATAL.finditer(text)), default=None)
    if crash is not None and (record.signal is not None or (record.exit_code or 0) > 128):
        return _crashed(sentence, text[crash:])
    if record.signal is not None:
        return Failure("signal", sentence)
    raised = _traceback(text)
    if raised is not None:
        words, line = raised
        module = re.match(r"ModuleNotFoundError: No module named '([\w.]+)'", words)
        if module:
            return _missing(module[1].partition(".")[0], line, [], spec)
        gpu = "CUDA out of memory" in words or "OutOfMemoryError" in words
        kind: FailureKind = "memory" if words.startswith("MemoryError") else "gpu_memory" if gpu else "error"
        return Failure(kind, words, line)
    code = record.exit_code or 0
    if record.reason is None:
        sentence = EXIT_CODES.get(code, sentence)
        if code > 128 and (name := signal_name(code - 128)):
            sentence = f"It ended with exit code {code}: a process of it was ended by {name}."
        last = next((one.strip() for one in reversed(text.splitlines()) if one.strip()), "")
        if last:
            sentence += f" The last it said: “{last[:SHOWN]}”"
    return Failure("exit_code", sentence)


def _crashed(sentence: str, text: str) -> Failure:
    """After Python's own report of a crash, which begins with the newest call."""
    frames = [found for one in text.splitlines() if (found := _FRAME.match(one))]
    users = next((one for one in frames if not is_library(one["file"])), None)
    if frames and (package := _package(frames[0]["file"])):
        sentence += f" It was in a call of {package}."
    return Failure("signal", sentence, _framed(users) if users else None)


def _traceback(text: str) -> tuple[str, FailingLine | None] | None:
    """The last words of a traceback near the end, and the last line of the user's in it."""
    lines = text.splitlines()
    begun = next(
        (at for at in reversed(range(len(lines))) if lines[at].startswith("Traceback (most rec")), None
    )
    if begun is None:
        return None
    frames: list[tuple[re.Match[str], str]] = []
    for at in range(begun + 1, len(lines)):
        found = _FRAME.match(lines[at])
        if found:
            following = lines[at + 1].strip() if at + 1 < len(lines) else ""
            frames.append((found, following))
        elif lines[at] and not lines[at][0].isspace():
            if len(lines) - at > NEAR:
                return None
            users = [one for one in frames if not is_library(one[0]["file"])] or frames[-1:]
            return lines[at][:SHOWN], _framed(*users[-1]) if users else None
    return None


def _framed(found: re.Match[str], text: str = "") -> FailingLine:
    name = "cell" if os.path.basename(found["file"]) == "cell.py" else found["file"]
    return FailingLine(name, int(found["number"]), text, found["function"])


def _package(file: str) -> str | None:
    found = re.search(r"/(?:site|dist)-packages/([^/.]+)", file)
    return found[1] if found else None


def _tail(folder: JobFolder, worker: int) -> str:
    try:
        with folder.open(f"{workers.FOLDER}/{worker}/log" if worker else "log") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def as_row(failure: Failure | None) -> dict[str, Any]:
    """As the columns of a job's row."""
    if failure is None:
        return {}
    return {"failure": msgspec.to_builtins(failure), "reason": failure.sentence}
