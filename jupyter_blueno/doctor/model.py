"""What a check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from msgspec import Struct

from jupyter_blueno.errors import BluenoError

State = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True):
    """What was looked at, how it is, and what to do if it is not well.

    ``warn``: it can be worked with, but something is lost.
    """

    what: str
    state: State
    words: str
    advice: str = ""


def finding(what: str, well: bool, words: str, advice: str = "", otherwise: State = "fail") -> Finding:
    """Return what a check found: ``ok``, or what it is `otherwise`, with what to do then."""
    return Finding(what, "ok", words) if well else Finding(what, otherwise, words, advice)


Check = tuple[str, Callable[[], Iterator[Finding]]]


def examined(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run checks, one after the other; one that breaks is a finding, too."""
    for what, check in checks:
        try:
            yield from check()
        except BluenoError as error:
            yield Finding(what, "fail", "does not answer", error.message)
        except Exception as error:
            yield Finding(what, "fail", f"could not be looked at ({type(error).__name__}: {error})")
