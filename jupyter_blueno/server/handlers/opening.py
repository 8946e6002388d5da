"""The address that `blueno lab` opens, and that a hub leads people to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

PATH = "/blueno/open"


class OpeningHandler(JupyterHandler):
    """Leads ``/blueno/open/lab/…`` to ``/lab/…`` with the panel in view.

    Jupyter prints its first page with ``?token=`` behind it, so that page
    cannot have a query of its own.
    """

    @web.authenticated
    def get(self) -> None:
        page = self.request.path.partition(PATH)[2]
        self.redirect(url_path_join(self.base_url, page) + "?blueno-panel")


class WelcomeHandler(JupyterHandler):
    """Leads ``/blueno/open`` to the notebook to begin with, the first time; later to Lab as it was left."""

    @web.authenticated
    async def get(self) -> None:
        from jupyter_blueno.api import starters

        config = self.settings["blueno_platform"].config
        shared = Path(config.roots[0]) if config.service_url else None
        page = "/lab"
        try:
            loop = asyncio.get_running_loop()
            root = Path(self.contents_manager.root_dir)
            first = await loop.run_in_executor(None, starters.hand_out, root, shared)
            if first is not None:
                page = f"/lab/tree/{first}"
        except OSError as error:  # a full home is no reason to be kept out
            self.log.warning("The starter notebooks could not be copied: %s", error)
        self.redirect(url_path_join(self.base_url, page) + "?blueno-panel")
