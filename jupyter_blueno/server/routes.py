"""The route table, made from the operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tornado import web

from jupyter_blueno.api.operation import PREFIX, Operation, operations
from jupyter_blueno.server.forwarding import ForwardingHandler
from jupyter_blueno.server.handlers.changes import ChangesHandler
from jupyter_blueno.server.handlers.document import DocumentHandler
from jupyter_blueno.server.handlers.operation import OperationHandler

Handler = type[web.RequestHandler]
Route = tuple[str, Handler, dict[str, Any]]

CHANGES = "/changes"  # waits for something to change


def table(handler: Callable[[str], Handler], unknown: Handler) -> list[Route]:
    """One entry a path: pattern, handler, and the operations of its methods.

    Parameters
    ----------
    handler : callable
        From the path of operations to what serves them.
    unknown : type
        What says, with our body, that there is no such path.
    """
    by_path: dict[str, dict[str, Operation[Any, Any]]] = {}
    for one in operations():
        by_path.setdefault(one.path, {})[one.method] = one
    routes: list[Route] = []
    for path, methods in by_path.items():
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
        routes.append((PREFIX + pattern, handler(path), {"methods": methods}))
    return [*routes, (f"{PREFIX}/.*", unknown, {})]


def routes(forwarding: bool = False) -> list[Route]:
    """The routes of a Jupyter server; `forwarding`: of one that belongs to a hub."""

    def handler(path: str) -> Handler:
        if forwarding:
            return ForwardingHandler
        return ChangesHandler if path == CHANGES else OperationHandler

    return [(f"{PREFIX}/openapi.json", DocumentHandler, {}), *table(handler, OperationHandler)]
