"""The server extension: Blueno in every user's Jupyter server."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.config import Config
from jupyter_blueno.server.forwarding import Behind
from jupyter_blueno.server.later import Routes, add_later
from jupyter_blueno.server.upkeep import Upkeep


class BluenoExtension(ExtensionApp):
    """Serves `/blueno/api`, and follows the jobs.

    Costs a starting server next to nothing: whatever is heavy waits for the
    first request.
    """

    name = "jupyter_blueno"
    extension_url = "/lab"
    load_other_extensions = True
    classes = [Config]

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        config = Config(parent=self)
        config.roots = [*config.roots, self.serverapp.root_dir]
        platform = Platform(config)
        platform.fires_schedules = not config.service_url  # from when it is used: see `Upkeep`
        upkeep = Upkeep(platform, self.serverapp.io_loop)
        if config.service_url:
            behind = Behind.of(config)
            here = Context(platform, User(behind.user, behind.team), behind.transport)
            self.settings["blueno_behind"] = behind
        else:
            here = Context(platform, User(config.user, config.team))

        def context(user: Any) -> Context:
            upkeep.begin_soon()
            return here

        if self.serverapp.kernel_spec_manager is not None:
            # Where kernels for the Pythons of jobs are made; the folder need not be there.
            home = os.path.abspath(os.path.expanduser(config.home))
            self.serverapp.kernel_spec_manager.kernel_dirs.append(os.path.join(home, "kernels"))

        self.settings["blueno_platform"] = platform
        self.settings["blueno_upkeep"] = upkeep
        self.settings["blueno_context"] = context

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        self.settings["blueno_upkeep"].begin_latest()
        platform = self.settings["blueno_platform"]
        config, presence = platform.config, platform.presence
        if presence.timeout or presence.gpu_timeout:
            from jupyter_blueno.server.idle import IdleWatch

            self.settings["blueno_idle"] = IdleWatch(serverapp, presence)
        if config.notebook_gpus:
            from jupyter_blueno.server.gpuwatch import GpuWatch

            behind = self.settings.get("blueno_behind")
            call = behind.transport.call if behind is not None else None
            name = os.environ.get("JUPYTERHUB_SERVER_NAME", "")
            watch = GpuWatch(presence, config.gpu_idle_below, call, name, serverapp.log)
            self.settings["blueno_gpus"] = watch

    def initialize_handlers(self) -> None:
        from jupyter_blueno.server.handlers import opening

        self.handlers.append((opening.PATH, opening.WelcomeHandler))
        self.handlers.append((rf"{opening.PATH}/lab(?:/.*)?", opening.OpeningHandler))
        assert self.serverapp is not None
        add_later(self.serverapp.web_app, "/blueno/(?!open(?:/|$)).*", self._routes)

    def _routes(self) -> Routes:
        from jupyter_blueno.server.handlers import companion
        from jupyter_blueno.server.routes import routes

        behind = "blueno_behind" in self.settings
        mlflow = companion.BehindHandler if behind else companion.CompanionHandler
        board = rf"{companion.PATH}/(tensorboard/[0-9a-f]+)(/.*)?"
        return [
            (rf"{companion.PATH}/(mlflow)(/.*)?", mlflow),
            (board, companion.BoardHandler),
            *routes(forwarding=behind),
        ]

    async def stop_extension(self) -> None:
        for name in ("blueno_idle", "blueno_gpus"):
            if name in self.settings:
                self.settings[name].close()
        platform: Any = self.settings.get("blueno_platform")
        if platform is not None:
            platform.close()
