"""What every way of starting a job takes beside the work itself."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import JobSpec, Resources
from jupyter_blueno.jobs.sending import requirements
from jupyter_blueno.jobs.sending.amounts import parse_resources

Verb = TypeVar("Verb", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """The options of `blueno.submit`, `run_cell`, `run_notebook`, `run_command` and `blueno.job`.

    Parameters
    ----------
    name : str, optional
        What the job is called. Default: the function's, notebook's or
        program's name, or a cell's first line that says something.
    gpu : int
        How many.
    cpu : float, optional
        Cores.
    memory : str or int, optional
        ``"8G"``, ``"512 MB"`` or bytes.
    timeout : str or float, optional
        ``"2h"`` or seconds, for each attempt; default: no limit.
    priority : int
        From -10 to 10: where there is not room for all, the higher one starts
        first.
    retries : int
        How often it is tried again after a failure that may not come again.
    retry_on : sequence
        The failures after which it is tried again, instead: kinds (``"memory"``,
        ``"connection"``, ``"timeout"`` …) and exceptions, as names or classes.
    workers : int
        In how many processes at a time it runs, each with its own `gpu`, `cpu` and
        `memory`, on other machines where there are some. They find each other by
        ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``TF_CONFIG``; result and
        metrics are those of rank 0.
    files : sequence of str
        Other files that the work reads, as they are now: paths, folders or
        patterns (``"conf/*.yaml"``). `blueno.file` gives their place in the job.
    environment : mapping
        Variables of its environment: ``{"HF_TOKEN": token}``. They are not shown
        in Lab, and stored for you alone.
    env : sequence of str
        Names or patterns of variables to take from the present environment:
        ``["HF_TOKEN", "WANDB_*"]``.
    secrets : sequence of str
        Secrets of the team that are variables of its environment:
        ``["HF_TOKEN"]``. They are read when it starts, and kept nowhere else.
    dry_run : bool
        Start nothing: return what would be sent, where, and when it would start.
    python : str
        Another Python: its path, the folder of an environment, the name of a
        conda environment, or a version (``"3.12"``).
    requirements : str or sequence of str
        Packages (``["torch==2.8", "pandas"]``) or a requirements file: an
        environment is built of them, once for all jobs that ask for the same.
    """

    name: str | None
    gpu: int | str | None
    cpu: float | str | None
    memory: float | str | None
    timeout: float | str | timedelta | None
    priority: int | str | None
    retries: int | str | None
    retry_on: str | type[BaseException] | Sequence[str | type[BaseException]] | None
    workers: int | str | None
    files: Sequence[str]
    environment: Mapping[str, str] | None
    env: Sequence[str]
    secrets: Sequence[str]
    dry_run: bool
    python: str | os.PathLike[str] | None
    requirements: str | os.PathLike[str] | Sequence[str] | None


RESOURCES = ("gpu", "cpu", "memory", "timeout", "priority", "retries", "retry_on", "workers")
DEFAULTS: dict[str, Any] = dict.fromkeys(Options.__annotations__) | {
    "gpu": 0,
    "priority": 0,
    "retries": 0,
    "retry_on": (),
    "workers": 1,
    "files": (),
    "env": (),
    "secrets": (),
    "dry_run": False,
}


def resources_of(options: Options) -> Resources:
    """What the job may use.

    Raises
    ------
    InvalidInput
        If an amount makes no sense; the sentence shows a right one.
    """
    return parse_resources(**{name: options[name] for name in RESOURCES if name in options})  # type: ignore[literal-required]


def spec_of(options: Options, **work: Any) -> JobSpec:
    """The spec of some `work` (its kind, source …) with these options."""
    refuse_unknown(options)
    given: dict[str, Any] = {
        "folder": str(Path.cwd()),
        # A command says itself what runs it.
        "python": python_of(options) or (None if work["kind"] == "command" else sys.executable),
        "requirements": requirements_of(options.get("requirements")),
        "pickled_by": f"{sys.version_info[0]}.{sys.version_info[1]}" if work.get("payload") else None,
        "search": _search(),
        "files": list(_texts("files", options.get("files") or ())),
        "environment": environment_of(options),
        "secrets": list(_texts("secrets", options.get("secrets") or ())),
        **work,
    }
    return JobSpec(resources=resources_of(options), **given)


def python_of(options: Options) -> str | None:
    """The Python that was asked for, as the platform reads it; None where none was."""
    asked = options.get("python")
    if isinstance(asked, int | float):
        asked = str(asked)  # python=3.12; not that of 3.10, which is 3.1
    return os.path.expanduser(_texts("python", asked)[0]) if asked else None


def environment_of(options: Options) -> dict[str, str]:
    """Variables for the job's environment: those given, and those named of the present one.

    Raises
    ------
    InvalidInput
        If a variable is named that is not set.
    """
    found: dict[str, str] = {}
    for pattern in _texts("env", options.get("env") or ()):
        matching = fnmatch.filter(os.environ, pattern)
        if not matching and not any(sign in pattern for sign in "*?["):
            near = difflib.get_close_matches(pattern, os.environ, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(
                f"The environment has no variable {pattern!r} here.{hint} Set it, or give its value: "
                f"environment={{{pattern!r}: …}}.",
                code="variable_not_set",
            )
        found |= {name: os.environ[name] for name in matching}
    given = options.get("environment") or {}
    if not isinstance(given, Mapping):
        raise InvalidInput(
            "environment takes names with values: {'HF_TOKEN': token}. Names alone go to env=[…].",
            code="bad_environment",
        )
    for name, value in given.items():
        if not isinstance(value, str | int | float | os.PathLike):
            raise InvalidInput(
                f"The variable {str(name)!r} cannot be {value!r:.60}; give it a text, or leave it out.",
                code="bad_environment",
            )
    return found | {str(name): str(value) for name, value in given.items()}


def requirements_of(asked: Any) -> list[str]:
    """Lines of requirements: of a file, or as they were given; paths in them become absolute.

    Raises
    ------
    InvalidInput
        If there is no such file.
    """
    if not asked:
        return []
    if isinstance(asked, str | os.PathLike):
        file = Path(asked).expanduser()
        if not file.is_file():
            if isinstance(asked, str) and not asked.endswith((".txt", ".in")) and os.sep not in asked:
                return [asked]
            raise InvalidInput(
                f"There is no requirements file {str(asked)!r}. Give the path of one, or a list of packages.",
                code="requirements_not_found",
            )
        return requirements.of_file(file)
    return [line for line in map(str.strip, _texts("requirements", asked)) if line]


def _texts(option: str, value: Any) -> tuple[str, ...]:
    """One text or several, as several."""
    one = isinstance(value, str | os.PathLike)
    parts = (value,) if one else tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(part, str | os.PathLike) for part in parts) or isinstance(value, Mapping):
        what = "a text: python='…'" if option == "python" else f"texts: {option}=['…']"
        raise InvalidInput(f"{option} takes {what}, not {value!r:.60}.", code=f"bad_{option}")
    return tuple(os.fspath(part) for part in parts)


def _search() -> list[str]:
    """Folders that were put on this process's path: there lie modules of the user's own."""
    installed = _installed()
    found = []
    for part in sys.path:
        path = os.path.abspath(part or ".")
        if os.path.isdir(path) and not os.path.join(path, "").startswith(installed):
            found.append(path)
    return found


@functools.cache
def _installed() -> tuple[str, ...]:
    """Folders below which lies what is installed, with a slash at their ends."""
    paths = {*sysconfig.get_paths().values(), sys.base_prefix, sys.prefix}
    return tuple(os.path.join(os.path.abspath(path), "") for path in paths)


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Name the first word that is no option.

    Raises
    ------
    InvalidInput
        With the nearest right one.
    """
    for name in options:
        if name not in DEFAULTS:
            near = difflib.get_close_matches(name, DEFAULTS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There is {', '.join(DEFAULTS)}."
            raise InvalidInput(f"{name!r} is no option of a job. {hint}", code="unknown_option")


def split(function: Callable[..., Any], words: Mapping[str, Any]) -> tuple[Options, dict[str, Any]]:
    """Sort what was given to `blueno.submit` by name into options and arguments of the function.

    Raises
    ------
    InvalidInput
        If a name could be either.
    """
    options = {name: value for name, value in words.items() if name in DEFAULTS}
    rest = {name: value for name, value in words.items() if name not in DEFAULTS}
    own = options.keys() & _parameters(function)
    if own:
        name = min(own)
        called = getattr(function, "__name__", "the function")
        raise InvalidInput(
            f"{called} has a parameter {name!r}, which is also an option of the job. Say which one is meant: "
            f"blueno.job({name}=…)({called}).submit(…) for the job, blueno.job({called}).submit({name}=…) "
            "for the function.",
            code="ambiguous_option",
        )
    return options, rest  # type: ignore[return-value]


def _parameters(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def takes_options(verb: Verb) -> Verb:
    """Let the options be seen where ``**options`` stands: in Shift+Tab, completion and `help`."""
    shown = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in DEFAULTS.items()
    ]
    parameters: list[inspect.Parameter] = []
    for one in inspect.signature(verb).parameters.values():
        if one.kind is not inspect.Parameter.VAR_KEYWORD:
            parameters.append(one)
            continue
        parameters += [new for new in shown if new.name not in {old.name for old in parameters}]
        if one.name != "options":
            parameters.append(one)
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return verb
