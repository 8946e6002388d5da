"""What a job shows, kept as files: one mime bundle each, in order. Standard library only."""

from __future__ import annotations

import os
from _thread import allocate_lock

from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BYTES_LIMIT = 32 << 20  # of one output
COUNT_LIMIT = 2000  # outputs kept at a time


class Outputs:
    """The outputs of one job. Safe to use from threads.

    An output is never changed: one that takes the place of others says so in
    ``replaces``, and theirs are removed.
    """

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "outputs")
        os.makedirs(self.folder, exist_ok=True)
        self._lock = allocate_lock()
        taken = [int(name[:-5]) for name in os.listdir(self.folder) if name.endswith(".json")]
        self._next = max(taken, default=-1) + 1
        self._kept = set(taken)
        self._by_display: dict[str, int] = {}
        self._cleared: list[int] = []

    def add(
        self,
        role: str,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        display_id: str | None = None,
        update: bool = False,
    ) -> None:
        """Keep one output.

        Parameters
        ----------
        role : str
            ``display``, ``result`` or ``error``.
        data, metadata : dict
            A mime bundle as Jupyter has it; bytes are base64-encoded.
        display_id : str, optional
            With `update`, takes the place of what was shown under that name.
        """
        with self._lock:
            replaces = self._cleared
            self._cleared = []
            if update:
                if display_id not in self._by_display:
                    return
                replaces = [*replaces, self._by_display[display_id]]
            if len(self._kept) - len(replaces) >= COUNT_LIMIT and role == "display":
                return
            index, self._next = self._next, self._next + 1
            if display_id is not None:
                self._by_display[display_id] = index
            self._write({"index": index, "role": role, "replaces": replaces}, data, metadata or {})
            self._kept.add(index)
            self._remove(replaces)

    def clear(self, wait: bool = False) -> None:
        """Forget what was shown: now, or when the next output comes."""
        with self._lock:
            self._cleared = sorted(self._kept)
        if not wait and self._cleared:
            self.add("display", {})

    def _write(self, head: dict[str, Any], data: dict[str, Any], metadata: dict[str, Any]) -> None:
        import json

        bundle = {mime: _plain(value) for mime, value in data.items()}
        try:
            text = json.dumps({**head, "data": bundle, "metadata": metadata}, default=str)
        except (TypeError, ValueError) as error:
            text = json.dumps({**head, "data": {"text/plain": f"This output cannot be kept: {error}."}})
        if len(text) > BYTES_LIMIT:
            note = f"This output of {len(text) >> 20} MB is too large to keep (limit {BYTES_LIMIT >> 20} MB)."
            text = json.dumps({**head, "data": {"text/plain": note}})
        name = f"{head['index']:06d}.json"
        temporary = os.path.join(self.folder, "." + name)
        with suppress(OSError):  # a full disk: the work goes on
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, os.path.join(self.folder, name))

    def _remove(self, indices: list[int]) -> None:
        for index in indices:
            self._kept.discard(index)
            with suppress(OSError):
                os.unlink(os.path.join(self.folder, f"{index:06d}.json"))


def _plain(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    import base64

    return base64.b64encode(value).decode()
