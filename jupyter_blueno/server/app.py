"""The server extension: Blueno in every user's Jupyter server."""

from __future__ import annotations

import threading
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.config import Config

_WARMING_DELAY = 3.0  # seconds


class BluenoExtension(ExtensionApp):
    """Serves `/blueno/api` and keeps an eye on the jobs."""

    name = "jupyter_blueno"
    extension_url = "/lab"
    load_other_extensions = True
    classes = [Config]

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        config = Config(parent=self)
        config.roots = [*config.roots, self.serverapp.root_dir]
        platform = Platform(config)
        self.settings["blueno_platform"] = platform
        decoders = platform.decoders
        # Once the server is up: starting them takes the processor for a moment.
        warming = threading.Thread(target=decoders.start, name="blueno-decoders", daemon=True)
        self.serverapp.io_loop.call_later(_WARMING_DELAY, warming.start)
        self.settings["blueno_context"] = lambda user: Context(platform, User(config.user, config.team))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        self.settings["blueno_platform"].jobs.start_monitor()

    def initialize_handlers(self) -> None:
        from jupyter_blueno.server.routes import routes

        self.handlers.extend(routes())

    async def stop_extension(self) -> None:
        platform: Any = self.settings.get("blueno_platform")
        if platform is not None:
            platform.close()
