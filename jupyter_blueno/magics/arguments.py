"""What may stand after ``%blueno``: sub-commands, their options, and sentences for what is wrong."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jupyter_blueno.errors import InvalidInput

Completed = Literal["dataset", "job", "public set", "path", "nothing"]


@dataclass(frozen=True)
class Command:
    """A sub-command.

    Parameters
    ----------
    words : str
        What it takes, as the help shows it.
    summary : str
    options : mapping
        Option → what its value is called; None: a flag.
    short : mapping
        ``-f`` → ``--follow``.
    least, most : int
        How many plain words it takes; `most` None: any number.
    completes : str
        What the plain words are.
    """

    words: str
    summary: str
    options: Mapping[str, str | None] = field(default_factory=dict)
    short: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    most: int | None = 0
    completes: Completed = "nothing"


RESOURCES = {"--name": "NAME", "--gpu": "N", "--cpu": "CORES", "--memory": "8G", "--timeout": "2h"}
RESOURCES |= {"--priority": "N", "--retries": "N", "--retry-on": "memory,connection", "--workers": "N"}

LINE = {
    "datasets": Command("[TEXT]", "list datasets", most=1),
    "show": Command(
        "NAME [ORDINAL]", "show a dataset, or one sample of it", least=1, most=2, completes="dataset"
    ),
    "open": Command("PATH", "look at a file: a picture or a volume", least=1, most=1, completes="path"),
    "ingest": Command(
        "PATH … [--name NAME]", "make a dataset of a folder or of volumes",
        {"--name": "NAME"}, least=1, most=None, completes="path",
    ),
    "prepare": Command(
        "NAME …", "make public datasets ready", {}, least=1, most=None, completes="public set"
    ),
    "jobs": Command("[TEXT]", "list jobs", most=1),
    "logs": Command(
        "JOB [-f]", "print what a job said; -f goes on until it ends",
        {"--follow": None}, {"-f": "--follow"}, least=1, most=1, completes="job",
    ),
    "metrics": Command("JOB", "show the curves that a job logs", least=1, most=1, completes="job"),
    "usage": Command("JOB", "show what a job uses", least=1, most=1, completes="job"),
    "cancel": Command("JOB …", "stop jobs", least=1, most=None, completes="job"),
    "pause": Command("JOB …", "have running jobs stand still", least=1, most=None, completes="job"),
    "unpause": Command("JOB …", "let paused jobs go on", least=1, most=None, completes="job"),
    "job": Command("JOB", "show how a job stands", least=1, most=1, completes="job"),
    "help": Command("", "this page"),
}  # fmt: skip
CELL = {
    "run": Command(
        "[--name N] [--gpu N] [--cpu N] [--memory 8G] [--timeout 2h] [--priority N] [--retries N] "
        "[--retry-on KINDS] [--workers N] "
        "[--secrets NAMES] [--variables 64M] [--without NAMES] [-f]",
        "run the cell as a background job, with the variables that it uses (0: none)",
        {
            **RESOURCES,
            "--secrets": "HF_TOKEN",
            "--variables": "64M",
            "--without": "NAME,NAME",
            "--dry-run": None,
            "--follow": None,
        },
        {"-f": "--follow"},
    ),
}


@dataclass(frozen=True)
class Arguments:
    """A line, taken apart: the sub-command, its plain words, its options by name without dashes."""

    command: str
    words: list[str]
    options: dict[str, str | bool]


def parse(line: str, commands: Mapping[str, Command], magic: str) -> Arguments:
    """Take a line apart.

    Parameters
    ----------
    line : str
    commands : mapping
        `LINE` or `CELL`.
    magic : str
        ``%blueno`` or ``%%blueno``, for the sentences.

    Raises
    ------
    InvalidInput
        With the nearest right word.
    """
    try:
        parts = shlex.split(line)
    except ValueError as error:
        raise InvalidInput(f"{magic} {line}: {error}. Close the quotation mark.", code="bad_magic") from None
    if not parts:
        return Arguments("help", [], {})
    name, *rest = parts
    if name in {"-h", "--help", "?"}:
        name = "help"
    command = commands.get(name)
    if command is None:
        raise InvalidInput(_unknown_command(name, commands, magic), code="bad_magic")
    words, options = _sort(rest, command, f"{magic} {name}")
    if len(words) < command.least or (command.most is not None and len(words) > command.most):
        raise InvalidInput(
            f"{magic} {name} takes {command.words or 'nothing more'}"
            + (f", not {' '.join(words)!r}." if words else "."),
            code="bad_magic",
        )
    return Arguments(name, words, options)


def _sort(parts: list[str], command: Command, called: str) -> tuple[list[str], dict[str, str | bool]]:
    words: list[str] = []
    options: dict[str, str | bool] = {}
    waiting = list(parts)
    while waiting:
        part = waiting.pop(0)
        if not part.startswith("-") or part == "-":
            words.append(part)
            continue
        name, equals, value = part.partition("=")
        name = command.short.get(name, name)
        if name not in command.options:
            raise InvalidInput(_unknown_option(name, command, called), code="bad_magic")
        wanted = command.options[name]
        if wanted is None:
            if equals:
                raise InvalidInput(f"{called} {name} takes no value.", code="bad_magic")
            options[name[2:]] = True
            continue
        if not equals:
            # A negative number is a value; its own check has the better sentence.
            if not waiting or (waiting[0].startswith("--")):
                raise InvalidInput(f"{called} {name} needs a value: {name} {wanted}.", code="bad_magic")
            value = waiting.pop(0)
        options[name[2:]] = value
    return words, options


def _unknown_command(name: str, commands: Mapping[str, Command], magic: str) -> str:
    if magic == "%blueno" and name in CELL:
        return f"%blueno {name} runs a cell: write %%blueno {name} as the first line of the cell."
    if magic == "%%blueno" and name in LINE:
        return f"%%blueno {name} is a line of its own: write %blueno {name} with one percent sign."
    near = difflib.get_close_matches(name, commands, n=1)
    hint = f"Did you mean {magic} {near[0]}?" if near else f"There is {', '.join(commands)}."
    return f"{magic} has no {name!r}. {hint}"


def _unknown_option(name: str, command: Command, called: str) -> str:
    near = difflib.get_close_matches(name, command.options, n=1, cutoff=0.5)
    if near:
        return f"{called} has no option {name}. Did you mean {near[0]}?"
    if command.options:
        return f"{called} has no option {name}. There is {', '.join(command.options)}."
    return f"{called} has no options: leave {name} away."
