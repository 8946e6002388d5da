"""What is said about secrets."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from jupyter_blueno.errors import InvalidInput, TooLarge

VALUE_LIMIT = 64 << 10  # bytes: a key file, not a data set
MOST = 100  # secrets of a team; what a cluster keeps of one is at most 1 MB

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class Secret(Struct, frozen=True):
    """A secret by its name; who set it last, and when. Its value is told to nobody."""

    name: str
    owner: str
    updated_at: datetime


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a variable.

    Raises
    ------
    InvalidInput
        ``bad_secret_name``
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:80]!r} cannot name a secret: take at most 100 letters, digits and '_', and begin with "
            "no digit, as in HF_TOKEN.",
            code="bad_secret_name",
        )


def check_value(value: str) -> None:
    """Refuse what no variable can hold.

    Raises
    ------
    InvalidInput
        ``bad_secret``
    TooLarge
    """
    if not value:
        raise InvalidInput("A secret cannot be empty; delete it instead.", code="bad_secret")
    if "\0" in value or _is_half(value):
        raise InvalidInput(
            "A secret is text without a NUL character; encode others, as with base64.", code="bad_secret"
        )
    if len(value.encode()) > VALUE_LIMIT:
        raise TooLarge(
            f"A secret has at most {VALUE_LIMIT >> 10} KB; put a larger one into a file of the team's.",
            code="secret_too_large",
        )


def _is_half(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
