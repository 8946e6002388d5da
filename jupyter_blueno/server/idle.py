"""Stops a Jupyter server that nobody uses, never while work is running.

A hub's culler goes by requests, and Lab makes some as long as a tab is open;
and a kernel that prints nothing does not look busy to it. Here it counts what
people do (`Presence`, told by Lab) and what kernels and terminals are at.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.ioloop import PeriodicCallback

from jupyter_blueno.api.presence import Presence
from jupyter_blueno.jobs.engine import processes

LONGEST, LEAST = 20.0, 0.5  # seconds between looks
OURS = "jupyter_blueno"  # among the sources of what the server tells the hub


class IdleWatch:
    """Looks now and then; stops the server when its time is over."""

    def __init__(self, serverapp: Any, presence: Presence) -> None:
        self.app = serverapp
        self.presence = presence
        times = [one for one in (presence.timeout, presence.gpu_timeout) if one]
        pause = min(LONGEST, max(LEAST, min(times) / 10))
        self._timer = PeriodicCallback(self.look, 1000 * pause)
        self._timer.start()

    def close(self) -> None:
        self._timer.stop()

    async def look(self) -> None:
        """See what is running; stop if nothing has happened for long enough."""
        self.presence.working = self._working()
        if self.presence.working:
            self.presence.seen()
            self.app.web_app.settings["last_activity_times"][OURS] = datetime.now(UTC)
        elif self.presence.left == 0:
            if self.presence.for_gpus:
                spell = self.presence.gpu_timeout
                self.app.log.info("Its GPUs were hardly used for %g s: the server stops.", spell)
            else:
                self.app.log.info("Nothing happened here for %g s: the server stops.", self.presence.timeout)
            await self._stop()

    def _working(self) -> bool:
        working = False
        for kernel in self.app.kernel_manager.list_kernels():
            working |= kernel["execution_state"] == "busy"
            self.presence.seen(_time(kernel["last_activity"]))
        terminals = self.app.web_app.settings.get("terminal_manager")
        for terminal in terminals.terminals.values() if terminals is not None else ():
            working |= bool(processes.descendants(terminal.ptyproc.pid))  # the shell has a command running
            if terminal.last_activity is not None:
                self.presence.seen(terminal.last_activity.timestamp())
        return working

    async def _stop(self) -> None:
        hub = os.environ.get("JUPYTERHUB_API_URL")
        if not hub:
            self.app.stop()
            return
        user, name = os.environ["JUPYTERHUB_USER"], os.environ.get("JUPYTERHUB_SERVER_NAME")
        one = f"servers/{name}" if name else "server"
        headers = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
        asked = HTTPRequest(f"{hub}/users/{user}/{one}", "DELETE", headers, request_timeout=60)
        try:
            await AsyncHTTPClient().fetch(asked)
        except (HTTPClientError, OSError) as error:  # it is asked again at the next look
            self.app.log.warning("The hub did not stop this server: %s", error)


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
