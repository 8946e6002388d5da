"""A backup is copied in pieces, and one that is not whole is none, here and on the volume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blueno.setup.backup import told
from tests.setup.conftest import CLUSTER, Shell

NAME = "2026-11-23T02-17-00Z"
MIB = 2**20
LARGE = 200 * MIB
# What runs in a pod runs here, on a folder in the place of the volume; a copy ends after `CUT` bytes,
# and `STALL` whether it goes on waiting then, instead of ending as if all were well.
KUBECTL = f"""\
#!{sys.executable}
import os, pathlib, subprocess, sys, time
folder, words = pathlib.Path(os.environ["FAKES"]), sys.argv[1:]
if "exec" not in words:
    os.execv(folder / "bin" / "played", ["kubectl", *words])
command = [one.replace("/volume", str(folder / "volume")) for one in words[words.index("--") + 1 :]]
cut = os.environ.get("CUT")
copies = command[0] == "cat" or (command[0] == "sh" and "cat >" in command[2])
if not (cut and copies):
    os.execvp(command[0], command)
if command[0] == "cat":
    with open(command[1], "rb") as source:
        sys.stdout.buffer.write(source.read(int(cut)))
        sys.stdout.flush()
else:
    subprocess.run(command, input=sys.stdin.buffer.read(int(cut)), check=True)
(folder / "reached").touch()
if os.environ.get("STALL"):
    time.sleep(100)
"""
RUN = """\
import sys
from pathlib import Path
from jupyter_blueno.setup import backup
from jupyter_blueno.setup.cluster import Cluster
from jupyter_blueno.setup.programs import Shell

cluster, path = Cluster(Shell(print)), Path(sys.argv[2])
if sys.argv[1] == "fetch":
    backup.fetch(cluster, sys.argv[3], path)
else:
    backup.bring(cluster, path)
print("peak", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


class Place:
    """A cluster that is played, and its volume."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "hub.tar"
        self.kept = folder / "volume" / "backups"
        self.kept.mkdir(parents=True)
        container = {"name": "backup", "volumeMounts": [{"name": "volume", "mountPath": "/volume"}]}
        pod = {"initContainers": [container], "containers": [container]}
        cron = {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}
        rules = [{"asked": "get cronjob/blueno-backup", "out": json.dumps(cron)}, *CLUSTER]
        (folder / "rules.json").write_text(json.dumps(rules))

    def holds(self, size: int) -> None:
        """Have a backup on the volume whose larger part has a size, and no two pieces alike."""
        made = self.kept / NAME
        made.mkdir(exist_ok=True)
        (made / "hub").write_bytes(b"of the hub")
        with (made / "blueno").open("wb") as file:
            for number in range(size // MIB):
                file.write(number.to_bytes(8, "big") * (MIB // 8))

    def begun(self, what: str, **variables: str) -> subprocess.Popen[str]:
        path = f"{self.folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return subprocess.Popen(
            [sys.executable, "-c", RUN, what, str(self.file), NAME],
            env={**os.environ, "PATH": path, "FAKES": str(self.folder), **variables},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, what: str, *, well: bool = True, **variables: str) -> str:
        running = self.begun(what, **variables)
        said, _ = running.communicate(timeout=100)
        assert (running.returncode == 0) is well, said
        return said

    def peak(self, what: str) -> int:
        """Bytes of memory that it took at its most."""
        return int(self.run(what).split("peak ")[1]) * 1024

    def killed(self, what: str) -> None:
        """Begin, and be killed, with all that it started, when a part of a copy is there."""
        running = self.begun(what, CUT=str(MIB), STALL="1")
        try:
            deadline = time.monotonic() + 60
            while not (self.folder / "reached").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert (self.folder / "reached").exists()
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            (self.folder / "reached").unlink(missing_ok=True)

    def seen(self) -> list[str]:
        """The backups that a restore sees."""
        return subprocess.run(
            ["ls", "-1", self.kept], capture_output=True, text=True, check=True
        ).stdout.split()

    def content(self) -> Iterator[tuple[str, bytes]]:
        for part in ("hub", "blueno"):
            yield part, (self.kept / NAME / part).read_bytes()


@pytest.fixture
def place(shell: Shell) -> Place:
    programs = shell.folder / "bin"
    (programs / "kubectl").rename(programs / "played")
    # It answers by its name.
    played = (programs / "played").read_text().replace("Path(sys.argv[0]).name", '"kubectl"')
    (programs / "played").write_text(played)
    (programs / "kubectl").write_text(KUBECTL)
    (programs / "kubectl").chmod(0o755)
    return Place(shell.folder)


def test_a_large_backup_takes_no_more_memory_than_a_small_one(place: Place) -> None:
    place.holds(MIB)
    small = place.peak("fetch")
    smaller = place.peak("bring")
    place.file.unlink()
    place.holds(LARGE)
    assert place.peak("fetch") < small + LARGE // 10
    assert place.file.stat().st_mode & 0o777 == 0o600
    before = dict(place.content())
    with tarfile.open(place.file) as archive:
        for part, content in before.items():
            member = archive.extractfile(f"databases/{NAME}/{part}")
            assert member is not None
            assert member.read() == content

    # The volume has one of that name already, as it does where it was copied.
    assert place.peak("bring") < smaller + LARGE // 10
    assert dict(place.content()) == before
    assert os.listdir(place.kept) == [NAME]


def test_a_copy_that_is_killed_leaves_no_backup_of_that_name(place: Place) -> None:
    place.holds(4 * MIB)
    place.killed("fetch")
    assert not place.file.exists()
    place.run("fetch")
    assert told(place.file)[0] == NAME

    before = dict(place.content())
    (place.kept / NAME).rename(place.folder / "elsewhere")
    place.killed("bring")
    assert place.seen() == []
    place.run("bring")
    assert place.seen() == [NAME]
    assert dict(place.content()) == before


def test_a_connection_that_ends_early_is_no_end(place: Place) -> None:
    place.holds(4 * MIB)
    said = place.run("fetch", well=False, CUT=str(MIB))
    assert f"Not all 4,194,304 bytes of /volume/backups/{NAME}/blueno were copied" in said
    assert not [one for one in os.listdir(place.folder) if "hub.tar" in one]

    place.run("fetch")
    (place.kept / NAME).rename(place.folder / "elsewhere")
    said = place.run("bring", well=False, CUT=str(MIB))
    assert "Not all 4,194,304 bytes" in said
    assert place.seen() == []


def test_what_the_pod_says_is_told(place: Place) -> None:
    place.holds(MIB)
    (place.kept / NAME / "blueno").unlink()
    assert "No such file or directory" in place.run("fetch", well=False)
    assert not place.file.exists()


def test_a_file_that_was_cut_off_is_not_brought(place: Place) -> None:
    place.holds(2 * MIB)
    place.run("fetch")
    with place.file.open("r+b") as file:
        file.truncate(MIB)
    said = place.run("bring", well=False)
    assert "is not a backup that 'blueno backup --to' wrote" in said


def test_where_it_is_to_be_written_is_looked_at_first(shell: Shell) -> None:
    said = shell.run("backup", "--to", str(shell.folder / "none" / "hub.tar"), ends=1)
    assert "is not there; make it, or name another file" in said
    assert not shell.asked("kubectl")
