"""The values of secrets in the cluster: one Secret for each team, mounted into its notebooks and jobs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.objects import secrets_of

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

ATTEMPTS = 3  # somebody else may make or delete the Secret at the same moment


class _Sent(msgspec.Struct, frozen=True):
    """Of the answer, which holds all values, nothing is read."""


class ClusterSecrets:
    """Keeps a team's in a Secret, which the service can change and not ask for. Thread-safe."""

    def __init__(self, access: Access, namespace: str, team: str) -> None:
        self.access = access
        self.path = f"/api/v1/namespaces/{namespace}/secrets"
        self.name = secrets_of(team)
        self.labels = {
            "app.kubernetes.io/managed-by": "blueno",
            "app.kubernetes.io/component": "secrets",
        }

    @classmethod
    def of(cls, config: Config) -> Callable[[str], ClusterSecrets] | None:
        """The keepers of a service whose pods have secrets mounted; None: they are files."""
        if config.jobs_backend != "kubernetes" or not config.secrets:
            return None
        access = Access()
        return lambda team: cls(access, config.jobs_namespace, team)

    def put(self, name: str, value: str) -> None:
        data = {name: base64.b64encode(value.encode()).decode()}
        for _ in range(ATTEMPTS):
            if self._patch(data):
                return
            try:
                self._ask("POST", self.path, self._made(data))
                return
            except Refused as error:
                if error.reason != "AlreadyExists":
                    raise _not_kept(error.message) from None
        raise _not_kept("it is being deleted and made again by somebody else")

    def delete(self, name: str) -> None:
        self._patch({name: None})

    def _patch(self, data: Mapping[str, str | None]) -> bool:
        """Change what is there; False if there is none."""
        try:
            self._ask("PATCH", f"{self.path}/{self.name}", {"data": data})
        except Refused as error:
            if error.status == 404:
                return False
            raise _not_kept(error.message) from None
        return True

    def _made(self, data: dict[str, str]) -> dict[str, Any]:
        metadata = {"name": self.name, "labels": self.labels}
        return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data}

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> None:
        try:
            self.access.ask(method, path, _Sent, body=body)
        except Unreachable as error:
            raise _not_kept(f"the cluster does not answer ({error})") from error


def _not_kept(why: str) -> Unavailable:
    return Unavailable(f"The secret was not changed: {why.rstrip('.')}. Try again.", code="secret_not_kept")
