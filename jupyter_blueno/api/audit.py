"""Who did what beside a hub."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.database.audit import Act


class ActPage(Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first, those older than the one with the id `before`; of a `person`, of an `operation`."""

    person: str | None = None
    operation: str | None = None
    before: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    limit: int = 100


class ActList(Struct, frozen=True):
    acts: list[Act]


@operation("GET", "/acts", resource="audit", action="read")
def list_acts(context: Context, ask: ActPage) -> ActList:
    """Who did what beside a hub: an administrator of the hub sees all acts, others see their own."""
    from jupyter_blueno.catalog.checks import check_text
    from jupyter_blueno.database import audit

    for text in (ask.person, ask.operation):
        check_text(text or "", "What is looked for")
    person = ask.person if context.user.admin else context.user.name
    return ActList(audit.acts(context.database.of_everybody, person, ask.operation, ask.before, ask.limit))
