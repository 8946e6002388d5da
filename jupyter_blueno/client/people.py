"""`blueno.whoami` and `blueno.invite`."""

from __future__ import annotations

import os
from urllib.parse import urljoin

from jupyter_blueno.api import people as api
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.client import session

HUB = "JUPYTERHUB_PUBLIC_HUB_URL"  # where the hub is, if its operator said so


def whoami() -> api.Me:
    """Who you are here: name, team and teams, whether you administrate a hub, and your notebook there.

    `of_person` is what you hold of your quota (cores, bytes of memory, GPUs; a bound of None is as much as
    there is), `of_team` what your team does.
    """
    return session.call(api.get_me, Nothing())


def invite(
    person: str | None = None,
    *,
    team: str | None = None,
    times: int = 1,
    days: float = 7,
    admin: bool = False,
) -> str:
    """Make a link that lets people into the hub; for its administrators.

    Parameters
    ----------
    person : str, optional
        The only one who may use it. Who has an account can choose a new
        password by it, where people have passwords of the hub.
    team : str, optional
        The team that they come into; it is made if there is none.
    times : int
        How many people may use it.
    days : float
        How long it is good, at most 365.
    admin : bool
        Whether they become administrators.

    Returns
    -------
    str
        The link, which is told only now; only its path where the hub does not
        know its own address (`hub.publicUrl` of the chart).
    """
    made = session.call(api.invite, api.Invite(team, person, times, days, admin))
    return urljoin(os.environ.get(HUB, ""), made.url)
