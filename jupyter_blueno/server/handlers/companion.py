"""Pages of companions (`tracking/companion.py`) behind Jupyter's own port and sign-in."""

from __future__ import annotations

import asyncio
import html
import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_blueno.errors import BluenoError
from jupyter_blueno.tracking.companion import Companion

PATH = "/blueno"
PIECE = 1 << 16  # bytes read at a time
# Of the connection, not of the message; and what says who the user is, which is nobody else's business.
KEPT_BACK = {
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authorization",
}
PRIVATE = {"host", "cookie", "authorization", "origin", "referer", "x-xsrftoken", "content-length"}

# Each waits for an answer that may be long in coming: not among those of the operations.
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="blueno-companion")

WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>{refresh}
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 14px system-ui, sans-serif; display: grid; place-items: center; height: 90vh; margin: 0 }}
  main {{ max-width: 40em; padding: 0 1em; text-align: center }}
</style></head>
<body><main><p role="status">{sentence}</p>{link}</main></body></html>
"""


class CompanionHandler(JupyterHandler):
    """Passes requests on; while the companion starts, a page says so."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    resource = ""  # that is authorised; default: the companion's name

    def companion(self, name: str) -> Companion:
        """The one of this name."""
        found: Companion = getattr(self.settings["blueno_platform"], name)
        return found

    def check_xsrf_cookie(self) -> None:
        """Its pages know nothing of Jupyter's cookie: what they send must come from here."""
        origin = urlsplit(self.request.headers.get("Origin", ""))
        if not origin.netloc or origin.netloc != self.request.headers.get("Host"):
            super().check_xsrf_cookie()

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
        companion = self.companion(name)
        companion.base_url = f"{self.request.protocol}://{self.request.host}{self.base_url}"
        loop = asyncio.get_running_loop()
        if name == "mlflow" and companion.state == "stopped":
            await loop.run_in_executor(_threads, lambda: self.settings["blueno_platform"].mirror)
        running = await loop.run_in_executor(_threads, lambda: companion.state == "running")
        if not running and path == "/" and self.request.method == "GET":
            self._say(companion)
            return
        try:
            if not running:
                await loop.run_in_executor(_threads, companion.ready)
            await self._pass_on(companion)
        except BluenoError as error:
            self.set_status(503)
            self.finish(error.message)
        except StreamClosedError:
            pass  # whoever asked went away
        except (OSError, http.client.HTTPException):
            self.set_status(502)
            self.finish(f"{companion.name} went away; load the page again.")

    get = head = post = put = patch = delete = serve

    def _say(self, companion: Companion) -> None:
        """A page that comes back by itself; after a failure the next try is a click."""
        self.set_header("Cache-Control", "no-store")
        again = self.get_query_argument("again", "")
        if companion.state == "failed" and not again:
            self.set_status(503)
            self.finish(
                WAITING.format(
                    name=companion.name,
                    refresh="",
                    sentence=html.escape(companion.trouble or ""),
                    link='<p><a href="?again=1">Try again</a></p>',
                )
            )
            return
        companion.begin()
        sentence = f"{companion.name} is starting … {companion.waited:.0f} s"
        refresh = '<meta http-equiv="refresh" content="1;url=?">'
        self.finish(WAITING.format(name=companion.name, refresh=refresh, sentence=sentence, link=""))

    async def _pass_on(self, companion: Companion) -> None:
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(_threads, companion.connect)
        try:
            answer = await loop.run_in_executor(_threads, self._ask, connection)
            self.set_status(answer.status, answer.reason)
            self._take_headers(answer)
            while piece := await loop.run_in_executor(_threads, answer.read1, PIECE):
                self.write(piece)
                await self.flush()  # a slow reader slows the companion, not our memory
            self.finish()
        finally:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        request = self.request
        path = request.path.split(f"{PATH}/{self.path_args[0]}", 1)[1]
        query = urlencode([pair for pair in parse_qsl(request.query, True) if pair[0] != "token"])
        headers = {
            name: value
            for name, value in request.headers.get_all()
            if name.lower() not in KEPT_BACK | PRIVATE
        }
        headers |= {"Host": "localhost", "Connection": "close"}
        body = request.body if request.method not in ("GET", "HEAD") else None
        connection.request(request.method or "GET", path + (f"?{query}" if query else ""), body, headers)
        return connection.getresponse()

    def _take_headers(self, answer: http.client.HTTPResponse) -> None:
        ours = {"server", "date", "set-cookie", "x-frame-options", "access-control-allow-origin"}
        self.clear_header("Content-Type")
        for name, value in answer.getheaders():
            if name.lower() in KEPT_BACK | ours:
                continue
            if name.lower() == "location" and value.startswith("/"):
                value = f"{self.base_url.rstrip('/')}{PATH}/{self.path_args[0]}{value}"
            self.add_header(name, value)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish(http.client.responses.get(status_code, "error"))


class BoardHandler(CompanionHandler):
    """TensorBoards: one for each set of jobs."""

    resource = "jobs"

    def companion(self, name: str) -> Companion:
        try:
            found: Companion = self.settings["blueno_platform"].boards.get(name.partition("/")[2])
        except BluenoError as error:
            raise web.HTTPError(404, error.message) from None
        return found

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        said = error.log_message if isinstance(error, web.HTTPError) else None
        self.finish(said or http.client.responses.get(status_code, "error"))
