"""In a hub's notebook server: what needs the database is answered by the hub's service."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from jupyter_blueno.api.operation import PREFIX, Operation
from jupyter_blueno.client.transport import TEAM_HEADER, Http
from jupyter_blueno.config import Config
from jupyter_blueno.server.handlers.operation import OperationHandler

LONGEST = 600.0  # seconds: a big snapshot is written
AT_ONCE = 64
KEPT = ("Content-Type", "Retry-After", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options")


@dataclass(frozen=True)
class Behind:
    """The service, and as whom this server asks it.

    A notebook server is one person's: whoever else the hub lets in is not
    served in their name.
    """

    url: str
    token: str
    user: str
    team: str

    @classmethod
    def of(cls, config: Config) -> Behind:
        """As the hub's environment says."""
        return cls(
            config.service_url.rstrip("/"),
            os.environ.get("JUPYTERHUB_API_TOKEN", ""),
            os.environ.get("JUPYTERHUB_USER", config.user),
            config.team,
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}", TEAM_HEADER: self.team}

    @property
    def transport(self) -> Http:
        return Http(self.url, self.token, headers={TEAM_HEADER: self.team})

    def __repr__(self) -> str:
        return f"Behind({self.url!r})"  # the token stays out of logs


class ForwardingHandler(OperationHandler):
    """Serves what is local, and passes the rest on as it is."""

    async def serve(self, method: str, path: dict[str, str]) -> None:
        behind: Behind = self.settings["blueno_behind"]
        if getattr(self.current_user, "username", None) != behind.user:
            self.problem(403, "not_yours", f"This is the notebook server of {behind.user}. Open your own.")
            return
        operation = self.methods.get(method)
        if operation is None or operation.local:
            await super().serve(method, path)
        elif await self.may(operation):
            await self.forward(behind, operation)
        else:
            self.send_error(403)

    async def forward(self, behind: Behind, operation: Operation[Any, Any]) -> None:
        """Have the service answer."""
        address = self.request.path[self.request.path.index(PREFIX) :]
        query = f"?{self.request.query}" if self.request.query else ""
        headers = {
            **behind.headers,
            "Content-Type": self.request.headers.get("Content-Type", "application/json"),
        }
        request = HTTPRequest(
            behind.url + address + query,
            operation.method,
            headers,
            self.request.body if operation.method in {"POST", "PUT", "PATCH"} else None,
            request_timeout=LONGEST,
            connect_timeout=5.0,
        )
        try:
            answer = await AsyncHTTPClient(max_clients=AT_ONCE).fetch(request, raise_error=False)
            trouble = answer.error if answer.code == 599 else None
        except OSError as error:
            trouble = error
        if trouble is not None:
            self.problem(
                503,
                "service_unreachable",
                f"The hub's service does not answer ({trouble}). Your kernels and jobs go on; try again in a "
                "moment.",
            )
            return
        self.set_status(answer.code)
        for name, value in answer.headers.items():
            if name in KEPT or name.startswith("X-Blueno-"):
                self.set_header(name, value)
        self.finish(answer.body)
