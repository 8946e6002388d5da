"""`blueno.secret`: the team's secrets, where they are used."""

from __future__ import annotations

import os

from jupyter_blueno.config import Config
from jupyter_blueno.errors import NotFound
from jupyter_blueno.vault.model import check_name


def secret(name: str) -> str:
    """A secret of the team: a token or password that was set in the panel or by ``blueno secrets --set``.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Its value. A job has those of its option `secrets` as variables of its
        environment, too.

    Raises
    ------
    InvalidInput
        If nothing can have this name.
    NotFound
        If there is none; a new one takes up to two minutes to come into a
        notebook of a hub.
    """
    check_name(name)
    try:
        return (Config().secrets_path / name).read_text(encoding="utf-8")
    except OSError:
        if name in os.environ:
            return os.environ[name]
    raise NotFound(
        f"There is no secret {name!r} here. Set it in the panel under Secrets, or with `blueno secrets --set "
        f"{name}`; in a hub's notebook it takes a minute or two to come.",
        code="secret_not_found",
    )
