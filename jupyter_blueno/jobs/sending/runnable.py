"""Whether work can run at all, as far as it can be known before: its program, its script, its modules."""

from __future__ import annotations

import difflib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.sending import environments, imports, interpreters, kernels, request, scripts

if TYPE_CHECKING:
    from jupyter_blueno.config import Config
    from jupyter_blueno.jobs.model import JobSpec


def check_here(config: Config, spec: JobSpec) -> None:
    """Refuse work that is sure to fail before it has done anything.

    Only where jobs see this machine's files and programs. What may still come
    about is let through: an environment that is built first, a module for which
    the work looks by itself.

    Raises
    ------
    InvalidInput
        It names what is missing, and what to do.
    """
    folder = request.working_folder(config, spec)
    if spec.kind == "command":
        _check_program(spec, folder)
        _check_script(spec, folder)
    built = environments.is_built(spec)
    if spec.kind == "notebook" and not spec.python and not built:
        kernels.python_of(json.loads(spec.source or "{}"))
    if built and not interpreters.is_version(spec.python or ""):
        interpreters.find(spec.python)
    imports.check(spec, folder, None if built else _python_of(spec, folder))


def _python_of(spec: JobSpec, folder: str) -> str:
    script = scripts.of(spec, folder)
    return script.python if script is not None and not spec.python else interpreters.find(spec.python)


def _check_program(spec: JobSpec, folder: str) -> None:
    word = spec.command[0]
    asked_python = spec.python and word in ("python", "python3")
    if environments.is_built(spec) or asked_python or "{" in word:
        return
    searched = spec.environment.get("PATH", os.environ.get("PATH", os.defpath))
    place = os.path.normpath(os.path.join(folder, word))
    if "/" not in word:
        if shutil.which(word, path=searched) is not None:
            return
    elif os.path.isfile(place) and os.access(place, os.X_OK):
        return
    raise InvalidInput(f"{_why_not(word, place, searched)}", code="program_not_found")


def _why_not(word: str, place: str, searched: str) -> str:
    shown = word[:80]
    if os.path.isdir(place) and "/" in word:
        return f"'{shown}' is a folder, not a program. Give the program in it."
    if os.path.isfile(place):
        if word.endswith(".py"):
            return f"'{shown}' is a script, not a program. Put its interpreter before it: python {shown}."
        here = "" if "/" in word else "./"
        return (
            f"'{shown}' is a file that cannot be executed by that name. Put its interpreter before it, such "
            f"as bash {shown}; or make it executable (chmod +x {shown}) and write {here}{shown}."
        )
    if " " in word.strip():
        words = ", ".join(map(repr, word.split()))
        return f"There is no program '{shown}'. Give its words one by one: [{words}]."
    if "/" in word:
        return f"There is no program '{shown}' in {os.path.dirname(place) or '/'}. Correct its path."
    near = difflib.get_close_matches(word, _programs(searched), n=1, cutoff=0.75)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no program '{shown}' on this machine's PATH.{hint} Install it, or give its path."


def _programs(searched: str) -> set[str]:
    found: set[str] = set()
    for place in searched.split(os.pathsep):
        try:
            found.update(os.listdir(place))
        except OSError:
            continue
    return found


def _check_script(spec: JobSpec, folder: str) -> None:
    given = scripts.given(spec)
    if given is None or "{" in given or os.path.isfile(os.path.join(folder, os.path.expanduser(given))):
        return
    place = Path(os.path.abspath(os.path.join(folder, os.path.expanduser(given))))
    there = [one.name for one in place.parent.glob("*.py")] if place.parent.is_dir() else []
    near = difflib.get_close_matches(place.name, there, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise InvalidInput(
        f"There is no script '{given[:80]}' in {folder}.{hint} Correct its path.", code="script_not_found"
    )
