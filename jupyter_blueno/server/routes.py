"""The route table, made from the operations."""

from __future__ import annotations

import re
from typing import Any

from jupyter_blueno.api.operation import PREFIX, Operation, operations
from jupyter_blueno.server.handlers.changes import ChangesHandler
from jupyter_blueno.server.handlers.document import DocumentHandler
from jupyter_blueno.server.handlers.operation import OperationHandler

_SPECIAL = {"/changes": ChangesHandler}  # waits for something to change


def routes() -> list[tuple[str, type[OperationHandler] | type[DocumentHandler], dict[str, Any]]]:
    """One entry a path: pattern, handler, and the operations of its methods."""
    by_path: dict[str, dict[str, Operation[Any, Any]]] = {}
    for one in operations():
        by_path.setdefault(one.path, {})[one.method] = one
    table: list[Any] = [(f"{PREFIX}/openapi.json", DocumentHandler, {})]
    for path, methods in by_path.items():
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
        table.append((PREFIX + pattern, _SPECIAL.get(path, OperationHandler), {"methods": methods}))
    table.append((f"{PREFIX}/.*", OperationHandler, {}))  # the rest is an error with our body
    return table
