"""How schedules look in a notebook and in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jupyter_blueno.client import look
from jupyter_blueno.schedules.model import Firing, Schedule, Standby

if TYPE_CHECKING:
    from jupyter_blueno.client.schedules import Schedule as Handle

_HEAD = ["name", "when", "next", "last", "runs"]
_NONE = "No schedules yet. blueno.schedule('nightly', train, cron='0 3 * * *') makes one."
_CAUSES = {"time": "", "catch_up": "made up for", "dataset": "new version", "hand": "by hand"}


def text(info: Schedule, standby: Standby | None) -> str:
    """A schedule in a line, and in a second one what would keep it from starting."""
    line = f"<Schedule {info.name!r}: {_line(info)}>"
    return "\n".join([line, *note(standby)])


def html(info: Schedule, standby: Standby | None) -> str:
    notes = "".join(f"<div style='{look.FAINT}'>{escape(one)}</div>" for one in note(standby))
    times = [local(one, info.timing.zone) for one in info.upcoming[1:]]
    then = f"<div style='{look.FAINT}'>then {escape(', '.join(times))}</div>" if times else ""
    return (
        f"<div style='{look.FRAME}'><b>{escape(info.name)}</b> {escape(_line(info))} {dots(info)}"
        f"{then}{notes}</div>"
    )


def note(standby: Standby | None) -> list[str]:
    """What would keep schedules from starting, and the command that changes it."""
    if standby is None or standby.sentence is None:
        return []
    return [f"{standby.sentence} In a terminal: {standby.command}"]


def dots(info: Schedule) -> str:
    """Its last runs, the oldest first, as signs."""
    return " ".join(sign(run) for run in reversed(info.runs))


def sign(run: Firing) -> str:
    if run.job_state is not None:
        return look.STATE_SIGNS[run.job_state]
    return {"waiting": "◌", "failed": "✗", "skipped": "–"}.get(run.state, "·")


def came_of(run: Firing) -> str:
    """What came of one time, in words."""
    words = look.STATE_WORDS[run.job_state] if run.job_state is not None else run.state
    if run.state == "started" and run.job_state is None:
        words = "its job was deleted"
    parts = [words, _CAUSES[run.cause], run.reason or ""]
    if run.missed and run.state != "skipped":
        parts.append(
            f"missed {run.missed}, ran once" if run.cause == "catch_up" else f"missed {run.missed} before"
        )
    return " · ".join(part for part in parts if part)


def local(moment: datetime, zone: str) -> str:
    """``Tue 24 Nov 03:00``, with the year where it is another one."""
    there = moment.astimezone(ZoneInfo(zone))
    now = datetime.now(UTC).astimezone(ZoneInfo(zone))
    return f"{there:%a %d %b %H:%M}" if there.year == now.year else f"{there:%a %d %b %Y %H:%M}"


class ScheduleList(list["Handle"]):
    """Schedules, shown as a table."""

    def __init__(self, found: Sequence[Handle], standby: Standby) -> None:
        super().__init__(found)
        self.standby = standby

    def _cells(self) -> list[list[str]]:
        return [
            [info.name, info.words, _next(info), came_of(info.runs[0]) if info.runs else "", dots(info)]
            for info in (one._info for one in self)
        ]

    def __repr__(self) -> str:
        if not self:
            return _NONE
        return "\n".join([look.table(self._cells(), _HEAD), *note(self.standby)])

    def _repr_html_(self) -> str:
        if not self:
            return f"<div style='{look.FRAME}'>{escape(_NONE)}</div>"
        table = look.html_table([list(map(escape, row)) for row in self._cells()], _HEAD)
        notes = "".join(
            f"<div style='{look.FRAME};{look.FAINT}'>{escape(one)}</div>" for one in note(self.standby)
        )
        return table + notes


class RunList(list[Firing]):
    """What came of a schedule's times, the newest first; shown as a table."""

    def __init__(self, found: Sequence[Firing], zone: str) -> None:
        super().__init__(found)
        self._zone = zone

    def _cells(self) -> list[list[str]]:
        return [
            [local(one.due, self._zone), f"{sign(one)} {came_of(one)}", (one.job_id or "")[:8]]
            for one in self
        ]

    def __repr__(self) -> str:
        return look.table(self._cells(), ["due", "what came of it", "job"]) if self else "It was not due yet."

    def _repr_html_(self) -> str:
        rows: list[list[Any]] = [list(map(escape, row)) for row in self._cells()]
        if not rows:
            return f"<div style='{look.FRAME}'>It was not due yet.</div>"
        return look.html_table(rows, ["due", "what came of it", "job"])


def _next(info: Schedule) -> str:
    if info.paused:
        return "paused"
    return local(info.next_due, info.timing.zone) if info.next_due is not None else ""


def _line(info: Schedule) -> str:
    parts = [info.words]
    if info.paused:
        parts.append("paused")
    elif info.next_due is not None:
        parts.append(f"next {_next(info)}")
    if info.runs:
        parts.append(f"last {came_of(info.runs[0])}")
    return " · ".join(parts)
