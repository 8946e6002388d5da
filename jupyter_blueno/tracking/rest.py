"""MLflow's own interface, asked over the companion's socket: its library is not imported here."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlencode

import msgspec

from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound, Unavailable
from jupyter_blueno.tracking.companion import Companion


class Rest:
    """Calls of MLflow's REST interface. Safe from threads."""

    def __init__(self, companion: Companion) -> None:
        self.companion = companion

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        asked = urlencode({key: value for key, value in query.items() if value is not None})
        return self._call("GET", f"{path}?{asked}", None)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._call("POST", path, msgspec.json.encode(body))

    def patch(self, path: str, **body: Any) -> dict[str, Any]:
        return self._call("PATCH", path, msgspec.json.encode(body))

    def delete(self, path: str, **body: Any) -> dict[str, Any]:
        return self._call("DELETE", path, msgspec.json.encode(body))

    def _call(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Host": "localhost", "Content-Type": "application/json"}
        try:
            connection = self.companion.reach()
            try:
                connection.request(method, f"/api/2.0/mlflow/{path}", body, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"MLflow does not answer ({error}).", code="companion_failed") from error
        if answer.status == 200:
            found: dict[str, Any] = msgspec.json.decode(content)
            return found
        try:
            problem = msgspec.json.decode(content)
            code, message = str(problem["error_code"]), str(problem.get("message", ""))
        except (msgspec.DecodeError, KeyError, TypeError):
            code, message = f"HTTP_{answer.status}", content[:300].decode(errors="replace")
        kinds: dict[str, type[BluenoError]] = {
            "RESOURCE_DOES_NOT_EXIST": NotFound,
            "INVALID_PARAMETER_VALUE": InvalidInput,
        }
        cls = kinds.get(code, BluenoError)
        raise cls(f"MLflow: {message[:500].rstrip('.')}.", code=f"mlflow_{code.lower()}")
