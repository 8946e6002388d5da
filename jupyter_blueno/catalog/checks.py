"""What names, texts and JSON may be, before PostgreSQL sees them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from jupyter_blueno.catalog.model import NAME_LIMIT, SAMPLE_NAME_LIMIT
from jupyter_blueno.errors import InvalidInput, TooLarge

TEXT_LIMIT = 10_000  # characters of a description
VALUE_LIMIT = 255  # characters of a split or a label: both share an index entry
JSON_LIMIT = 1_000_000  # bytes of a dataset's or sample's info
LARGEST_ID = 2**63 - 1
LARGEST_ORDINAL = 2**31 - 1

# NUL as JSON writes it: an even number of backslashes before, so that it is an escape.
_JSON_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_text(value: str, what: str, limit: int = TEXT_LIMIT) -> str:
    """Return `value`, a text that PostgreSQL can hold.

    Raises
    ------
    InvalidInput
        ``invalid_character``: it has a NUL or half a surrogate pair.
        ``text_too_long``: it has more than `limit` characters.
    """
    if len(value) > limit:
        raise InvalidInput(
            f"{what} has {len(value):,} characters; use at most {limit:,}.", code="text_too_long"
        )
    if "\x00" in value:
        raise InvalidInput(f"{what} holds a NUL character; remove it.", code="invalid_character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{what} is not valid Unicode; decode it with errors='replace' first.", code="invalid_character"
        ) from None
    return value


def check_name(name: str, what: str = "The dataset's name", limit: int = NAME_LIMIT) -> str:
    """Return `name` if a dataset (or, with another `limit`, something else) may have it.

    Raises
    ------
    InvalidInput
        ``name_empty``, ``name_too_long`` or ``invalid_character``.
    """
    if not name.strip():
        raise InvalidInput(f"{what} is empty; give it at least one character that shows.", code="name_empty")
    if len(name) > limit:
        raise InvalidInput(f"{what} has {len(name):,} characters; use at most {limit}.", code="name_too_long")
    return check_text(name, what, limit)


def check_sample_name(name: str) -> str:
    """Return `name` if a sample may have it."""
    return check_name(name, "The sample's name", SAMPLE_NAME_LIMIT)


def check_value(value: str | None, what: str) -> str | None:
    """Return a split or label; an empty one is none."""
    return check_text(value, what, VALUE_LIMIT) if value else None


def check_json(value: dict[str, Any], what: str) -> dict[str, Any]:
    """Return `value`, an object that JSONB can hold.

    Raises
    ------
    InvalidInput
        ``invalid_json`` or ``invalid_character``.
    TooLarge
        Over 1 MB as JSON.
    """
    if not value:
        return {}
    size = check_json_items([value], what)
    if size > JSON_LIMIT:
        raise TooLarge(f"{what} is {size:,} bytes of JSON; keep it under {JSON_LIMIT:,}.")
    return value


def check_json_items(values: list[dict[str, Any]], what: str) -> int:
    """Check many objects at once; returns their size in bytes."""
    try:
        encoded = msgspec.json.encode(values)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"{what} cannot be written as JSON: {error}.", code="invalid_json") from None
    if b"\\u0000" in encoded and _JSON_NUL.search(encoded):
        raise InvalidInput(f"{what} holds a NUL character; remove it.", code="invalid_character")
    return len(encoded)
