"""The folders of people and teams on the volume: made by a shell, and mended."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_blueno.hub.folders import Folders, script

USER = 1000


@pytest.fixture
def volume() -> Iterator[Path]:
    """Return a folder that others reach, too."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        for parent in ("home", "shared"):
            (Path(made) / parent).mkdir()
            os.chown(Path(made) / parent, USER, USER)
        yield Path(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes folders of root, as a node does: only root can")
def test_what_the_node_made_as_root_becomes_theirs(volume: Path) -> None:
    home, team, datasets = volume / "home" / "alice", volume / "shared" / "team", volume / "shared" / "all"
    home.mkdir(0o750)
    team.mkdir(0o750)
    (team / "kept").touch()  # somebody's file: it stays, whatever else
    made = ["sh", "-c", script(str(home), [str(team), str(datasets)])]
    for _ in range(2):
        subprocess.run(made, user=USER, group=USER, check=True)
        assert (home.stat().st_uid, home.stat().st_mode & 0o7777) == (USER, 0o700)
        assert (datasets.stat().st_uid, datasets.stat().st_mode & 0o7777) == (USER, 0o2775)
        assert (team.stat().st_uid, (team / "kept").exists()) == (0, True)
        (home / "work").touch()  # of what is theirs nothing is removed


def test_folders_are_known_once_a_server_came_up_with_them() -> None:
    def spawner(person: int, pending: str | None) -> SimpleNamespace:
        return SimpleNamespace(user=SimpleNamespace(id=person), pending=pending)

    folders = Folders()
    assert not folders.are_there(spawner(1, "spawn"), "radiology")
    folders.ended(spawner(1, "spawn"), "radiology")  # it did not come up
    assert not folders.are_there(spawner(1, "spawn"), "radiology")
    folders.ended(spawner(1, "stop"), "radiology")
    assert folders.are_there(spawner(1, "spawn"), "radiology")
    assert not folders.are_there(spawner(1, "spawn"), "pathology")
    assert not folders.are_there(spawner(2, "spawn"), "radiology")
    folders.ended(spawner(1, "spawn"), "radiology")
    assert not folders.are_there(spawner(1, "spawn"), "radiology")
