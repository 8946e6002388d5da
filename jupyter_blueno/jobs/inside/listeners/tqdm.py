"""Bars of tqdm, also of its notebook, rich and auto kinds: the outermost is the job's progress."""

from __future__ import annotations

from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.inside.listeners import after, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def follow(module: Any) -> None:
    bar = module.tqdm
    after(bar, "refresh", "tqdm", _tell)
    close = bar.close

    def tell_and_close(self: Any) -> None:
        with guarded("tqdm"):
            _tell(self)
        close(self)

    bar.close = tell_and_close


def _tell(bar: Any, *_: Any, **__: Any) -> None:
    if getattr(bar, "disable", True) or getattr(bar, "pos", 0) != 0:
        return
    words = (bar.desc or "").removesuffix(": "), getattr(bar, "postfix", None)
    message = ", ".join(str(word) for word in words if word) or None
    total = bar.total
    reporting.progress_found(reporting.BAR, int(bar.n), None if total is None else int(total), message)
