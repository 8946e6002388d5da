"""The service of a hub: the operations of Blueno, for people whom the hub knows."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubAuth
from tornado import web
from tornado.httpserver import HTTPServer
from traitlets import Unicode, default
from traitlets.config import Application

from jupyter_blueno._version import __version__
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import User
from jupyter_blueno.client.transport import TEAM_HEADER
from jupyter_blueno.config import Config
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.hub import jobs
from jupyter_blueno.hub.jobs import AsJob
from jupyter_blueno.hub.people import People
from jupyter_blueno.hub.teams import Teams
from jupyter_blueno.hub.tokens import JobTokens
from jupyter_blueno.server.handlers.changes import Waiting
from jupyter_blueno.server.handlers.operation import Serving, status_of
from jupyter_blueno.server.routes import CHANGES, Handler, table

BODY_LIMIT = 512 << 20  # bytes: a function with its data, as a job


class ServiceHandler(Serving):
    """Serves the operations to people with a token of the hub, and to jobs with one of their own.

    There are no cookies here, so nothing that a page could do in somebody's name.
    """

    user: User | None = None
    job: AsJob | None = None

    async def prepare(self) -> None:
        """Find out who asks."""
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        try:
            if kind.lower() in ("token", "bearer"):
                await self.sign_in(token.strip())
        except BluenoError as error:
            self.problem(status_of(error), error.code, error.message)
            return
        if self.user is None:
            self.problem(
                403, "http_403", "The token is missing, out of date, or not for this service. Sign in again."
            )

    async def sign_in(self, token: str) -> None:
        """Set `user`, and `job` if it is one."""
        job_id = self.teams.tokens.job_of(token)
        if job_id is not None:
            self.job = await self.in_thread(jobs.asking, self.teams, job_id)
            self.user = self.job.user if self.job else None
        elif token:
            people: People = self.settings["people"]
            model = await people.who(token)
            if model is not None:
                self.user = people.member(model, self.request.headers.get(TEAM_HEADER))

    async def serve(self, method: str, path: dict[str, str]) -> None:
        operation = self.methods.get(method)
        if operation is not None and operation.local:
            self.problem(
                404,
                "files_elsewhere",
                "The hub's service reads no files that somebody names. Ask this of your notebook server.",
            )
            return
        await super().serve(method, path)

    async def answer(self, operation: Operation[Any, Any], ask: Any) -> Any:
        if self.job is not None:
            await self.in_thread(jobs.check, self.teams, self.job, operation, ask)
        return await super().answer(operation, ask)

    @property
    def teams(self) -> Teams:
        teams: Teams = self.settings["teams"]
        return teams

    def get_current_user(self) -> User | None:
        return self.user

    async def may(self, operation: Operation[Any, Any]) -> bool:
        return True  # what is whose is said by the rooms

    def context(self) -> Context:
        assert self.user is not None
        return self.teams.context(self.user)


class ServiceChanges(Waiting, ServiceHandler):
    """The long poll of the service."""


class Health(web.RequestHandler):
    """Says that the service answers; for probes, which have no token."""

    def get(self) -> None:
        self.finish({"version": __version__})


class BluenoService(Application):
    """The hub's service. It is configured by traitlets and, as hubs do it, by the environment."""

    name = "blueno-service"
    version = __version__
    classes = [Config]
    aliases = {"config": "BluenoService.config_file", "volume": "BluenoService.volume"}

    config_file = Unicode(help="A file of settings.").tag(config=True)
    volume = Unicode(help="The shared volume (BLUENO_VOLUME, default /blueno).").tag(config=True)
    listen = Unicode(help="host:port (default: of JUPYTERHUB_SERVICE_URL).").tag(config=True)
    prefix = Unicode(help="The first part of all paths (JUPYTERHUB_SERVICE_PREFIX).").tag(config=True)
    url = Unicode(help="Where notebooks and jobs reach the service (BLUENO_SERVICE_URL).").tag(config=True)
    default_team = Unicode(
        help="The team of those who are in no group of the hub (BLUENO_DEFAULT_TEAM, default: team)."
    ).tag(config=True)

    @default("volume")
    def _default_volume(self) -> str:
        return os.environ.get("BLUENO_VOLUME") or "/blueno"

    @default("default_team")
    def _default_default_team(self) -> str:
        return os.environ.get("BLUENO_DEFAULT_TEAM") or "team"

    @default("listen")
    def _default_listen(self) -> str:
        return urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", "")).netloc or "0.0.0.0:8890"

    @default("prefix")
    def _default_prefix(self) -> str:
        return os.environ.get("JUPYTERHUB_SERVICE_PREFIX") or "/services/blueno/"

    @default("url")
    def _default_url(self) -> str:
        return os.environ.get("BLUENO_SERVICE_URL") or f"http://{self.listen}{self.prefix.rstrip('/')}"

    def initialize(self, argv: list[str] | None = None) -> None:
        super().initialize(argv)
        if self.config_file:
            self.load_config_file(os.path.basename(self.config_file), os.path.dirname(self.config_file))

    def start(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        """Serve until a signal asks for the end."""
        auth = HubAuth(parent=self)
        teams = Teams(
            Config(parent=self, home=self.volume, service_url=""), self.url, JobTokens(auth.api_token)
        )
        server = HTTPServer(self.application(teams, auth), max_buffer_size=BODY_LIMIT, xheaders=True)
        host, _, port = self.listen.rpartition(":")
        server.listen(int(port), host or "0.0.0.0")
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._take_up, teams)
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        self.log.info("Blueno %s serves %s on %s", __version__, self.url, self.listen)
        await ended.wait()
        server.stop()
        await asyncio.wait_for(server.close_all_connections(), 5)
        await loop.run_in_executor(None, teams.close)

    def application(self, teams: Teams, auth: HubAuth) -> web.Application:
        """The routes."""

        def handler(path: str) -> Handler:
            return ServiceChanges if path == CHANGES else ServiceHandler

        prefix = self.prefix.rstrip("/")
        routes: list[Any] = [
            (f"{prefix}{path}", kind, options) for path, kind, options in table(handler, ServiceHandler)
        ]
        people = People(auth, self.default_team)
        return web.Application([*routes, (f"{prefix}/health", Health)], teams=teams, people=people)

    def _take_up(self, teams: Teams) -> None:
        """Follow the jobs of every team, also of those of which nobody asks anything now."""
        for team in teams.known():
            try:
                teams.platform(team)
            except (BluenoError, OSError) as error:
                self.log.warning("The team %s: %s", team, error)
