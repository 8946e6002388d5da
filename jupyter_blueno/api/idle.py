"""Operations on the server that is asked itself: whether it is about to be stopped because nobody uses it."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Nothing, operation


class Idleness(Struct, frozen=True):
    """How soon a server stops in which nothing happens, in seconds.

    `timeout` is the whole time (0: it is never stopped so), `left` what is left
    of it, `working` whether a kernel or a terminal is at work: then none of it
    passes.
    """

    timeout: float
    left: float | None
    working: bool


@operation("GET", "/idle", resource="status", action="read", local=True)
def get_idleness(context: Context, ask: Nothing) -> Idleness:
    """Say how soon this server stops if nothing happens."""
    presence = context.platform.presence
    return Idleness(presence.timeout, presence.left, presence.working)


@operation("POST", "/idle", resource="status", action="read", local=True)
def say_present(context: Context, ask: Nothing) -> Idleness:
    """Tell that a person is there; the time begins anew."""
    context.platform.presence.seen()
    return get_idleness(context, ask)
