"""When a schedule is due, and what it owes after a time in which nobody looked. No I/O."""

from __future__ import annotations

import difflib
import functools
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.schedules.model import CatchUp, Timing

ON_TIME = timedelta(minutes=2)  # what is fired no later than this was not missed
COUNTED = 1000  # missed times that are counted; more are "at least so many"
MOST_LIMIT = 1000

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_EXAMPLE = "Write five fields: minute, hour, day, month, weekday; '0 3 * * *' is every day at 03:00."


class Cron:
    """A cron line in a time zone.

    In a night with two hours of one name, what is due at a set time is due once;
    what is due each hour, in both. A time that the clocks leave out is due when
    they have gone forward.

    Raises
    ------
    InvalidInput
        ``bad_cron``: it is not one, or no time ever fits; ``bad_zone``.
    """

    def __init__(self, line: str, zone: str) -> None:
        self.line = " ".join(_NAMED.get(line.strip().lower(), line).split())
        self.zone = zone_of(zone)
        if len(self.line.split()) != 5:
            raise InvalidInput(f"'{line.strip()[:60]}' is no cron line. {_EXAMPLE}", code="bad_cron")
        try:
            self.words = CronSim(self.line, datetime.now(self.zone)).explain()
        except CronSimError as error:
            if "day-of-month" in str(error) and _fits_days(self.line):
                raise _never(self.line) from None
            wrong = str(error).lower()
            raise InvalidInput(
                f"'{self.line[:60]}' is no cron line: {wrong}. {_EXAMPLE}", code="bad_cron"
            ) from None

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, in UTC.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        return self.upcoming(moment, 1)[0]

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """The next times after a moment, in UTC."""
        found: list[datetime] = []
        times = CronSim(self.line, moment.astimezone(self.zone))
        while len(found) < count:
            try:
                due = next(times).astimezone(UTC)
            except StopIteration:
                raise _never(self.line) from None
            if due > (found[-1] if found else moment):  # not once more in the hour that comes twice
                found.append(due)
        return found

    def between(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """Times with ``after < time <= until``, the first `most` of them."""
        found: list[datetime] = []
        while len(found) < most:
            due = self.after(found[-1] if found else after)
            if due > until:
                break
            found.append(due)
        return found

    def newest(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """The last `most` of the times with ``after < time <= until``."""
        window = timedelta(hours=1)
        while True:
            start = max(after, until - window)
            found = self.between(start, until, COUNTED)
            if len(found) >= most or start == after:
                return found[-most:]
            window *= 4


@dataclass(frozen=True)
class Owed:
    """What is to be started: `on_time`, and to make up for what was missed; `missed` counts all of that."""

    on_time: list[datetime]
    made_up: list[datetime]
    missed: int
    newest_missed: datetime | None


def owed(cron: Cron, due: datetime, now: datetime, catch_up: CatchUp, limit: int) -> Owed:
    """What is owed at `now` of a schedule whose next time was `due`."""
    before = due - timedelta(microseconds=1)
    punctual = max(before, now - ON_TIME)
    on_time = cron.between(punctual, now, COUNTED)
    if punctual == before:
        return Owed(on_time, [], 0, None)
    missed = len(cron.between(before, punctual, COUNTED))
    late = cron.newest(before, punctual, max(1, limit)) if missed else []
    made_up: list[datetime] = []
    if catch_up == "all":
        made_up = late[-limit:]
    elif catch_up == "once" and not on_time:  # else the one that is on time makes up for them
        made_up = late[-1:]
    return Owed(on_time, made_up, missed, late[-1] if late else None)


def check(timing: Timing) -> Cron | None:
    """Refuse what would never start anything.

    Raises
    ------
    InvalidInput
    """
    if timing.cron is None and timing.dataset is None:
        raise InvalidInput(
            "Give times (cron='0 3 * * *'), or a dataset whose new versions start it (dataset='…').",
            code="schedule_never",
        )
    if not 1 <= timing.limit <= MOST_LIMIT:
        raise InvalidInput(
            f"'limit' is {timing.limit}; it goes from 1 to {MOST_LIMIT}.", code="schedule_limit"
        )
    zone_of(timing.zone)
    if timing.cron is None:
        return None
    cron = Cron(timing.cron, timing.zone)
    cron.after(datetime.now(UTC))
    return cron


def words(timing: Timing) -> str:
    """When, in words: ``At 03:00 every day, Europe/Berlin``."""
    parts = []
    if timing.cron is not None:
        parts.append(f"{Cron(timing.cron, timing.zone).words}, {timing.zone}")
    if timing.dataset is not None:
        parts.append(f"when {timing.dataset} has a new version")
    said = ", and ".join(parts)
    return said[:1].upper() + said[1:]


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name.

    Raises
    ------
    InvalidInput
        ``bad_zone``, with the names that come nearest.
    """
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        cities = {zone.rpartition("/")[2].lower(): zone for zone in _zones()}
        near = difflib.get_close_matches(name, _zones(), n=2)
        near = near or [cities[one] for one in difflib.get_close_matches(name.lower(), cities, n=2)]
        hint = f"Did you mean {' or '.join(near)}?" if near else "Write it like Europe/Berlin, or UTC."
        raise InvalidInput(f"There is no time zone '{name[:60]}'. {hint}", code="bad_zone") from None


@functools.cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())


def _fits_days(line: str) -> bool:
    """Whether the day alone is right, so that it is its months that have no such day."""
    fields = line.split()
    try:
        CronSim(" ".join([*fields[:3], "*", fields[4]]), datetime.now(UTC))
    except CronSimError:
        return False
    return True


def _never(line: str) -> InvalidInput:
    return InvalidInput(
        f"'{line[:60]}' never comes: no month that it names has such a day. {_EXAMPLE}", code="bad_cron"
    )
