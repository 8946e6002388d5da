"""A cell of a running notebook as a job: what its button in Lab and ``%%blueno run`` take of the kernel."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.api import jobs as api
from jupyter_blueno.client import session
from jupyter_blueno.client.submit import spec_of_cell
from jupyter_blueno.client.variables import LIMIT, Survey
from jupyter_blueno.jobs.model import Origin
from jupyter_blueno.jobs.sending.names import undefined

MIME = "application/vnd.blueno.pressed+json"


class Needs:
    """What a cell needs of a kernel.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    source : str
        As in the notebook, with magics.
    limit : int
        Bytes that may travel; 0: nothing is looked at but whether names are defined.
    without : collection of str
        Names that are not to travel.

    Attributes
    ----------
    surely, perhaps : list of str
        Names that are defined nowhere; see `undefined`.
    survey : Survey
    """

    def __init__(self, shell: Any, source: str, limit: int = LIMIT, without: Collection[str] = ()) -> None:
        text = shell.transform_cell(source)
        own = shell.user_ns_hidden
        if isinstance(own, dict):  # one of the kernel's own that was given another value is the user's
            own = {name for name, value in own.items() if shell.user_ns.get(name) is value}
        self.surely, self.perhaps = undefined(text, shell.user_ns)
        self.survey = Survey(text if limit else "", shell.user_ns, limit, {*own, *without})

    def warning(self) -> str | None:
        """A sentence about names that may be missed."""
        if not self.perhaps:
            return None
        names = f"{listed(self.perhaps)} {is_are(self.perhaps)}"
        return f"{names} defined nowhere; should the cell come to that, it fails."

    def missing(self) -> str | None:
        """A sentence about names over which the cell stumbles whatever happens."""
        if not self.surely:
            return None
        return (
            f"The cell uses {listed(self.surely)}, which {is_are(self.surely)} defined neither in it nor in "
            "this notebook's kernel. Run the cell that does so first, or correct the spelling."
        )


class Pressed:
    """The answer to Lab, which asks by an expression: the display of this object."""

    def __init__(self, **said: Any) -> None:
        self.said = said

    def __repr__(self) -> str:
        return json.dumps(self.said)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {MIME: self.said}


def press(asked: str) -> Pressed:
    """Start a cell as a job, with what it needs of this kernel; Lab's button calls it in the kernel.

    Nothing of the user's namespace is changed, and nothing printed.

    Parameters
    ----------
    asked : str
        JSON: `id`, `name`, `source`, `folder` and `origin` of the job; `without`, names to
        leave behind; with `anyway` it starts although names are missing.

    Returns
    -------
    Pressed
        ``job`` (its id) and ``said`` about what it took along; or, where nothing was
        started, ``refused`` (pairs of name and sentence), ``missing`` or ``error``
        (a sentence).
    """
    from IPython.core.getipython import get_ipython

    ask = json.loads(asked)
    try:
        needs = Needs(get_ipython(), ask["source"], LIMIT, ask["without"])
        missing = needs.missing()
        if missing and not ask["anyway"]:
            return Pressed(missing=missing)
        if needs.survey.refused:
            return Pressed(refused=list(needs.survey.refused.items()))
        taken = needs.survey.taken()
        spec = spec_of_cell(ask["source"], taken, Origin(**ask["origin"]), {})
        job = session.call(api.submit_job, api.SubmitJob(ask["id"], ask["name"], spec))
    except errors.BluenoError as error:
        return Pressed(error=error.message)
    said = [str(taken)] if taken.sizes else []
    if ask["without"]:
        said.append(f"Left behind: {', '.join(ask['without'])}.")
    said += [words for words in (needs.warning(),) if words]
    return Pressed(job=job.id, said="\n".join(said))


def listed(names: Iterable[str]) -> str:
    """``a, b and c``; of many the first."""
    names = list(names)
    shown = names[:8] + ([f"{len(names) - 8} more"] if len(names) > 8 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def is_are(names: list[str]) -> str:
    """The verb after `listed`."""
    return "is" if len(names) == 1 else "are"
