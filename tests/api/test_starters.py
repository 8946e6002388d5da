"""What everybody begins with: given once, and then the person's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_blueno.api.starters import examples, hand_out


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    return place


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A team's folder with two starters, a link and something hidden."""
    starters = tmp_path / "shared" / "starters"
    starters.mkdir(parents=True)
    (starters / "00-our-scanner.ipynb").write_text("{}")
    (starters / "03-background-job.ipynb").write_text("ours")
    (starters / ".hidden").write_text("x")
    (tmp_path / "elsewhere").write_text("x")
    os.symlink(tmp_path / "elsewhere", starters / "link")
    return tmp_path / "shared"


def names(home: Path) -> set[str]:
    return {path.name for path in (home / "welcome").iterdir()} - {".given.json"}


def test_the_team_s_come_first_and_in_place_of_ours(home: Path, shared: Path) -> None:
    assert hand_out(home, shared) == "welcome/00-our-scanner.ipynb"
    source = examples()
    assert source is not None
    ours = {path.name for path in source.glob("*.ipynb")}
    assert names(home) == ours | {"00-our-scanner.ipynb"}
    assert (home / "welcome" / "03-background-job.ipynb").read_text() == "ours"


def test_they_are_given_once(home: Path, shared: Path) -> None:
    hand_out(home, shared)
    (home / "welcome" / "01-browse.ipynb").unlink()
    (home / "welcome" / "02-volume.ipynb").write_text("mine")
    (shared / "starters" / "04-new.ipynb").write_text("{}")
    assert hand_out(home, shared) is None
    assert "01-browse.ipynb" not in names(home)
    assert "04-new.ipynb" in names(home)
    assert (home / "welcome" / "02-volume.ipynb").read_text() == "mine"


def test_without_a_team_s_there_are_the_examples(home: Path, tmp_path: Path) -> None:
    assert hand_out(home, tmp_path / "nothing") == "welcome/01-browse.ipynb"


def test_a_broken_record_gives_nothing_twice(home: Path) -> None:
    hand_out(home, None)
    (home / "welcome" / "01-browse.ipynb").write_text("mine")
    (home / "welcome" / ".given.json").write_text("{")
    assert hand_out(home, None) is None
    assert (home / "welcome" / "01-browse.ipynb").read_text() == "mine"
