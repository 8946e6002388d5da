"""Rows of samples, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from jupyter_blueno import errors
from jupyter_blueno.api import catalog as api
from jupyter_blueno.catalog import model
from jupyter_blueno.client import session

if TYPE_CHECKING:
    import numpy as np

PAGE = 500  # rows a request

Pages = Iterator[list[model.Sample]]


def pages(selection: model.Selection) -> Pages:
    """All rows of a selection, by ordinal."""
    after: int | None = -1
    fields = structs.asdict(selection)
    del fields["sort"]  # pages go by ordinal
    while after is not None:
        answer = session.call(api.list_samples, model.SamplePage(**fields, after=after, limit=PAGE))
        yield answer.samples
        after = answer.next


def pages_at(dataset_id: int, name: str, ordinals: np.ndarray) -> Pages:
    """The rows of these ordinals, in the order given."""
    for start in range(0, len(ordinals), PAGE):
        yield at(dataset_id, name, ordinals[start : start + PAGE])


def at(dataset_id: int, name: str, ordinals: np.ndarray) -> list[model.Sample]:
    """The rows of these ordinals of the dataset `name` in the order given, doubles too.

    Raises
    ------
    NotFound
        If one was deleted meanwhile.
    """
    answer = session.call(api.get_samples, api.SamplesAt(dataset_id, ranges(ordinals)))
    found = {row.ordinal: row for row in answer.samples}
    try:
        return [found[int(one)] for one in ordinals]
    except KeyError as missing:
        raise errors.NotFound(
            f"Sample {missing} of {name} was deleted meanwhile. Call .refresh() and select again.",
            code="sample_not_found",
        ) from None


def read_ahead(pages: Pages, title: str, total: Callable[[], int]) -> Iterator[model.Sample]:
    """The rows of `pages`; the next page is fetched while this one is used.

    With a `title`, a line tells how many of `total` were used.
    """
    from concurrent.futures import ThreadPoolExecutor

    from jupyter_blueno.client.progress import ProgressLine

    done = 0
    with ThreadPoolExecutor(1, "blueno-pages") as ahead, ProgressLine(title) as line:
        waiting = ahead.submit(next, pages, None)
        while (page := waiting.result()) is not None:
            waiting = ahead.submit(next, pages, None)
            yield from page
            done += len(page)
            if title:
                line.update(done, total())


def ranges(ordinals: Sequence[int] | np.ndarray) -> str:
    """``[0, 1, 2, 7]`` → ``0-2,7``."""
    parts: list[tuple[int, int]] = []
    for one in sorted({int(ordinal) for ordinal in ordinals}):
        if parts and parts[-1][1] == one - 1:
            parts[-1] = (parts[-1][0], one)
        else:
            parts.append((one, one))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def numbers(text: str) -> list[int]:
    """``0-2,7`` → ``[0, 1, 2, 7]``."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
