"""The OpenAPI document."""

from __future__ import annotations

import json

from jupyter_server.base.handlers import APIHandler
from tornado import web

from jupyter_blueno.server.openapi import document


class DocumentHandler(APIHandler):
    """Serves the contract to those who are signed in."""

    @web.authenticated
    def get(self) -> None:
        self.finish(json.dumps(document()))
