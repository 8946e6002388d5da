"""The address that `blueno lab` opens."""

from __future__ import annotations

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
