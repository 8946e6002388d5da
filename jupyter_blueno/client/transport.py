"""How an operation reaches the platform."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from jupyter_blueno import errors
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import PREFIX, Content, Operation
from jupyter_blueno.config import Config

Answer = TypeVar("Answer")

TEAM_HEADER = "X-Blueno-Team"  # of which of the person's teams a request to a hub's service is
JOB_TOKEN = "BLUENO_JOB_TOKEN"  # the variable in which a job of a hub has its own
UNREACHABLE = "server_unreachable"  # code of the error when nothing listens at the address

# A server without sign-in still wants the two halves of this on every write.
_NO_FORGERY = {"Cookie": "_xsrf=626c75656e6f", "X-XSRFToken": "626c75656e6f"}


class Transport(Protocol):
    """Carries a request to the platform and the answer back. Safe to use from threads."""

    def call(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        """Return the answer, or raise the `BluenoError` that the platform raised."""

    def close(self) -> None:
        """Let go of connections and of the embedded database."""


class InProcess:
    """The operations called directly: no server needed."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def call(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        return operation(self.context, ask)

    def close(self) -> None:
        self.context.platform.close()


class Http:
    """The operations of a server at `url`, signed in by `token` or by `headers` (of `sign_in`)."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout: float = 60,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.timeout = timeout
        self._headers = dict(headers or {})

    def __repr__(self) -> str:
        return f"Http({self.url!r})"  # the token stays out of logs

    def call(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        try:
            request = self._request(operation, ask)
        except UnicodeEncodeError:
            raise errors.InvalidInput(
                "There is half a character (a surrogate) in what is to be sent; decode such text with "
                "errors='replace' first.",
                code="invalid_character",
            ) from None
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise errors.InvalidInput(f"This cannot be sent to the server: {error}.") from error
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                answer: Answer = self._answer(operation, response)
                return answer
        except urllib.error.HTTPError as error:
            raise _error_of(error) from None
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise errors.Unavailable(
                    f"The server at {self.url} did not answer within {self.timeout:g} s. Try again."
                ) from error
            raise errors.Unavailable(
                f"The server at {self.url} does not answer ({reason}). Is JupyterLab running?",
                code=UNREACHABLE,
            ) from error
        except msgspec.MsgspecError as error:
            raise errors.BluenoError(
                f"{self.url} answered something else than expected ({error}); is it a server with "
                "this version of Blueno?"
            ) from error

    def close(self) -> None:
        """Nothing is held between calls."""

    def _request(self, operation: Operation[Any, Any], ask: Any) -> urllib.request.Request:
        fields = msgspec.to_builtins(ask, builtin_types=(bytes,))
        path = operation.path
        for name in operation.path_fields:
            path = path.replace("{" + name + "}", urllib.parse.quote(str(fields.pop(name)), safe=""))
        headers = dict(self._headers) or dict(_NO_FORGERY)
        if self.token:
            headers = {**self._headers, "Authorization": f"token {self.token}"}
        body: bytes | None = None
        query: dict[str, Any] = fields
        if operation.raw_body is not None:
            body = fields.pop(operation.raw_body)
            headers["Content-Type"] = "application/octet-stream"
        elif operation.json_body:
            body, query = msgspec.json.encode(fields), {}
            headers["Content-Type"] = "application/json"
        url = f"{self.url}{PREFIX}{path}"
        given = {k: _text(v) for k, v in query.items() if v is not None}
        if given:
            url += "?" + urllib.parse.urlencode(given, doseq=True)
        return urllib.request.Request(url, data=body, headers=headers, method=operation.method)

    @staticmethod
    def _answer(operation: Operation[Any, Any], response: http.client.HTTPResponse) -> Any:
        body = response.read()
        if operation.answer is Content:
            kept = {k: v for k, v in response.headers.items() if k.startswith("X-Blueno-")}
            return Content(body, response.headers.get_content_type(), kept)
        return msgspec.json.decode(body, type=operation.answer)


class Beside:
    """A hub's service, asked by a process that has the files itself: what is local is done here."""

    def __init__(self, service: Http, context: Context | None = None) -> None:
        self.service = service
        self._context = context

    def __repr__(self) -> str:
        return f"Beside({self.service!r})"

    @property
    def url(self) -> str:
        return self.service.url

    @property
    def token(self) -> str | None:
        return self.service.token

    def call(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        if not operation.local:
            return self.service.call(operation, ask)
        return operation(self.context, ask)

    @property
    def context(self) -> Context:
        if self._context is None:
            local = Context.local()
            self._context = Context(local.platform, local.user, self.service)
        return self._context

    def close(self) -> None:
        if self._context is not None:
            self._context.platform.close()


def find() -> Transport:
    """The running local server if there is one, else this process itself."""
    return find_server() or here()


def here() -> InProcess:
    """This process itself. Files below the folder that it stands in may be read: paths start there."""
    config = Config()
    with suppress(OSError):  # the folder was deleted
        config.roots = [*config.roots, os.getcwd()]
    return InProcess(Context.local(config))


def find_server() -> Http | Beside | None:
    """The running local server.

    On a hub the environment names the server; a job asks the service, beside which
    it serves itself. In a
    kernel its parent is the server; elsewhere the newest server of this user
    that has Blueno.
    """
    service = os.environ.get("BLUENO_SERVICE_URL")
    if service and JOB_TOKEN in os.environ:
        return Beside(Http(service, os.environ[JOB_TOKEN]))
    hub = os.environ.get("JUPYTERHUB_SERVICE_URL")
    if hub and "JUPYTERHUB_API_TOKEN" in os.environ:
        return Http(hub, os.environ["JUPYTERHUB_API_TOKEN"])
    for server in _running_servers():
        return Http(server["url"], server.get("token") or None)
    return None


def _running_servers() -> Iterator[dict[str, Any]]:
    """Servers of this user by their runtime files; the kernel's parent first."""
    from jupyter_core.paths import jupyter_runtime_dir

    parent = os.environ.get("JPY_PARENT_PID", "")
    found = []
    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            server = json.loads(path.read_text())
            os.kill(server["pid"], 0)
        except (OSError, ValueError, KeyError):
            continue
        found.append((str(server["pid"]) == parent, path.stat().st_mtime, server))
    for is_parent, _, server in sorted(found, key=lambda one: one[:2], reverse=True):
        if _has_blueno(server, is_parent):
            yield server


def _has_blueno(server: dict[str, Any], is_parent: bool) -> bool:
    """Whether Blueno answers there, for the data folder that is meant here.

    A kernel means the folder of the server that started it.
    """
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.api.status import get_status

    try:
        status = Http(server["url"], server.get("token") or None, timeout=10).call(get_status, Nothing())
    except errors.BluenoError:
        return False
    wanted = Path(Config().home).expanduser()
    return is_parent or wanted.resolve() == Path(status.home).resolve()


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _error_of(response: urllib.error.HTTPError) -> errors.BluenoError:
    """The error that the platform raised, as the class that it was."""
    try:
        problem = json.loads(response.read())
        code, message = problem["code"], problem["message"]
    except (ValueError, KeyError, TypeError):
        return errors.BluenoError(f"The server answered {response.code} {response.reason}.")
    if code == "http_403":
        return errors.NotAllowed(
            "The server did not accept the sign-in: the token is missing, wrong or out of date. Sign in "
            "again; jobs go on meanwhile.",
            code=code,
        )
    by_status = {404: errors.NotFound, 403: errors.NotAllowed, 413: errors.TooLarge, 503: errors.Unavailable}
    by_status |= {429: errors.Unavailable}
    by_status |= {400: errors.InvalidInput, 409: errors.Conflict, 501: errors.MissingDependency}
    classes = {cls.code: cls for cls in _all_errors(errors.BluenoError)}
    cls = classes.get(code) or by_status.get(response.code, errors.BluenoError)
    return cls(message, code=code)


def _all_errors(cls: type[errors.BluenoError]) -> Iterator[type[errors.BluenoError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _all_errors(child)
