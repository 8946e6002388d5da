"""The service of a hub: the operations of Blueno, for people whom the hub knows."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubAuth
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from traitlets import Int, Unicode, default
from traitlets.config import Application

from jupyter_blueno._version import __version__
from jupyter_blueno.api.departures import go_on
from jupyter_blueno.config import Config
from jupyter_blueno.database.audit import forget
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.hub import admission
from jupyter_blueno.hub.admission import PERIOD as LOOK
from jupyter_blueno.hub.directory import HubDirectory
from jupyter_blueno.hub.handlers import BODY_LIMIT, EndedHandler, ServiceChanges, ServiceHandler
from jupyter_blueno.hub.mlflow_pages import MlflowHandler
from jupyter_blueno.hub.people import People
from jupyter_blueno.hub.rates import Rates
from jupyter_blueno.hub.teams import Teams
from jupyter_blueno.hub.tokens import JobTokens, of_the_hub
from jupyter_blueno.server.routes import CHANGES, Handler, table
from jupyter_blueno.tracking.mlflow import PAGES

PER_MINUTE = 3000  # requests of a person, or of a job
STRANGERS = 600  # and of those, from one address, whose token is not good
LEAVING = 20.0  # seconds between looks at those who are leaving
FORGET = 3600.0  # seconds between looks for what is too old to be kept


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

    believed = Int(
        help="Seconds for which a token that was good is believed to be so (BLUENO_BELIEVED, default: 30)."
    ).tag(config=True)
    requests_per_minute = Int(
        PER_MINUTE, help="How many requests a person, or a job, may send in a minute; 0 is any number."
    ).tag(config=True)
    guesses_per_minute = Int(
        STRANGERS,
        help="How many requests with tokens that are not good may come from one address in a minute.",
    ).tag(config=True)
    audit_days = Int(help="How long it is kept who did what (BLUENO_AUDIT_DAYS, default 365).").tag(
        config=True
    )

    @default("audit_days")
    def _default_audit_days(self) -> int:
        return int(os.environ.get("BLUENO_AUDIT_DAYS") or 365)

    @default("volume")
    def _default_volume(self) -> str:
        return os.environ.get("BLUENO_VOLUME") or "/blueno"

    @default("default_team")
    def _default_default_team(self) -> str:
        return os.environ.get("BLUENO_DEFAULT_TEAM") or "team"

    @default("believed")
    def _default_believed(self) -> int:
        return int(os.environ.get("BLUENO_BELIEVED") or 30)

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
        # The loop waits for threads that compute; Python lets each have 5 ms.
        sys.setswitchinterval(0.0005)
        auth = HubAuth(parent=self, cache_max_age=self.believed)
        teams = Teams(
            Config(parent=self, home=self.volume, service_url="", datasets=f"{self.volume}/datasets"),
            self.url,
            JobTokens(auth.api_token),
            HubDirectory(auth.api_url, auth.api_token),
            self.default_team,
            f"{auth.hub_host}{auth.hub_prefix}user-redirect/",
        )
        server = HTTPServer(self.application(teams, auth), max_buffer_size=BODY_LIMIT, xheaders=True)
        host, _, port = self.listen.rpartition(":")
        server.listen(int(port), host or "0.0.0.0")
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._take_up, teams)
        old = PeriodicCallback(lambda: loop.run_in_executor(None, self._forget, teams), FORGET * 1000)
        old.start()
        seen = PeriodicCallback(lambda: loop.run_in_executor(None, self._look, teams), LOOK * 1000)
        seen.start()
        leaving = PeriodicCallback(lambda: loop.run_in_executor(None, self._let_go, teams), LEAVING * 1000)
        leaving.start()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        gc.freeze()  # what is here stays: a walk through it takes 0.1 s
        self.log.info("Blueno %s serves %s on %s", __version__, self.url, self.listen)
        await ended.wait()
        old.stop()
        seen.stop()
        leaving.stop()
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
        rates = {"known": Rates(self.requests_per_minute), "strangers": Rates(self.guesses_per_minute)}
        return web.Application(
            [
                *routes,
                (f"{prefix}{PAGES}(/.*)", MlflowHandler),
                (f"{prefix}/health", Health),
                (prefix + admission.ENDED, EndedHandler),
            ],
            teams=teams,
            people=people,
            rates=rates,
            of_the_hub=of_the_hub(auth.api_token),
        )

    def _forget(self, teams: Teams) -> None:
        """Forget acts that are too old."""
        try:
            forget(teams.database.of_everybody, self.audit_days)
        except BluenoError as error:
            self.log.warning("Old acts: %s", error)

    def _look(self, teams: Teams) -> None:
        """Look which notebook servers there are."""
        try:
            teams.look_at_notebooks()
        except BluenoError as error:
            self.log.warning("The notebooks: %s", error)

    def _let_go(self, teams: Teams) -> None:
        """Go on with those who are leaving, also when nobody asks."""
        try:
            for trouble in go_on(teams.hub):
                self.log.warning("Somebody leaves, %s", trouble)
        except BluenoError as error:
            self.log.warning("People who leave: %s", error)

    def _take_up(self, teams: Teams) -> None:
        """Follow the jobs of every team, also of those of which nobody asks anything now."""
        for team in teams.known():
            try:
                teams.platform(team)
            except (BluenoError, OSError) as error:
                self.log.warning("The team %s: %s", team, error)
