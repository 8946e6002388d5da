"""When a schedule is due: nights in which clocks change, and lines that never come."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.schedules.model import CatchUp, Timing
from jupyter_blueno.schedules.rules import COUNTED, Cron, check, owed, words

NIGHTS = {  # zone → the day on which the clocks go forward, and the one on which they go back
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
}


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def times(line: str, zone: str, start: str, count: int) -> list[str]:
    found = Cron(line, zone).upcoming(local(start, zone), count)
    return [one.astimezone(ZoneInfo(zone)).strftime("%d. %H:%M%z") for one in found]


def test_the_hour_that_is_left_out_is_due_when_it_would_have_been_over() -> None:
    assert times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == ["29. 03:00+0200", "30. 02:30+0200"]
    assert times("30 2 * * *", "America/New_York", "2026-03-07T12:00", 2) == [
        "08. 03:00-0400",
        "09. 02:30-0400",
    ]


@pytest.mark.parametrize("zone", NIGHTS)
def test_the_hour_that_comes_twice_is_due_once(zone: str) -> None:
    hour = 2 if zone == "Europe/Berlin" else 1  # that comes twice there
    day = NIGHTS[zone][1]
    first = Cron(f"30 {hour} * * *", zone).upcoming(local(f"{day}T00:00", zone), 3)
    assert [one.astimezone(ZoneInfo(zone)).strftime("%H:%M") for one in first] == [f"0{hour}:30"] * 3
    assert [later - sooner for sooner, later in itertools.pairwise(first)][1] == timedelta(days=1)
    # Asked in the hour between the two: not once more.
    between = first[0] + timedelta(minutes=40)
    assert Cron(f"30 {hour} * * *", zone).after(between) == first[1]


@pytest.mark.parametrize("zone", NIGHTS)
@pytest.mark.parametrize("night", [0, 1])
def test_each_hour_is_due_each_hour_in_any_night(zone: str, night: int) -> None:
    found = Cron("15 * * * *", zone).upcoming(local(f"{NIGHTS[zone][night]}T00:00", zone), 6)
    gaps = {later - sooner for sooner, later in itertools.pairwise(found)}
    assert gaps == {timedelta(hours=1)}


@pytest.mark.parametrize("line", ["0 0 31 2 *", "0 0 30 2 *", "0 12 31 4,6,9,11 *"])
def test_a_line_that_never_comes_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="never comes") as caught:
        check(Timing(cron=line))
    assert caught.value.code == "bad_cron"


@pytest.mark.parametrize(
    "line", ["", "* * * *", "61 * * * *", "0 25 * * *", "at three", "* * * * * *", "0 0 32 * *"]
)
def test_what_is_no_cron_line_is_refused_with_an_example(line: str) -> None:
    with pytest.raises(InvalidInput, match="'0 3 \\* \\* \\*' is every day at 03:00"):
        check(Timing(cron=line))


def test_leap_days_and_names_are_understood() -> None:
    found = Cron("0 0 29 2 *", "UTC").upcoming(datetime(2026, 1, 1, tzinfo=UTC), 2)
    assert [one.year for one in found] == [2028, 2032]
    assert Cron("@daily", "UTC").line == "0 0 * * *"
    assert words(Timing(cron="0 3 * * 1-5", zone="Europe/Berlin")) == (
        "At 03:00 on Monday through Friday, Europe/Berlin"
    )
    assert words(Timing(dataset="mnist")) == "When mnist has a new version"


@pytest.mark.parametrize(
    ("name", "hint"), [("Europe/Berln", "Europe/Berlin"), ("Tokyo", "Asia/Tokyo"), ("", "UTC")]
)
def test_an_unknown_zone_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=hint) as caught:
        check(Timing(cron="0 3 * * *", zone=name))
    assert caught.value.code == "bad_zone"


DAILY = Cron("0 3 * * *", "UTC")
THIRD = datetime(2026, 5, 3, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(("catch_up", "days"), [("skip", []), ("once", [6]), ("all", [4, 5, 6])])
def test_what_was_missed_is_made_up_for_as_asked(catch_up: CatchUp, days: list[int]) -> None:
    found = owed(DAILY, THIRD, THIRD + timedelta(days=3, hours=2), catch_up, limit=3)
    assert [one.day for one in found.made_up] == days
    assert (found.on_time, found.missed) == ([], 4)
    assert found.newest_missed is not None
    assert found.newest_missed.day == 6


def test_the_run_that_is_on_time_makes_up_for_those_before() -> None:
    now = THIRD + timedelta(days=2, seconds=20)
    found = owed(DAILY, THIRD, now, "once", limit=10)
    assert ([one.day for one in found.on_time], found.made_up, found.missed) == ([5], [], 2)
    assert [one.day for one in owed(DAILY, THIRD, now, "all", 10).made_up] == [3, 4]


def test_a_year_of_minutes_is_counted_quickly() -> None:
    now = datetime(2027, 5, 3, 3, 0, 30, tzinfo=UTC)
    found = owed(Cron("* * * * *", "UTC"), THIRD, now, "all", limit=5)
    assert found.missed == COUNTED
    assert [one.minute for one in found.made_up] == [54, 55, 56, 57, 58]
    assert len(found.on_time) == 2
