"""Operations on the secrets of a team."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Done, Nothing, operation
from jupyter_blueno.vault.model import Secret


class SecretList(Struct, frozen=True):
    secrets: list[Secret]


class SecretRef(Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class SetSecret(Struct, frozen=True, forbid_unknown_fields=True):
    """A name, as of a variable, and a text of at most 64 KB."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"SetSecret(name={self.name!r})"  # it may come into a log


@operation("GET", "/secrets", resource="secrets", action="read")
def list_secrets(context: Context, ask: Nothing) -> SecretList:
    """List the team's secrets by name; nobody is told their values."""
    return SecretList(context.platform.vault.listed(context.user.team))


@operation("PUT", "/secrets/{name}", resource="secrets", action="write")
def set_secret(context: Context, ask: SetSecret) -> Secret:
    """Set a secret, in place of one of this name."""
    return context.platform.vault.put(context.user.team, context.user.name, ask.name, ask.value)


@operation("DELETE", "/secrets/{name}", resource="secrets", action="write")
def delete_secret(context: Context, ask: SecretRef) -> Done:
    """Forget a secret; jobs that name it fail from now on, and say so."""
    return Done(context.platform.vault.delete(context.user.team, ask.name))
