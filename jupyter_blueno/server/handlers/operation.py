"""One handler for all operations: parse, authorise, run in a thread, answer."""

from __future__ import annotations

import asyncio
import functools
import http
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web

from jupyter_blueno import errors
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Content, Operation
from jupyter_blueno.server.handlers import amounts

# What an error means in HTTP; the nearest class in the tree counts.
STATUS: dict[type[Exception], int] = {
    errors.BluenoError: 500,
    errors.InvalidInput: 400,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.Conflict: 409,
    errors.NotAllowed: 403,
    errors.OutsideRoots: 403,
    errors.MissingDependency: 501,
    errors.Unavailable: 503,
}

Answer = TypeVar("Answer")

# Operations block on the database and on decoders: never in the event loop.
_threads = ThreadPoolExecutor(max_workers=24, thread_name_prefix="blueno")


class Problem(msgspec.Struct, frozen=True):
    """The body of every error."""

    code: str
    message: str


class Serving(web.RequestHandler):
    """Serves the operations of one path; who may ask, and as whom, is said by what it is mixed into."""

    methods: dict[str, Operation[Any, Any]]

    def initialize(self, methods: dict[str, Operation[Any, Any]] | None = None, **kwargs: Any) -> None:
        super().initialize(**kwargs)
        self.methods = methods or {}

    @web.authenticated
    async def get(self, **path: str) -> None:
        await self.serve("GET", path)

    @web.authenticated
    async def post(self, **path: str) -> None:
        await self.serve("POST", path)

    @web.authenticated
    async def put(self, **path: str) -> None:
        await self.serve("PUT", path)

    @web.authenticated
    async def patch(self, **path: str) -> None:
        await self.serve("PATCH", path)

    @web.authenticated
    async def delete(self, **path: str) -> None:
        await self.serve("DELETE", path)

    async def serve(self, method: str, path: dict[str, str]) -> None:
        """Answer one request."""
        operation = self.methods.get(method)
        if operation is None:
            raise web.HTTPError(405 if self.methods else 404)
        if not await self.may(operation):
            raise web.HTTPError(403)
        try:
            ask = self.parse(operation, path)
            answer = await self.answer(operation, ask)
        except errors.BluenoError as error:
            self.problem(status_of(error), error.code, error.message)
        except UnicodeDecodeError:
            self.problem(400, "invalid_request", "The request holds bytes that are not UTF-8; encode it so.")
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            self.problem(400, "invalid_request", f"The request is not as documented: {error}.")
        else:
            self.send(operation, answer)

    def parse(self, operation: Operation[Any, Any], path: dict[str, str]) -> Any:
        """Build the operation's struct from path, query and body; unknown fields are refused."""
        listed = {name for name, field in _fields(operation).items() if field.default_factory is list}
        query: dict[str, Any] = {}
        # Not `get_query_arguments`: it puts blanks in the place of control characters.
        for name, given in self.request.query_arguments.items():
            texts = [value.decode() for value in given]
            if name in listed:
                query[name] = texts
            elif name not in {"token", "_xsrf"}:
                if len(texts) > 1:
                    raise msgspec.ValidationError(f"`{name}` is given more than once")
                query[name] = texts[0]
        if operation.json_body:
            try:
                body = msgspec.json.decode(self.request.body or b"{}")
            except RecursionError:
                raise msgspec.ValidationError("the body is nested too deeply") from None
            if not isinstance(body, dict):
                raise msgspec.ValidationError("the body is not a JSON object")
            for name, value in path.items():
                body[name] = _number(operation, name, value)
            return msgspec.convert(amounts.read(operation.ask, body), operation.ask)
        values: dict[str, Any] = {**query, **path}
        if operation.raw_body is not None:
            values[operation.raw_body] = self.request.body
        return msgspec.convert(values, operation.ask, strict=False)

    async def answer(self, operation: Operation[Any, Any], ask: Any) -> Any:
        """Run the operation in a thread."""
        return await self.in_thread(lambda: operation(self.context(), ask))

    @staticmethod
    async def in_thread(do: Callable[..., Answer], *arguments: Any) -> Answer:
        """Run what blocks."""
        return await asyncio.get_running_loop().run_in_executor(_threads, do, *arguments)

    async def may(self, operation: Operation[Any, Any]) -> bool:
        """Whether the person who asks may do this."""
        raise NotImplementedError

    def context(self) -> Context:
        """The platform, and the person who asks."""
        raise NotImplementedError

    def send(self, operation: Operation[Any, Any], answer: Any) -> None:
        self.set_status(operation.status)
        if not isinstance(answer, Content):
            self.set_header("Content-Type", "application/json")
            self.finish(msgspec.json.encode(answer))
            return
        self.set_header("Content-Type", answer.media_type)
        # Bytes may be a stranger's: no guessing of types, no scripts.
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        cache = f"private, max-age={answer.max_age}, immutable" if answer.max_age else "no-cache"
        self.set_header("Cache-Control", cache)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body)

    def problem(self, status: int, code: str, message: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(Problem(code, message)))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every failure has the same body; a stack trace goes to the server's log only."""
        if status_code >= 500:
            message = "Something went wrong in the server; its log says what."
        elif status_code == 405:
            self.set_header("Allow", ", ".join(self.methods))
            message = f"{self.request.method} cannot be done here; what can: {', '.join(self.methods)}."
        elif status_code == 404:
            message = "There is nothing at this address; openapi.json lists what there is."
        else:
            message = http.HTTPStatus(status_code).phrase + "."
        self.problem(status_code, f"http_{status_code}", message)


class OperationHandler(Serving, APIHandler):
    """Serves the operations to whoever is signed in to the Jupyter server."""

    async def may(self, operation: Operation[Any, Any]) -> bool:
        # An authorizer may be asynchronous: its answer would count as true if nobody waited for it.
        resource = f"blueno:{operation.resource}"
        asked = self.authorizer.is_authorized(self, self.current_user, operation.action, resource)
        return bool(await ensure_async(asked))

    def context(self) -> Context:
        context: Context = self.settings["blueno_context"](self.current_user)
        return context


def status_of(error: errors.BluenoError) -> int:
    """The HTTP status of an error."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def _number(operation: Operation[Any, Any], name: str, value: str) -> Any:
    return msgspec.convert(value, _fields(operation)[name].type, strict=False)


@functools.cache
def _fields(operation: Operation[Any, Any]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of what is asked, of which msgspec reads the annotations anew each time."""
    return {field.name: field for field in msgspec.structs.fields(operation.ask)}
