"""What people and teams keep on a hub's volume: how it is added up, and what is said of it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from jupyter_blueno.hub import sizes
from jupyter_blueno.jobs.quotas.model import Most, Quotas, TeamQuota
from jupyter_blueno.jobs.quotas.storage import FOUND, Found, Size, Store

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
QUOTA = TeamQuota(team=Most(storage="1G"), person=Most(storage="50M"))


def write(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def test_each_file_counts_once_and_links_lead_nowhere(tmp_path: Path) -> None:
    data = write(tmp_path / "home/alice/data/scans.bin", 3_000_000)
    os.link(data, tmp_path / "home/alice/again.bin")
    (tmp_path / "home/alice/else").symlink_to(tmp_path / "shared")
    write(tmp_path / "home/alice/notes.txt", 100)
    write(tmp_path / "home/.left/carol/old.bin", 1_000_000)
    write(tmp_path / "shared/radiology/set.bin", 2_000_000)
    write(tmp_path / "teams/radiology/jobs/1/log", 1_000_000)
    with open(tmp_path / "home/alice/sparse.bin", "wb") as sparse:
        sparse.truncate(1 << 30)  # which takes nothing of the disk
    sizes.main(str(tmp_path))
    found = msgspec.json.decode((tmp_path / "teams" / FOUND).read_bytes(), type=Found)
    assert set(found.home) == {"alice"}
    alice = found.home["alice"]
    assert alice.files == 4  # three, and a link
    assert 3_000_000 <= alice.bytes < 3_200_000
    assert found.shared["radiology"].bytes >= 2_000_000
    assert set(found.teams) == {"radiology"}, "what was found is no team"
    assert found.teams["radiology"].parts["jobs"] >= 1_000_000
    again = tmp_path / "teams" / FOUND
    assert not again.with_suffix(".partial").exists()


def test_a_volume_without_anything_is_looked_at_too(tmp_path: Path) -> None:
    sizes.main(str(tmp_path))
    assert msgspec.json.decode((tmp_path / "teams" / FOUND).read_bytes(), type=Found).home == {}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    parts = {"data": 60_000_000, "notes.txt": 4096}
    found = Found(
        NOW,
        home={"alice": Size(60_004_096, 2, parts), "bob": Size(1000, 1, {"a": 1000})},
        shared={"radiology": Size(900_000_000, 9)},
        teams={"radiology": Size(200_000_000, 7, {"jobs": 150_000_000, "data": 50_000_000})},
    )
    (tmp_path / FOUND).write_bytes(msgspec.json.encode(found))
    return Store(tmp_path, "radiology", QUOTA, str)


def test_who_keeps_too_much_is_told_what_takes_it(store: Store) -> None:
    said = store.home_refusal("alice")
    assert said is not None
    assert said.startswith("Your folder holds 60 MB, and one person may keep 50 MB. The largest: data 60 MB")
    assert store.home_refusal("bob") is None
    assert store.home_refusal("carol") is None  # of whom nothing was seen
    team = store.team_refusal()
    assert team is not None
    assert team.startswith(
        "The team radiology holds 1.1 GB on the volume, and may keep 1 GB. The largest: shared 900 MB, "
    )
    assert "the last was at 12:30 UTC" in team
    assert store.refusal("bob") == team


def test_who_made_room_since_is_believed_until_the_next_look(store: Store) -> None:
    store.makes_room("alice")
    assert store.home_refusal("alice") is None
    later = datetime.fromtimestamp(time.time(), UTC) + timedelta(minutes=1)
    found = store.found()
    assert found is not None
    (store.beside / FOUND).write_bytes(msgspec.json.encode(msgspec.structs.replace(found, at=later)))
    assert store.home_refusal("alice") is not None


def test_others_are_told_how_much_and_not_what(store: Store) -> None:
    told = store.told("bob", ["alice", "bob", "carol"])
    assert told is not None
    assert [(one.owner, one.bytes, one.parts) for one in told.people] == [
        ("alice", 60_004_096, {}),
        ("bob", 1000, {"a": 1000}),
    ]
    assert (told.team.bytes, told.team.most) == (1_100_000_000, 1e9)


def test_without_a_look_or_a_bound_nobody_is_refused(store: Store, tmp_path: Path) -> None:
    free = Store(store.beside, "radiology", TeamQuota(), str)
    assert free.refusal("alice") is None
    (store.beside / FOUND).write_text("{ cut off")
    assert (store.refusal("alice"), store.told("alice", ["alice"])) == (None, None)
    assert Store(tmp_path / "none", "radiology", QUOTA, str).refusal("alice") is None


def test_a_team_s_own_bound_comes_before_that_of_all() -> None:
    quotas = Quotas(Most(storage="1Ti"), Most(storage=100), {"a": TeamQuota(person=Most(storage="1k"))})
    assert (quotas.of("a").person.bytes, quotas.of("a").team.bytes) == (1000, 1 << 40)
    assert quotas.of("b").person.bytes == 100
    assert quotas.any
