"""Attempts of one job: whether another one follows a failure, and when. Standard library only.

``attempt.json`` says which one is next or under way; it is on the disk before
the one it follows is forgotten, so that a supervisor that dies in between
neither loses an attempt nor makes one too many.
"""

from __future__ import annotations

import os
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine.processes import clock
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 600.0  # seconds between two attempts
MOST_MOVES = 20

# What would end in the same way again.
ENDINGS = ("not_started", "too_many_processes", "out_of_memory")
ERRORS = ("SyntaxError", "ImportError", "NameError", "NotImplementedError")
EXIT_CODES = (126, 127)  # the program is not there

OF_ONE_ATTEMPT = (
    *("ended.json", "witnessed.json", "failure.json", "error.pickle", "progress.json"),
    "cause.json",
)


class Attempts:
    """The attempts of the job in `folder`, of which `plan` allows so many.

    Attributes
    ----------
    number : int
        Of the attempt that is under way, or next: 1, 2 …
    most : int
    begins_at : float
        When it may begin (seconds since 1970).
    only : list of str
        The failures after which there is another one; empty: those that may not come again.
    untried : str or None
        Why there was not another one, although there could have been.
    """

    def __init__(self, folder: str, plan: dict[str, Any]) -> None:
        self.folder = folder
        self.first_pause = float(plan.get("retry_pause") or 0)
        self.most = 1 + int(plan.get("retries") or 0)
        self.only: list[str] = plan.get("retry_on") or []
        self.named: str | None = None  # the one of these that came last
        self.untried: str | None = None
        self.number = 1
        self.begins_at = 0.0
        self.begins_clock: float | None = None  # the same, on the clock that nobody sets; of this boot
        self.content: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            self.content = lean.read_json(self.path("attempt.json"))
            self.number = self.content["number"]
            self.most = max(self.most, self.content["of"])
            self.begins_at = self.content["begins_at"]

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @property
    def is_last(self) -> bool:
        return self.number >= self.most

    def follows(self, ending: str, status: int | None, said: dict[str, Any]) -> bool:
        """Whether another attempt follows one that ended so; if so, it is the present one now.

        Parameters
        ----------
        ending : str
            As in the record.
        status : int, optional
            Of the job's first process, as waitpid says it.
        said : dict
            What the work said of its own end; with ``final`` also that the next
            one would end so.
        """
        if self.is_last or ending == "cancelled" or self._went_well(ending, status, said):
            return False
        if said.get("final"):  # a flow, say: what failed is a step, and it was tried often enough
            return False
        code = None if status is None else os.waitstatus_to_exitcode(status)
        self.untried = self._speaks_against(ending, code)
        if self.untried is not None:
            self._note(f"Not tried again: {self.untried}.")
            return False
        why = str(said.get("reason") or _words(ending, code)).rstrip(".")
        if self.named is not None:
            why += f" (retry_on has {self.named})"
        pause = min(LONGEST, self.first_pause * 2 ** (self.number - 1)) * (0.5 + int(os.urandom(1)[0]) / 255)
        return self._next(why, pause, {"of": self.most, "moves": self.moves})

    @property
    def moves(self) -> int:
        """How many attempts ended because where they ran was taken from them."""
        return int(self.content.get("moves") or 0)

    def moved(self, why: str) -> bool:
        """Put another attempt in the place of the present one, which ended through no fault of its own.

        It counts for nothing; False if that happened so often that there must be
        another reason.
        """
        return self.moves < MOST_MOVES and self._next(
            why, 0.0, {"of": self.most + 1, "moves": self.moves + 1}
        )

    def _next(self, why: str, pause: float, counts: dict[str, int]) -> bool:
        begins_at = time.time() + pause
        content = {"number": self.number + 1, **counts, "begins_at": begins_at, "reason": why}
        try:
            lean.write_json(self.path("attempt.json"), {**content, "begun": False}, durable=True)
        except OSError:  # a full disk: that would be the end of the next one, too
            return False
        when = f" in {pause:.0f} s" if pause else ""
        self._note(f"Attempt {self.number} of {self.most} ended: {why}. The next begins{when}.")
        lean.forget(self.folder, *OF_ONE_ATTEMPT)
        self.number, self.begins_at, self.content = self.number + 1, begins_at, content
        self.begins_clock = clock() + pause
        self.most = counts["of"]
        return True

    def left(self) -> float:
        """Seconds until the present attempt may begin.

        If the clock was set meanwhile, nobody waits longer; another supervisor
        than the one that wrote the time down waits 20 minutes at most.
        """
        if self.begins_clock is not None:
            return self.begins_clock - clock()
        return min(2 * LONGEST, self.begins_at - time.time())

    def begun(self) -> None:
        """The present attempt is under way."""
        if self.content:
            with suppress(OSError):
                lean.write_json(self.path("attempt.json"), {**self.content, "begun": True})

    def _went_well(self, ending: str, status: int | None, said: dict[str, Any]) -> bool:
        return status == 0 if ending == "exited" else ending == "unwatched" and said.get("ok") is True

    def _speaks_against(self, ending: str, code: int | None) -> str | None:
        """Why an attempt that failed so is not followed by another one; None if it is."""
        if self.only and ending != "not_started":
            from jupyter_blueno.jobs.engine import retrying

            kinds = retrying.found(self.folder, ending, code)
            self.named = next((one for one in kinds if one in self.only), None)
            if self.named is None:
                return f"this was {kinds[0]}, and retry_on is {retrying.listed(self.only)}"
        elif ending in ENDINGS or (ending == "exited" and code in EXIT_CODES) or self._is_certain():
            return "that would end in the same way"
        return None

    def _is_certain(self) -> bool:
        """Whether the work failed with an error that would come again."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            return any(name in ERRORS for name in lean.read_json(self.path("failure.json"))["types"])
        return False

    def _note(self, words: str) -> None:
        """A line in the log between two attempts."""
        with suppress(OSError), open(self.path("log"), "ab") as log:
            log.write(f"\n── {words} ──\n\n".encode())


def _words(ending: str, code: int | None) -> str:
    if ending == "timed_out":
        return "it ran into its time limit"
    if ending == "machine_out_of_memory":
        return "the machine ran out of memory"
    if ending != "exited" or code is None:
        return "nobody saw how"
    return f"exit code {code}" if code > 0 else f"signal {-code}"
