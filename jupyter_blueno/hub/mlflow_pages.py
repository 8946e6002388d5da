"""MLflow of a team, for its people and jobs, behind the service's own sign-in."""

from __future__ import annotations

import json
from typing import Any

from tornado import web

from jupyter_blueno.hub.handlers import ServiceHandler
from jupyter_blueno.server.handlers.passing import Passing
from jupyter_blueno.tracking.companion import Companion


@web.stream_request_body
class MlflowHandler(Passing, ServiceHandler):
    """Passes on what somebody asks, to the server of the team in whose name they ask."""

    @property
    def content(self) -> bytes:
        return b"".join(self._pieces)

    @web.authenticated
    async def ask(self, path: str) -> None:
        if chooses_place(self.content):
            self.problem(
                403,
                "place_not_yours",
                "Beside a hub, files of runs lie in the team's folder. Leave artifact_location out.",
            )
            return
        await self.bring(await self.in_thread(self._companion), path)

    get = head = post = put = patch = delete = ask

    def _companion(self) -> Companion:
        assert self.user is not None
        platform = self.teams.platform(self.user.team)
        platform.mirror  # noqa: B018 - once it is made, it follows
        return platform.mlflow


def chooses_place(body: bytes) -> bool:
    """Whether a request says where files should lie: MLflow would read there in the server's name."""
    try:
        asked: Any = json.loads(body or b"{}")
        while isinstance(asked, str):  # MLflow reads JSON in JSON, too
            asked = json.loads(asked)
    except (ValueError, RecursionError):
        return False
    names = asked if isinstance(asked, dict) else ()
    return any(name.replace("_", "").lower() == "artifactlocation" and asked[name] for name in names)
