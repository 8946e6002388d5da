"""The API of a cluster: requests, each with a time limit, and answers as structs.

The official client finds the cluster, signs in and keeps the connections; its
models are not used, because they take some hundred times as long to read.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from jupyter_blueno.errors import MissingDependency, Unavailable
from jupyter_blueno.jobs.backends.kubernetes.shapes import ListMeta

CONNECT, READ = 3.0, 10.0  # seconds
SILENCE = 100.0  # seconds without a word on a watch: bookmarks come each minute
CONNECTIONS = 16
PAGE = 500  # objects of a list at a time

Answer = TypeVar("Answer")


class Refused(Exception):
    """The cluster said no: its HTTP status, a reason as one word, and a message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


class Unreachable(Exception):
    """It did not answer; what was asked may have been done all the same."""


class _Said(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Page(msgspec.Struct, frozen=True):
    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


class Access:
    """Thread-safe. Nothing is imported or opened before the first request.

    Parameters
    ----------
    context : str
        Of the kubeconfig; empty: the present one. Within a pod its account is used.
    """

    def __init__(self, context: str = "") -> None:
        self.context = context
        self._client: Any = None
        self._lock = threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        shape: type[Answer],
        body: Any = None,
        query: Sequence[tuple[str, str]] = (),
        read: float = READ,
    ) -> Answer:
        """Ask once. A PATCH is a JSON merge patch.

        Raises
        ------
        Refused
        Unreachable
        """
        from urllib3.exceptions import HTTPError

        response = self._send(method, path, body, query, read)
        try:
            data = response.read()
        except (HTTPError, OSError) as error:
            raise Unreachable(str(error)) from error
        _check(response.status, data)
        return msgspec.json.decode(data, type=shape)

    def every(
        self, path: str, shape: type[Answer], query: Sequence[tuple[str, str]] = ()
    ) -> tuple[list[Answer], str]:
        """All objects of a list, and the version of the list."""
        found: list[Answer] = []
        following = ""
        while True:
            more = [("continue", following)] if following else []
            page = self.ask("GET", path, _Page, query=[*query, ("limit", str(PAGE)), *more])
            found += [msgspec.json.decode(one, type=shape) for one in page.items or []]
            following = page.metadata.continue_
            if not following:
                return found, page.metadata.resource_version

    def stream(self, path: str, query: Sequence[tuple[str, str]]) -> Stream:
        """Open a watch."""
        response = self._send("GET", path, None, query, SILENCE)
        if response.status != 200:
            _check(response.status, response.read())
        return Stream(response.response)

    def _send(self, method: str, path: str, body: Any, query: Sequence[tuple[str, str]], read: float) -> Any:
        from urllib3.exceptions import HTTPError

        client = self._opened()
        sent = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Accept": "application/json", "Content-Type": sent}
        asked = client.param_serialize(
            method, path, query_params=list(query), header_params=headers, body=body,
            auth_settings=["BearerToken"],
        )  # fmt: skip
        try:
            return client.call_api(*asked, _request_timeout=(CONNECT, read))
        except (HTTPError, OSError) as error:
            cause = getattr(error, "reason", None) or error
            raise Unreachable(str(cause)) from error

    def _opened(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _connect(self.context)
            return self._client


class Stream:
    """Lines of a watch; `close` ends them from any thread."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def lines(self) -> Iterator[bytes]:
        """Line by line until it ends.

        Raises
        ------
        Unreachable
        """
        from urllib3.exceptions import HTTPError

        rest = b""
        try:
            for chunk in self.response.stream(1 << 16, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from filter(None, whole)
        except (HTTPError, OSError, ValueError, AttributeError) as error:  # the last two: it was closed
            raise Unreachable(str(error)) from error
        finally:
            self.close()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # whatever it says, it is over
            self.response.shutdown()
        with contextlib.suppress(Exception):
            self.response.close()


def _connect(context: str) -> Any:
    try:
        from kubernetes import client
        from kubernetes import config as loading
    except ImportError as error:
        raise MissingDependency(
            "Jobs on Kubernetes need its client: pip install 'jupyter-blueno[kubernetes]'."
        ) from error
    config: Any = loading  # a part of it has no types
    settings = client.Configuration()
    settings.connection_pool_maxsize = CONNECTIONS
    settings.retries = 0  # who asks decides
    inside = "KUBERNETES_SERVICE_HOST" in os.environ and not (context or os.environ.get("KUBECONFIG"))
    try:
        if inside:
            config.load_incluster_config(client_configuration=settings)
        else:
            # Said anew: the library looks at the variable once, when it is imported.
            file = os.environ.get("KUBECONFIG") or None
            config.load_kube_config(file, context=context or None, client_configuration=settings)
    except (config.ConfigException, OSError) as error:
        raise Unavailable(
            f"There is no way to the cluster: {str(error).rstrip('.')}. Name a kubeconfig (KUBECONFIG).",
            code="no_cluster",
        ) from error
    return client.ApiClient(settings)


def _check(status: int, data: bytes) -> None:
    if status < 400:
        return
    try:
        said = msgspec.json.decode(data, type=_Said)
    except msgspec.DecodeError:
        said = _Said("", data[:200].decode(errors="replace"))
    if status >= 500:  # whoever stands in between may have given up waiting
        raise Unreachable(said.message or f"HTTP status {status}")
    raise Refused(status, said.reason, said.message)
