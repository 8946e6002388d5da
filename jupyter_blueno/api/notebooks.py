"""Notebook servers in the cluster, as far as they hold something of their team's quota."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Done, Nothing, operation

Text = Annotated[str, Meta(max_length=255)]
Amount = Annotated[float, Meta(ge=0, le=1e18)]


class AdmitNotebook(Struct, frozen=True, forbid_unknown_fields=True):
    """What a notebook server is to hold: cores, bytes, GPUs. `server` is its name, of several of a person.

    A `rescue` is one in which a person makes room: it starts although they keep more than they may.
    """

    server: Text = ""
    profile: Text = ""
    cpu: Amount = 0
    memory: Amount = 0
    gpu: Annotated[int, Meta(ge=0, le=1024)] = 0
    rescue: bool = False


@operation("POST", "/notebooks", resource="notebooks", action="write")
def admit_notebook(context: Context, ask: AdmitNotebook) -> Done:
    """Count what a notebook server of the person is about to hold; asked by the hub before it starts one.

    Raises
    ------
    Conflict
        ``quota_full``: with who holds what, if the quota has no room; ``storage_full``.
    """
    from jupyter_blueno.errors import Conflict
    from jupyter_blueno.jobs.quotas import notebooks
    from jupyter_blueno.jobs.quotas.model import Amounts

    needs = Amounts(ask.cpu, ask.memory, ask.gpu)
    gate, user = context.platform.jobs.gate, context.user

    store = context.platform.storage
    full = store.home_refusal(user.name) if store is not None and not ask.rescue else None
    if full is not None:
        raise Conflict(full, code="storage_full")

    def admit() -> str | None:
        with context.database.begin() as connection:
            return notebooks.admit(connection, gate, user.team, user.name, ask.server, ask.profile, needs)

    if admit() is not None:
        context.platform.look_at_notebooks()  # one may have ended a moment ago
        refusal = admit()
        if refusal is not None:
            raise Conflict(refusal, code="quota_full")
    if store is not None and ask.rescue:
        store.makes_room(user.name)
    return Done(True)


class NotebookUse(Struct, frozen=True, forbid_unknown_fields=True):
    """`busy`: the part of the GPUs' time that was used lately, from 0 to 1."""

    server: Text = ""
    busy: Annotated[float, Meta(ge=0, le=1)] = 0


@operation("POST", "/notebooks/use", resource="notebooks", action="write")
def report_notebook(context: Context, ask: NotebookUse) -> Done:
    """Tell how busy the GPUs of the person's notebook server are; asked by the server itself."""
    from jupyter_blueno.jobs.quotas import ledger

    with context.database.begin() as connection:
        return Done(ledger.used(connection, context.user.team, context.user.name, ask.server, ask.busy))


class Holding(Struct, frozen=True):
    """How many GPUs a notebook server holds; `slug` and `profile` name what it can become without them."""

    gpus: int
    slug: str = ""
    profile: str = ""


@operation("GET", "/notebook", resource="status", action="read", local=True)
def get_holding(context: Context, ask: Nothing) -> Holding:
    """Say how many GPUs this notebook server holds, and as what it could start again without them."""
    config = context.platform.config
    slug, _, profile = config.profile_without_gpus.partition(" ")
    return Holding(config.notebook_gpus, slug, profile)


class NotebookProfile(Struct, frozen=True, forbid_unknown_fields=True):
    profile: Text


@operation("POST", "/notebook/restart", resource="notebooks", action="write")
def restart_notebook(context: Context, ask: NotebookProfile) -> Done:
    """Start the person's notebook server again with another profile; what its kernels hold is lost.

    Raises
    ------
    Conflict
        ``no_notebook``: none is running.
    InvalidInput
        ``no_profile``
    NotFound
        ``no_hub``
    """
    from jupyter_blueno.errors import InvalidInput

    if not ask.profile:
        raise InvalidInput("Say which profile the notebook is to have.", code="no_profile")
    return Done(context.platform.hub.directory.restart(context.user.name, ask.profile))
