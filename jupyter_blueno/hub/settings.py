"""What a hub's configuration needs so that its users have Blueno.

::

    from jupyter_blueno.hub import settings

    settings.configure(c, service_url="http://blueno:8890/services/blueno", token=...)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_blueno.hub import admission
from jupyter_blueno.hub.accounts import SCOPE, TEMPLATES
from jupyter_blueno.hub.accounts.admission import admitting
from jupyter_blueno.hub.people import is_team, make_team_folder

SERVICE = "blueno"
SCOPES = [f"access:services!service={SERVICE}", "read:users:name!user", "read:users:groups!user"]


def configure(
    c: Any,
    *,
    service_url: str,
    token: str,
    volume: str = "/blueno",
    default_team: str = "team",
    idle_timeout: float = 0,
    command: list[str] | None = None,
    environment: dict[str, str] | None = None,
    jobs_backend: str = "local",
) -> None:
    """Add Blueno to a JupyterHub.

    Parameters
    ----------
    c : Config
        The hub's, as ``get_config()`` gives it. Its `authenticator_class` is set
        before this: what lets invited people in is added to it.
    service_url : str
        Where notebooks and jobs reach the service, with its prefix.
    token : str
        What the service proves itself to the hub by; `openssl rand -hex 32`.
    volume : str
        The shared volume, at the same path everywhere; see `teams.py`.
    default_team : str
        The team of those who are in no group.
    idle_timeout : float
        Seconds after which a notebook server stops in which nothing runs and
        nobody does anything; 0 is never.
    command : list of str, optional
        Have the hub start the service, beside it on one machine; else it is
        started by something else, as on Kubernetes.
    environment : dict of str, optional
        Of a service that the hub starts.
    jobs_backend : str
        Where jobs run, as the service is told: ``local`` or ``kubernetes``.
    """
    origin = urlsplit(service_url)._replace(path="").geturl()
    service: dict[str, Any] = {"name": SERVICE, "api_token": token, "url": origin, "display": False}
    if command is not None:
        told = {"BLUENO_VOLUME": volume, "BLUENO_SERVICE_URL": service_url}
        service |= {"command": command, "environment": told | (environment or {})}
    add(c.JupyterHub, "services", service)
    _admit(c)
    _grant(c)
    _tell_ends(c, service_url, token)

    def team(spawner: Any) -> str:
        """The team of a notebook's person."""
        return team_of([group.name for group in spawner.user.groups], default_team)

    if command is not None and "pre_spawn_hook" not in c.Spawner:  # elsewhere the notebooks' pods make it
        c.Spawner.pre_spawn_hook = lambda spawner: _make_folders(Path(volume), team(spawner))
    given = dict(c.Spawner.environment) if "environment" in c.Spawner else {}
    c.Spawner.environment = {
        **given,
        "BLUENO_SERVICE_URL": service_url,
        "BLUENO_TEAM": team,
        "BLUENO_IDLE_TIMEOUT": str(idle_timeout),
        "BLUENO_JOBS_BACKEND": jobs_backend,
        "BLUENO_HOME": lambda spawner: os.path.join(volume, "teams", team(spawner)),
        "BLUENO_ROOTS": lambda spawner: os.path.join(volume, "shared", team(spawner)),
        "BLUENO_DATASETS": os.path.join(volume, "datasets"),
    }


def _make_folders(volume: Path, team: str) -> None:
    make_team_folder(volume / "shared" / team)
    (volume / "datasets").mkdir(exist_ok=True)


def _admit(c: Any) -> None:
    """Let invited people in and keep those out who left; see `accounts`."""
    chosen = c.JupyterHub.get("authenticator_class", "pam")
    c.JupyterHub.authenticator_class = admitting(chosen)
    c.JupyterHub.custom_scopes = {
        **c.JupyterHub.get("custom_scopes", {}),
        SCOPE: {"description": "Invite people, put them into teams, stop their servers, let them go."},
    }
    add(c.JupyterHub, "template_paths", str(TEMPLATES))
    c.JupyterHub.template_vars = {
        **c.JupyterHub.get("template_vars", {}),
        "blueno_passwords": c.JupyterHub.authenticator_class.sets_passwords,
    }


def _grant(c: Any) -> None:
    """Say what people, their servers and the service may do; their cookies stay on the hub's pages."""
    add(
        c.JupyterHub,
        "load_roles",
        {"name": SERVICE, "services": [SERVICE], "scopes": [SCOPE]},
        # What a person may do, and what the servers do in their name.
        {"name": "user", "scopes": ["self", f"access:services!service={SERVICE}"]},
        {
            "name": "server",
            "scopes": ["users:activity!user", "access:servers!server", "delete:servers!server", *SCOPES],
        },
    )
    # No page of another site sends them; browsers that are not told so differ.
    cookies = c.JupyterHub.setdefault("tornado_settings", {}).setdefault("cookie_options", {})
    cookies.setdefault("SameSite", "Lax")


def _tell_ends(c: Any, service_url: str, token: str) -> None:
    """Have the service know at once when a notebook server is over, after what is done then anyway."""
    also = c.Spawner.get("post_stop_hook")

    async def after(spawner: Any) -> None:
        try:
            if also is not None and (waits := also(spawner)) is not None:
                await waits
        finally:
            await admission.tell_ended(spawner, service_url, token)

    c.Spawner.post_stop_hook = after


def team_of(groups: list[str], default_team: str) -> str:
    """The team that a person's notebook is of."""
    return min(filter(is_team, groups), default=default_team)


def add(section: Any, name: str, *items: Any) -> None:
    """Put items behind those that a list of the hub's settings has already."""
    section[name] = [*section.get(name, []), *items]
