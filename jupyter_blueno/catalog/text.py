"""Searching for a text, ignoring case, in any script and under any locale of the database."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa


def contains(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Whether `text` occurs in `column`.

    PostgreSQL folds the case of letters beyond ASCII only under some locales;
    such letters are looked for in both cases instead.
    """
    if text.isascii():  # LIKE on what is in lower case already takes half the time of ILIKE
        folded = sa.func.lower(column.collate("C")) if text.lower() != text.upper() else column
        return folded.like(f"%{_escaped(text.lower())}%", escape="\\")
    return column.op("~")("".join(map(_either_case, text)))


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _either_case(letter: str) -> str:
    forms = sorted({letter, letter.lower(), letter.upper()})
    return "(?:" + "|".join(map(_literal, forms)) + ")"


def _literal(form: str) -> str:
    return "".join(c if c.isalnum() else f"\\{c}" if c.isascii() and c.isprintable() else c for c in form)
