"""Quotas and notebook servers: the hub asks before it starts one and tells of its end.

The service also looks which there are: of those that it was told nothing about.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from jupyter_blueno.api.notebooks import AdmitNotebook, admit_notebook
from jupyter_blueno.client.transport import TEAM_HEADER, Http
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import BluenoError, Conflict
from jupyter_blueno.hub.tokens import of_the_hub
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.shapes import PodObject, quantity
from jupyter_blueno.jobs.quotas import notebooks
from jupyter_blueno.jobs.quotas.model import Amounts, Quotas, TeamQuota
from jupyter_blueno.jobs.quotas.notebooks import Seen

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

MARK = "blueno.dev/"  # of the annotations by which a notebook's pod is known
COMPONENT = "notebook"
PERIOD = 15.0  # seconds between looks at the pods of notebooks
PATIENCE = 20.0  # seconds that the service may take to answer the hub
ENDED = "/hub/notebooks/ended"  # below the service's prefix

log = logging.getLogger("jupyterhub")


class NoRoom(web.HTTPError):
    """A notebook server is not started. Of an HTTP error, the hub tells the person what it says."""

    def __init__(self, message: str) -> None:
        super().__init__(409, message)
        self.jupyterhub_message = message


async def admit(
    spawner: Any, pod: Any, team: str, profile: str, service_url: str, quotas: Quotas, rescue: bool = False
) -> Any:
    """Have the pod of a notebook server counted, and marked with whose it is.

    Raises
    ------
    NoRoom
        If the quota of the team or person has no room for it.
    """
    owner, server = spawner.user.name, spawner.name
    amounts = _sum(
        (one.resources.requests or {}, one.resources.limits or {})
        for one in pod.spec.containers
        if one.resources is not None
    )
    marks = {"team": team, "owner": owner, "server": server, "profile": profile}
    pod.metadata.annotations = {
        **(pod.metadata.annotations or {}),
        **{f"{MARK}{name}": value for name, value in marks.items()},
    }
    await ask(spawner, team, profile, amounts, service_url, quotas, rescue)
    return pod


async def ask(
    spawner: Any,
    team: str,
    profile: str,
    amounts: Amounts,
    service_url: str,
    quotas: Quotas,
    rescue: bool = False,
) -> None:
    """Have a notebook server counted; a `rescue` is one in which a person makes room.

    Raises
    ------
    NoRoom
        If the quota of the team or person has no room for it.
    """
    wanted = AdmitNotebook(spawner.name, profile, amounts.cpu, amounts.memory, int(amounts.gpu), rescue)
    service = Http(service_url, spawner.api_token, PATIENCE, {TEAM_HEADER: team})
    try:
        await asyncio.to_thread(service.call, admit_notebook, wanted)
    except Conflict as error:
        what = "" if error.code == "storage_full" else " Stop something, choose a smaller profile, or wait."
        raise NoRoom(error.message + what) from None
    except BluenoError as error:
        log.warning("Whether there is room for a notebook of %s cannot be said: %s", spawner.user.name, error)
        if quotas.of(team) != TeamQuota():
            raise NoRoom(
                "Whether the quota of your team has room cannot be said now: Blueno's service does not "
                "answer. Try again in a minute."
            ) from None


class Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A notebook server that is over, or did not start. `server` is its name, of several of a person."""

    owner: str
    server: str


async def tell_ended(spawner: Any, service_url: str, token: str) -> None:
    """Say that a notebook server is over; its own token died with it.

    Where the service does not answer, it sees by itself later that there is no such pod.
    """
    asked = HTTPRequest(
        service_url + ENDED,
        "POST",
        {"Authorization": f"token {of_the_hub(token)}"},
        msgspec.json.encode(Ended(spawner.user.name, spawner.name)),
        connect_timeout=PATIENCE / 4,
        request_timeout=PATIENCE / 4,
    )
    try:
        await AsyncHTTPClient().fetch(asked)
    except (HTTPClientError, OSError) as error:
        log.warning("That a notebook of %s is over could not be told: %s", spawner.user.name, error)


class Notebooks:
    """Looks which notebook servers there are, as the cluster has them."""

    def __init__(self, database: Database, access: Access, namespace: str) -> None:
        self.database, self.access = database, access
        self.path = f"/api/v1/namespaces/{namespace}/pods"

    @classmethod
    def of(cls, config: Config, database: Database) -> Notebooks | None:
        if config.jobs_backend != "kubernetes":
            return None
        return cls(database, Access(), config.jobs_namespace)

    def look(self) -> None:
        """Bring what is written down to what there is; where the cluster does not answer, another time."""
        selector = [("labelSelector", f"app.kubernetes.io/component={COMPONENT}")]
        try:
            pods, _ = self.access.every(self.path, PodObject, selector)
        except (Refused, Unreachable) as error:
            log.info("The notebooks cannot be looked at now: %s", error)
            return
        notebooks.settle(self.database, [seen for pod in pods if (seen := _seen(pod)) is not None])


def _seen(pod: PodObject) -> Seen | None:
    marks, since = pod.metadata.annotations, pod.metadata.creation_timestamp
    if pod.status.phase in ("Succeeded", "Failed") or since is None or f"{MARK}owner" not in marks:
        return None
    amounts = _sum((one.resources.requests, one.resources.limits) for one in pod.spec.containers)
    team, owner, server, profile = (
        marks.get(MARK + name, "") for name in ("team", "owner", "server", "profile")
    )
    return Seen(team, owner, server, profile, amounts, since)


def _sum(containers: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Amounts:
    """What containers are promised: what they request, and where they request nothing, their limit."""
    total = Amounts()
    for requests, limits in containers:
        wants = {**limits, **requests}
        gpus = sum(quantity(str(value)) for name, value in wants.items() if name.endswith("/gpu"))
        total = total.plus(
            Amounts(quantity(str(wants.get("cpu", 0))), quantity(str(wants.get("memory", 0))), gpus)
        )
    return total
