"""Starting jobs: a function, a cell, a notebook, a command."""

from __future__ import annotations

import os
import shlex
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

from jupyter_blueno import errors
from jupyter_blueno.api import jobs as api
from jupyter_blueno.client import payload, session, signature
from jupyter_blueno.client.functions import JobFunction
from jupyter_blueno.client.job_display import JobList
from jupyter_blueno.client.jobs import Job
from jupyter_blueno.client.notebooks import spec_of_notebook
from jupyter_blueno.client.options import DEFAULTS, Options, refuse_unknown, spec_of, split, takes_options
from jupyter_blueno.client.preview import Preview
from jupyter_blueno.client.rooted import below_root
from jupyter_blueno.client.travelling import described
from jupyter_blueno.client.variables import Taken, take
from jupyter_blueno.jobs.model import JobSpec, Origin
from jupyter_blueno.jobs.sending import scripts

if TYPE_CHECKING:
    from jupyter_blueno.client.datasets import Dataset

NAME_LIMIT = 120  # characters of a name that is made up here
AT_ONCE = 250  # jobs in one request


@takes_options
def submit(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Job:
    """Run ``function(*args, **kwargs)`` as a background job.

    The job outlives this notebook. It gets the function as it is now, with the
    variables and local modules that it uses.

    Parameters
    ----------
    function : callable
        Of a notebook, a module or a lambda.
    *args, **kwargs
        Its arguments; up to 64 MB pickled. Beside them, by name, the options
        below.
    name : str, optional
        Default: the function's name.
    gpu : int
        How many.
    cpu : float, optional
        Cores.
    memory : str or int, optional
        ``"8G"``, ``"512 MB"`` or bytes.
    timeout : str or float, optional
        ``"2h"`` or seconds; default: no limit.
    priority : int
        From -10 to 10: where there is not room for all, the higher one starts
        first.
    retries : int
        How often it is tried again, with a growing pause, when it was lost or
        killed, timed out, or ended with an error that may not come again (not:
        a syntax error, a missing module, its own memory limit).
    retry_on : sequence
        The failures after which it is tried again, instead: kinds
        (``["memory", "connection"]``) and exceptions, as names or classes.
    workers : int
        In how many processes at a time it runs, each with its own `gpu`, `cpu` and
        `memory`. They find each other by ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR``
        and ``TF_CONFIG``; the value is that of rank 0.
    files : sequence of str
        Other files that it reads, as they are now: paths, folders or patterns.
        `blueno.file` gives their place in the job.
    environment : mapping
        Variables of its environment, not shown in Lab: ``{"HF_TOKEN": token}``.
    env : sequence of str
        Names or patterns of variables to take from the present environment.
    python : str
        Another Python: its path, the folder of an environment, the name of a
        conda environment, or a version (``"3.12"``).
    requirements : str or sequence of str
        Packages or a requirements file: an environment is built of them, once.
    dry_run : bool
        Start nothing: return what would be sent, where, and when it would start.

    Returns
    -------
    Job
        `Job.result` waits and gives the function's value.

    Raises
    ------
    InvalidInput
        If the function does not take these arguments, something cannot be
        pickled, or an amount makes no sense.
    TooLarge
        If the arguments are too large; it names the largest.
    """
    options: dict[str, Any] = {}
    if isinstance(function, JobFunction):
        options = function.options
        function = function.function
    if not callable(function):
        raise errors.InvalidInput(
            f"submit takes a function, and then its arguments; {function!r:.80} is of type "
            f"{type(function).__name__}. "
            "Write blueno.submit(train, 5), not blueno.submit(train(5)).",
            code="not_a_function",
        )
    given, kwargs = split(function, kwargs)
    return submit_function(function, args, kwargs, {**options, **given})  # type: ignore[typeddict-item]


def submit_function(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> Job:
    """Run ``function(*args, **kwargs)`` with these options: all `kwargs` are the function's."""
    spec = spec_of_call(function, args, kwargs, options)
    return start(options.get("name") or signature.called_of(function), spec, options)


def spec_of_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> JobSpec:
    """What ``function(*args, **kwargs)`` is as a job; see `submit` for what it raises."""
    signature.check(function, args, kwargs)
    return spec_of(
        options,
        kind="function",
        source=_source_of(function),
        payload=payload.pack(function, args, kwargs),
        arguments=signature.arguments(function, args, kwargs),
        origin=origin(),
    )


@takes_options
def map(function: Callable[..., Any], *values: Iterable[Any], **options: Unpack[Options]) -> JobList:
    """Run a function once for each value, each time as a background job of its own.

    Parameters
    ----------
    function : callable
    *values : iterable
        Of its first argument, of its second … : as for Python's own `map`.
    **options
        As in `submit`, for each job.

    Returns
    -------
    JobList
        In the order of the values; ``.results()`` waits for all and gives
        theirs.

    Raises
    ------
    InvalidInput
        If one of them cannot run; none was started.

    Examples
    --------
    >>> blueno.map(train, [0.1, 0.01, 0.001]).results()
    """
    if isinstance(function, JobFunction):
        options = {**function.options, **options}  # type: ignore[typeddict-item]
        function = function.function
    if not callable(function) or not values:
        raise errors.InvalidInput(
            "map takes a function, and then what it is to run for: blueno.map(train, [0.1, 0.01]).",
            code="not_a_function",
        )
    refuse_unknown(options)
    if options.get("dry_run"):
        raise errors.InvalidInput(
            "map has no dry run; look at one of its jobs: blueno.submit(function, value, dry_run=True).",
            code="no_dry_run",
        )
    name = options.get("name") or signature.called_of(function)
    asked = [
        api.SubmitJob(
            uuid.uuid4().hex,
            f"{name} {short(args)}"[:NAME_LIMIT].strip(),
            spec_of_call(function, args, {}, options),
        )
        for args in zip(*values, strict=False)
    ]
    made: list[Job] = []
    for place in range(0, len(asked), AT_ONCE):
        answer = session.call(api.submit_jobs, api.SubmitJobs(asked[place : place + AT_ONCE]))
        made += [Job(one) for one in answer.jobs]
    return JobList(made)


def short(args: tuple[Any, ...]) -> str:
    """Arguments in a name: what is plain as it is, the rest by its type."""
    words = (
        repr(one) if isinstance(one, int | float | str | bool | None) else described(one) for one in args
    )
    return " ".join("".join(sign if sign.isprintable() else " " for sign in word)[:40] for word in words)


@takes_options
def run_cell(
    source: str,
    *,
    variables: Mapping[str, Any] | Taken | None = None,
    where: Origin | None = None,
    **options: Unpack[Options],
) -> Job:
    """Run a cell's text as a background job; what it shows is kept.

    Parameters
    ----------
    source : str
        As in a notebook; magics and ``!commands`` work.
    variables : mapping, optional
        Those that the cell uses are taken along, as they are now: ``globals()``,
        or ``{"lr": 0.1}``; up to 64 MB.
    where : Origin, optional
        The notebook and cell it comes from.
    **options
        As in `submit`. Default name: the first line that says something.

    Raises
    ------
    InvalidInput
        If there is nothing to run, it is not Python, or a variable cannot be sent.
    TooLarge
        If the variables are too large; it names them.
    """
    spec = spec_of_cell(source, variables, where or origin(), options)
    return start(options.get("name") or _name_of_cell(source), spec, options)


def spec_of_cell(
    source: str, variables: Mapping[str, Any] | Taken | None, where: Origin, options: Options
) -> JobSpec:
    """What a cell with some variables is as a job; see `run_cell` for what it raises."""
    if not source.strip():
        raise errors.InvalidInput("The cell is empty: there is nothing to run.", code="empty_cell")
    taken = variables
    if variables is not None and not isinstance(variables, Taken):
        taken = take(source, variables)
    return spec_of(
        options,
        kind="cell",
        source=source,
        origin=where,
        parameters=taken.parameters if isinstance(taken, Taken) else {},
        payload=taken.payload if isinstance(taken, Taken) else None,
    )


@takes_options
def run_notebook(
    path: str | os.PathLike[str],
    *,
    values: Mapping[str, Any] | None = None,
    selection: Dataset | None = None,
    **parameters: Any,
) -> Job:
    """Run a notebook as a background job; its result is the executed notebook.

    Parameters
    ----------
    path : str or os.PathLike
        The notebook; it is copied now and not changed.
    values : mapping, optional
        Parameters by name, for those that are called like an option.
    selection : Dataset, optional
        Samples to work on: in the notebook, ``blueno.selection()``.
    **parameters
        Set after the cell tagged ``parameters``, or at the top. Plain values:
        text, numbers, lists, dicts. Beside them, by name, the options of
        `submit`. Default name: the file's.
    """
    options: Options = {name: parameters.pop(name) for name in DEFAULTS if name in parameters}  # type: ignore[assignment]
    parameters |= values or {}
    spec = spec_of_notebook(path, parameters, options, selection)
    return start(options.get("name") or Path(path).stem, spec, options)


@takes_options
def run_command(command: str | Sequence[str], **options: Unpack[Options]) -> Job:
    """Run a command as a background job, in the present folder.

    Parameters
    ----------
    command : str or sequence of str
        The program and its arguments; no shell is between.
    **options
        As in `submit`. Default name: the Python script's, or the program's.

    Raises
    ------
    InvalidInput
        If there is no such program or script.
    """
    words = words_of(command)
    spec = spec_of(options, kind="command", command=words)
    script = scripts.given(spec)
    return start(options.get("name") or (Path(script).stem if script else Path(words[0]).name), spec, options)


def words_of(command: str | Sequence[Any]) -> list[str]:
    """A command as words: a text as a shell would take it apart; numbers and paths as text.

    Raises
    ------
    InvalidInput
        ``empty_command`` or ``bad_command``
    """
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        raise errors.InvalidInput(
            f"{command!r:.80} is not complete: {error}. Give the words as a list.", code="bad_command"
        ) from None
    for word in words:
        if not isinstance(word, str | int | float | os.PathLike):
            raise errors.InvalidInput(
                f"A command is made of texts, not {word!r:.60}. Write it like ['python', 'train.py'].",
                code="bad_command",
            )
    if not words or not str(words[0]).strip():
        raise errors.InvalidInput("No command was given. Write it after --.", code="empty_command")
    return [str(word) for word in words]


def start(name: str, spec: JobSpec, options: Options) -> Job:
    """Submit under an id made here, so that a repeated request is the same job; or only tell of it."""
    if options.get("dry_run"):
        told = session.call(api.preview_work, api.DescribeWork(str(name), spec))
        return cast(Job, Preview(told))  # who asks for a dry run knows
    return Job(session.call(api.submit_job, api.SubmitJob(uuid.uuid4().hex, str(name), spec)))


def origin() -> Origin:
    """The notebook, cell and kernel that are running now, as far as they can be known."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is None or getattr(shell, "kernel", None) is None:
        return Origin()
    parent = shell.get_parent() or {}
    notebook = os.environ.get("JPY_SESSION_NAME")
    kernel = Path(getattr(shell.kernel.parent, "connection_file", "") or "").name
    return Origin(
        notebook=below_root(notebook) if notebook and notebook.endswith(".ipynb") else None,
        cell_id=(parent.get("metadata") or {}).get("cellId"),
        kernel_id=kernel.removeprefix("kernel-").removesuffix(".json") or None,
    )


def _source_of(function: Callable[..., Any]) -> str | None:
    import inspect
    import textwrap

    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None


def _name_of_cell(source: str) -> str:
    lines = [line.strip() for line in source.splitlines()]
    said = [line for line in lines if line and not line.startswith(("#", "import ", "from ", "%", '"""'))]
    comment = next((line.lstrip("# ") for line in lines if line.startswith("#") and line.strip("# ")), "")
    return (comment or next(iter(said or lines), "cell"))[:NAME_LIMIT].strip() or "cell"
