"""Reading what is asked: refused at once, in words, where it cannot run."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import sys

import msgspec

from jupyter_blueno.catalog.checks import check_json_items
from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import amounts, cells, interpreters, parameters, requirements
from jupyter_blueno.vault.model import check_name as check_secret_name

NAME_LIMIT = 255  # characters
SOURCE_LIMIT = 64 << 20  # bytes of a cell or notebook
PAYLOAD_LIMIT = 256 << 20
WORD_LIMIT = 120_000  # bytes of one argument or variable that the system surely takes
WORDS_LIMIT = 1_000_000

_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_id(job_id: str) -> None:
    if not _ID.fullmatch(job_id):
        raise InvalidInput("A job's id is 32 hexadecimal digits, made by whoever submits it.", code="job_id")


def check_name(name: str) -> str:
    """The name without blanks around it."""
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or any(ord(sign) < 32 for sign in name):
        raise InvalidInput(f"A job's name has 1 to {NAME_LIMIT} characters, on one line.", code="job_name")
    return name


def check_spec(spec: JobSpec) -> None:
    """Refuse what cannot run.

    Raises
    ------
    InvalidInput
        The sentence says which part, and what to write instead.
    TooLarge
    """
    wanted = {"cell": "source", "notebook": "source", "function": "payload"}.get(spec.kind, "command")
    given = getattr(spec, wanted)
    if not (given[0] if given and wanted == "command" else given or "").strip():
        raise InvalidInput(f"A job of kind '{spec.kind}' needs its '{wanted}'.", code="job_spec")
    if len(spec.source or "") > SOURCE_LIMIT:
        raise TooLarge(f"The text is over {SOURCE_LIMIT >> 20} MB; clear the notebook's outputs first.")
    if len(spec.payload or "") > PAYLOAD_LIMIT:
        raise TooLarge(f"The arguments are over {PAYLOAD_LIMIT >> 20} MB; pass the path of a file instead.")
    check_said(spec)
    if spec.kind == "cell" and _is_ours(spec):
        cells.check_cell(spec.source or "")
    if spec.kind == "notebook":
        cells.check_notebook(spec.source or "", _is_ours(spec))
        parameters.check_notebook(spec.source or "", spec.parameters)
    if spec.kind in ("function", "cell"):
        try:
            base64.b64decode(spec.payload or "", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidInput("The payload is not base64.", code="job_spec") from None


def check_digest(digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput("A request's digest is 64 hexadecimal digits.", code="job_spec")


def check_said(spec: JobSpec) -> None:
    """Refuse what nobody can keep or set, whatever runs: amounts, words, variables.

    Raises
    ------
    InvalidInput
    TooLarge
    """
    amounts.check(spec.resources)
    if spec.resources.workers > 1 and spec.kind not in ("cell", "function", "notebook", "command"):
        raise InvalidInput(f"A job of kind '{spec.kind}' has one worker.", code="bad_workers")
    for given in spec.given.values():
        for one in given if isinstance(given, list) else [given]:
            check_id(one)
    for name, value in spec.environment.items():
        if not name or "=" in name or "\0" in name:
            raise InvalidInput(
                f"{name!r} cannot be the name of an environment variable; it has letters, digits and '_'.",
                code="bad_environment",
            )
        if "\0" in value:
            raise InvalidInput(
                f"The variable '{name}' holds a NUL character, which no environment can; take it out.",
                code="bad_environment",
            )
    if any("\0" in word for word in spec.command):
        raise InvalidInput("A command cannot contain a NUL character; take it out.", code="job_spec")
    for name in spec.secrets:
        check_secret_name(name)
    requirements.check(spec.requirements)
    sizes = [len(word.encode()) for word in (*spec.command, *spec.environment.values())]
    if max(sizes, default=0) > WORD_LIMIT or sum(sizes) > WORDS_LIMIT:
        raise TooLarge(
            f"A word of the command or a variable of the environment has at most {WORD_LIMIT:,} bytes, all "
            f"together {WORDS_LIMIT:,}. Write the rest into a file and give its path.",
            code="job_spec_too_large",
        )
    check_json_items(
        [msgspec.structs.asdict(spec.origin), spec.parameters, {"": msgspec.to_builtins(spec.arguments)}],
        "The job's spec",
    )


def _is_ours(spec: JobSpec) -> bool:
    """Whether it runs the Python that we are: another version has another syntax."""
    if spec.requirements or interpreters.is_version(spec.python or ""):
        return False
    return os.path.realpath(interpreters.place(spec.python)) == os.path.realpath(sys.executable)


def without_secrets(spec: JobSpec) -> JobSpec:
    """The same, with the names of the variables of its environment and not their values."""
    return msgspec.structs.replace(spec, environment=dict.fromkeys(spec.environment, ""))


def working_folder(config: Config, spec: JobSpec) -> str:
    """The folder that the job runs in: that asked for, else its notebook's, else the server's root.

    Raises
    ------
    InvalidInput
        If there is no such folder.
    """
    asked = spec.folder
    if asked is None and spec.origin.notebook:
        asked = os.path.dirname(spec.origin.notebook.partition(":")[2] or spec.origin.notebook)
    places = [os.path.expanduser(root) for root in reversed(config.roots)] + [os.getcwd()]
    for place in places:
        folder = os.path.abspath(os.path.join(place, os.path.expanduser(asked or ".")))
        if os.path.isdir(folder):  # not where it is too long, or no path at all
            return folder
    if spec.folder is None:
        return places[0] if os.path.isdir(places[0]) else os.getcwd()
    raise InvalidInput(f"There is no folder '{spec.folder[:80]}' to run in.", code="folder_not_found")


def digest(name: str, spec: JobSpec) -> str:
    """Equal for equal requests.

    Raises
    ------
    InvalidInput
        If there are characters in it that cannot be kept.
    """
    try:
        text = name.encode() + b"\0" + msgspec.json.encode(spec, order="sorted")
    except UnicodeEncodeError:
        raise InvalidInput(
            "There is half a character (a surrogate) in what is to be sent; decode such text with "
            "errors='replace' first.",
            code="invalid_character",
        ) from None
    return hashlib.sha256(text).hexdigest()
