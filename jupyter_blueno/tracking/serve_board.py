"""TensorBoard on a socket: ``python -P serve_board.py SOCKET FOLDER``; its own command knows ports only."""

from __future__ import annotations

import sys
import types
from typing import Any


def main(path: str, folder: str) -> None:
    """Serve until a signal comes."""
    # TensorFlow would be imported where it is installed, for seconds, and nothing here needs it.
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
    from tensorboard import assets, default, program
    from werkzeug.serving import make_server

    class Server:
        def __init__(self, app: Any, flags: Any) -> None:
            self._server = make_server(f"unix://{path}", 0, app, threaded=True)

        def print_serving_message(self) -> None:
            pass

        def get_url(self) -> str:
            return "http://localhost:80/"

        def serve_forever(self) -> None:
            self._server.serve_forever()

    board = program.TensorBoard(
        default.get_plugins(), assets.get_default_assets_zip_provider(), server_class=Server
    )
    board.configure(argv=["tensorboard", "--logdir", folder, "--load_fast=false", "--reload_interval=3"])
    board.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
