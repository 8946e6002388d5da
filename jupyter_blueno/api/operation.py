"""What an operation is, and the registry of all of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_type_hints

import msgspec

from jupyter_blueno.api.context import Context

Ask = TypeVar("Ask", bound=msgspec.Struct)
Answer = TypeVar("Answer")

PREFIX = "/blueno/api"  # below the Jupyter server's base URL

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Action = Literal["read", "write", "execute"]


@dataclass(frozen=True)
class Content:
    """An answer that is bytes: a picture, a slice, a piece of a log.

    Parameters
    ----------
    body : bytes
    media_type : str
    headers : dict of str
        Extra response headers, e.g. ``X-Blueno-Shape``.
    max_age : int, optional
        Seconds a browser may keep it (privately); 0 is not at all.
    """

    body: bytes
    media_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    max_age: int = 0


class Done(msgspec.Struct, frozen=True):
    """Whether anything was changed: False means that it was so already."""

    done: bool


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request without parameters."""


@dataclass(frozen=True)
class Operation(Generic[Ask, Answer]):
    """A function with its place in the contract. Calling it runs it in-process."""

    name: str
    method: Method
    path: str
    resource: str
    action: Action
    ask: type[Ask]
    answer: Any
    status: int
    run: Callable[[Context, Ask], Answer]
    raw_body: str | None  # the field of `ask` that is the request's body, as bytes
    local: bool  # served where the files are, also where a service answers the rest

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.run) or "").split("\n\n")[0].replace("\n", " ")

    @property
    def path_fields(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def json_body(self) -> bool:
        """Whether what is asked comes as JSON, and not in the address."""
        return self.method in {"POST", "PUT", "PATCH"} and self.raw_body is None

    @property
    def noun(self) -> str:
        return self.run.__module__.rsplit(".", 1)[-1]

    def __call__(self, context: Context, ask: Ask) -> Answer:
        return self.run(context, ask)


_registry: dict[str, Operation[Any, Any]] = {}


def operation(
    method: Method,
    path: str,
    *,
    resource: str,
    action: Action,
    status: int = 200,
    raw_body: str | None = None,
    local: bool = False,
) -> Callable[[Callable[[Context, Ask], Answer]], Operation[Ask, Answer]]:
    """Declare a function as an operation.

    The function takes a `Context` and one msgspec struct, and returns a struct
    or `Content`. Fields of the struct named in `path` come from the path; the
    others from the query (GET, DELETE) or the JSON body (POST, PUT, PATCH). With
    `raw_body`, that field is the body's bytes and the others are in the query.
    `resource` and `action` are what the server authorises. A `local` one reads
    and writes files and asks no database: `Context.ask` tells it what it needs
    to know from there.
    """

    def declare(run: Callable[[Context, Ask], Answer]) -> Operation[Ask, Answer]:
        hints = get_type_hints(run)
        answer = hints.pop("return")
        (ask,) = (hint for hint in hints.values() if hint is not Context)
        declared = Operation(
            run.__name__, method, path, resource, action, ask, answer, status, run, raw_body, local
        )
        _registry[declared.name] = declared
        return declared

    return declare


def operations() -> list[Operation[Any, Any]]:
    """All operations, by path and method."""
    from jupyter_blueno.api import (  # noqa: F401 - declares them
        accounting,
        audit,
        catalog,
        columns,
        departures,
        doctor,
        environments,
        flows,
        idle,
        images,
        ingest,
        jobs,
        logs,
        many,
        models,
        notebooks,
        people,
        schedules,
        secrets,
        status,
        sweeps,
        tracking,
        written,
    )

    return sorted(_registry.values(), key=lambda one: (one.path, one.method))
