"""Operations on the server that is asked itself: whether it is about to be stopped because nobody uses it."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Nothing, operation


class Idleness(Struct, frozen=True):
    """How soon a server stops in which nothing happens, in seconds.

    `timeout` is the whole time (0: it is never stopped so), `left` what is left
    of it, `working` whether a kernel or a terminal is at work: then none of it
    passes. `for_gpus`: it is for its GPUs, which are hardly used.
    """

    timeout: float
    left: float | None
    working: bool
    for_gpus: bool = False


@operation("GET", "/idle", resource="status", action="read", local=True)
def get_idleness(context: Context, ask: Nothing) -> Idleness:
    """Say how soon this server stops if nothing happens."""
    presence = context.platform.presence
    timeout = presence.gpu_timeout if presence.for_gpus else presence.timeout
    return Idleness(timeout, presence.left, presence.working, presence.for_gpus)


class Present(Struct, frozen=True, forbid_unknown_fields=True):
    """`keep`: the person wants to keep the GPUs, too."""

    keep: bool = False


@operation("POST", "/idle", resource="status", action="read", local=True)
def say_present(context: Context, ask: Present) -> Idleness:
    """Tell that a person is there; the time begins anew."""
    presence = context.platform.presence
    presence.seen()
    if ask.keep:
        presence.gpus_used()
    return get_idleness(context, Nothing())
