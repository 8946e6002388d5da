"""Pages of companions (`tracking/companion.py`) behind Jupyter's own port and sign-in."""

from __future__ import annotations

import asyncio
import http.client
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_blueno.errors import BluenoError
from jupyter_blueno.server.handlers.passing import Passing, threads
from jupyter_blueno.tracking.companion import Companion

PATH = "/blueno"
PATIENCE = 180.0  # seconds that a service may take to answer: its MLflow may have to start


class CompanionHandler(Passing, JupyterHandler):
    """Passes requests on; while the companion starts, a page says so."""

    resource = ""  # that is authorised; default: the companion's name

    def set_default_headers(self) -> None:
        """Let Lab show its pages in a tab; a hub's servers would be shown in no frame."""
        super().set_default_headers()
        self.set_header("Content-Security-Policy", "frame-ancestors 'self'")

    def companion(self, name: str) -> Companion:
        """The one of this name."""
        found: Companion = getattr(self.settings["blueno_platform"], name)
        return found

    def check_xsrf_cookie(self) -> None:
        """Its pages know nothing of Jupyter's cookie: what they send must come from here."""
        origin = urlsplit(self.request.headers.get("Origin", ""))
        if not origin.netloc or origin.netloc != self.request.headers.get("Host"):
            super().check_xsrf_cookie()

    @property
    def asked_path(self) -> str:
        """What is asked for, as its own server knows it."""
        return self.request.path.split(f"{PATH}/{self.path_args[0]}", 1)[1]

    @web.authenticated
    async def serve(self, name: str, path: str | None) -> None:
        asked = self.authorizer.is_authorized(
            self, self.current_user, "execute", f"blueno:{self.resource or name}"
        )
        if not await ensure_async(asked):
            raise web.HTTPError(403)
        if path is None:
            self.redirect(self.request.path + "/")
            return
        self.address = f"{self.base_url.rstrip('/')}{PATH}/{name}"
        await self.answer(name)

    get = head = post = put = patch = delete = serve

    async def answer(self, name: str) -> None:
        """Answer somebody who may ask."""
        companion = self.companion(name)
        companion.base_url = f"{self.request.protocol}://{self.request.host}{self.base_url}"
        loop = asyncio.get_running_loop()
        if name == "mlflow" and companion.state == "stopped":
            await loop.run_in_executor(threads, lambda: self.settings["blueno_platform"].mirror)
        await self.bring(companion, self.asked_path)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        said = error.log_message if isinstance(error, web.HTTPError) else None
        self.finish(said or http.client.responses.get(status_code, "error"))


class BoardHandler(CompanionHandler):
    """TensorBoards: one for each set of jobs."""

    resource = "jobs"

    def companion(self, name: str) -> Companion:
        try:
            found: Companion = self.settings["blueno_platform"].boards.get(name.partition("/")[2])
        except BluenoError as error:
            raise web.HTTPError(404, error.message) from None
        return found


class BehindHandler(CompanionHandler):
    """In a hub's notebook server: MLflow is the service's, asked in the name of this server's person."""

    async def answer(self, name: str) -> None:
        behind = self.settings["blueno_behind"]
        if getattr(self.current_user, "username", None) != behind.user:
            raise web.HTTPError(403, f"This is the notebook server of {behind.user}. Open your own.")
        service = urlsplit(behind.url)

        def connect() -> http.client.HTTPConnection:
            secure = service.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            return kind(service.netloc, timeout=PATIENCE)

        try:
            await self.pass_on(connect, f"{service.path}{PATH}/{name}{self.asked_path}", behind.headers)
        except StreamClosedError:
            pass  # whoever asked went away
        except (OSError, http.client.HTTPException):
            self.set_status(503)
            self.finish("The hub's service does not answer. Load the page again in a moment.")
