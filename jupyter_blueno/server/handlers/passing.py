"""Passing requests on to a server of somebody else's, and its answers back, piece by piece."""

from __future__ import annotations

import asyncio
import html
import http.client
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlencode

from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_blueno.errors import BluenoError
from jupyter_blueno.tracking.companion import Companion

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
threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="blueno-companion")

WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>{refresh}
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 14px system-ui, sans-serif; display: grid; place-items: center; height: 90vh; margin: 0 }}
  main {{ max-width: 40em; padding: 0 1em; text-align: center }}
</style></head>
<body><main><p role="status">{sentence}</p>{link}</main></body></html>
"""


class Passing(web.RequestHandler):
    """What it is mixed into says who may ask."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    address = ""  # of what is served, before the path that is asked for there

    @property
    def content(self) -> bytes:
        """The body of the request."""
        return self.request.body

    async def bring(self, companion: Companion, path: str) -> None:
        """Answer with what a companion says at `path`; while it starts, its first page says so."""
        loop = asyncio.get_running_loop()
        running = await loop.run_in_executor(threads, lambda: companion.state == "running")
        if not running and path == "/" and self.request.method == "GET":
            self._say(companion)
            return
        try:
            if not running:
                await loop.run_in_executor(threads, companion.ready)
            await self.pass_on(companion.connect, path, {"Host": "localhost"})
        except BluenoError as error:
            self.set_status(503)
            self.finish(error.message)
        except StreamClosedError:
            pass  # whoever asked went away
        except (OSError, http.client.HTTPException):
            self.set_status(502)
            self.finish(f"{companion.name} went away; load the page again.")

    def _say(self, companion: Companion) -> None:
        """A page that comes back by itself; after a failure the next try is a click."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
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

    async def pass_on(
        self, connect: Callable[[], http.client.HTTPConnection], path: str, headers: Mapping[str, str]
    ) -> None:
        """Ask for `path` over a new connection, with these headers besides, and answer with the answer."""
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(threads, connect)
        try:
            answer = await loop.run_in_executor(threads, self._ask, connection, path, headers)
            self.set_status(answer.status, answer.reason)
            self._take_headers(answer)
            while piece := await loop.run_in_executor(threads, answer.read1, PIECE):
                self.write(piece)
                await self.flush()  # a slow reader slows the other side, not our memory
            self.finish()
        finally:
            connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, path: str, more: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        request = self.request
        query = urlencode([pair for pair in parse_qsl(request.query, True) if pair[0] != "token"])
        headers = {
            name: value
            for name, value in request.headers.get_all()
            if name.lower() not in KEPT_BACK | PRIVATE
        }
        headers |= {"Connection": "close", **more}
        body = self.content if request.method not in ("GET", "HEAD") else None
        connection.request(request.method or "GET", path + (f"?{query}" if query else ""), body, headers)
        return connection.getresponse()

    def _take_headers(self, answer: http.client.HTTPResponse) -> None:
        ours = {"server", "date", "set-cookie", "x-frame-options", "access-control-allow-origin"}
        ours |= {"x-content-type-options"}
        self.clear_header("Content-Type")
        for name, value in answer.getheaders():
            if name.lower() in KEPT_BACK | ours:
                continue
            if name.lower() == "location" and value.startswith("/"):
                value = self.address + value
            self.add_header(name, value)
