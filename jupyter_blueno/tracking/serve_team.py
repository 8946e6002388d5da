"""MLflow's server of a team in a cluster: ``python -I -m jupyter_blueno.tracking.serve_team FOLDER [PORT]``.

It is the main process of a pod that sees the team's folder of MLflow and nothing
else. It answers whoever has its key, which is the hub's service, and ends when nobody
has asked for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_blueno.tracking.serve import application

PORT = 5000
HEALTH = "/health"
KEY_HEADER = "X-Blueno-Key"
KEY_DIGEST = "BLUENO_MLFLOW_KEY_DIGEST"  # SHA-256: what is in a pod's description opens nothing
IDLE = "BLUENO_MLFLOW_IDLE"  # seconds


class Guarded:
    """An ASGI application, for those who have the key.

    Parameters
    ----------
    application : ASGI application
    digest : str
        The SHA-256 of the key, in hexadecimal digits.
    """

    def __init__(self, application: Any, digest: str) -> None:
        self.application = application
        self.digest = digest
        self.used = time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            given = dict(scope["headers"]).get(KEY_HEADER.lower().encode(), b"")
            if not hmac.compare_digest(hashlib.sha256(given).hexdigest(), self.digest):
                await _refuse(scope, send)
                return
            if scope["path"] != HEALTH:  # who looks whether it is there needs it for nothing
                self.used = time.monotonic()
        await self.application(scope, receive, send)


async def _refuse(scope: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b"This is for the hub's service."})
    else:
        await send({"type": "websocket.close", "code": 1008})


def main(folder: Path, port: int = PORT) -> None:
    """Serve until a signal comes, or nobody does."""
    import uvicorn

    digest = os.environ[KEY_DIGEST]
    guarded = Guarded(application(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts")), digest)
    server = uvicorn.Server(uvicorn.Config(guarded, host="0.0.0.0", port=port, log_level="warning"))
    asyncio.run(_serve(server, guarded, float(os.environ.get(IDLE) or 1800)))


async def _serve(server: Any, guarded: Guarded, idle: float) -> None:
    async def end() -> None:
        while time.monotonic() - guarded.used < idle:
            await asyncio.sleep(min(idle, 10))
        server.should_exit = True

    ending = asyncio.create_task(end())
    await server.serve()
    ending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ending


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
