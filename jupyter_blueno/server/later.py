"""Routes that are made when a request needs them: what serves them takes a third of a second to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Router, Rule

Routes = list[tuple[Any, ...]]


class Later(Router):
    """Adds routes to a server at the first request for one of them.

    It serves nothing itself: who routes a request looks on, and finds the new ones.
    """

    SUPPORTED_METHODS = ()  # Jupyter asks each target of a route whether its methods ask who is there

    def __init__(self, add: Callable[[], None]) -> None:
        self._add: Callable[[], None] | None = add

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> None:
        add, self._add = self._add, None
        if add is not None:
            add()


def add_later(app: Any, pattern: str, routes: Callable[[], Routes]) -> None:
    """Let a Jupyter server have `routes` from the first request on whose path matches `pattern`.

    Parameters
    ----------
    app : jupyter_server.serverapp.ServerWebApplication
    pattern : str
        Like the routes' own, below the server's base URL.
    routes : callable
        Called once; of each route the pattern, the handler, and if it takes any, its arguments.
    """
    base = app.settings["base_url"]

    def add() -> None:
        app.add_handlers(".*$", [(url_path_join(base, one[0]), *one[1:]) for one in routes()])

    app.add_handlers(".*$", [Rule(PathMatches(url_path_join(base, pattern)), Later(add))])
