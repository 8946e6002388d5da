"""The scheduler: small, alone on duty, and there when no Lab is open."""

from __future__ import annotations

import os
import plistlib
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from jupyter_blueno.catalog.model import User
from jupyter_blueno.config import Config
from jupyter_blueno.jobs.testing import ALICE, cell, until
from jupyter_blueno.schedules import login, making, sleeper, standby
from jupyter_blueno.schedules.manager import ScheduleManager
from jupyter_blueno.schedules.model import Timing

USER = User("alice", "local")


@pytest.fixture
def scheduler(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    """One on duty for the test's data folder."""
    environment = {**os.environ, **config.environment()}
    started = subprocess.Popen(login.words(str(config.home_path)), env=environment)
    until(lambda: standby.scheduler(config) == started.pid, "the scheduler")
    yield started
    started.send_signal(signal.SIGTERM)
    assert started.wait(20) == 0
    assert standby.scheduler(config) is None


def test_it_starts_what_is_due_and_is_small(
    config: Config, schedules: ScheduleManager, scheduler: subprocess.Popen[bytes]
) -> None:
    nightly, new = Timing(cron="0 3 * * *"), secrets.token_hex(16)
    taken = making.take(schedules.jobs.staging, new, "nightly", nightly, cell("6 * 7"))
    made = taken.kept(lambda said: schedules.keep(USER, said))
    assert schedules.standby(False).sentence is None
    children = psutil.Process(scheduler.pid).children
    assert children() == []
    assert psutil.Process(scheduler.pid).memory_info().rss < 20e6
    night = datetime.now(UTC).replace(hour=3, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with schedules.database.begin() as connection:  # as if it had passed, and nobody looked
        connection.exec_driver_sql("UPDATE schedule SET next_due = %s", (night,))
    standby.tell(config, night, False)
    (run,) = until(lambda: schedules.get(USER, made.id).runs, "a run")
    until(lambda: schedules.get(USER, made.id).runs[0].state == "started", "the start")
    until(lambda: schedules.jobs.get(ALICE, schedules.get(USER, made.id).runs[0].job_id or "").finished_at)
    until(lambda: not children(), "the child to end")
    due, watch = sleeper.read(str(config.home_path))
    assert due is not None
    assert due > time.time()
    assert not watch
    assert run.key


def test_a_second_one_goes_away(config: Config, scheduler: subprocess.Popen[bytes]) -> None:
    second = subprocess.run(login.words(str(config.home_path)), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "Another scheduler is on duty" in second.stderr


def test_it_leaves_a_server_its_time(config: Config) -> None:
    home = str(config.home_path)
    now = time.time()
    standby.tell(config, datetime.fromtimestamp(now - 5, UTC), False)
    assert sleeper.wanted(home, now)
    with standby.serving(config):
        assert not sleeper.wanted(home, now)
        assert sleeper.wanted(home, now + 2 * sleeper.GRACE)  # the server hangs
    assert sleeper.wanted(home, now)


def test_what_the_login_starts_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    home = "/home/a b/100%/$x"
    unit = login._systemd(home)
    assert unit.path.is_relative_to(tmp_path / ".config/systemd/user")
    assert unit.text is not None
    assert '"/home/a b/100%%/$$x"' in unit.text
    agent = login._launchd(home)
    assert agent.text is not None
    assert plistlib.loads(agent.text.encode())["ProgramArguments"] == login.words(home)
    assert "100\\%" in login._cron(home).line
    assert login.name_of(os.path.expanduser("~/blueno")) == "blueno-scheduler"


CRONTAB = """#!/bin/sh
if [ "$1" = -l ]; then cat "$TABLE" 2>/dev/null; else cat > "$TABLE"; fi
"""


def test_cron_is_told_once_and_asked_before(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a table that is a file; everything else is real."""
    table = tmp_path / "table"
    table.write_text("5 5 * * * backup\n")
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB)
    program.chmod(0o755)
    for name, link in (("cat", "/bin/cat"), ("sh", "/bin/sh")):
        (program.parent / name).symlink_to(link)
    environment = {**os.environ, **config.environment(), "PATH": str(program.parent), "TABLE": str(table)}
    environment["BLUENO_TEST_TOKEN"] = "secret"

    def blueno(*words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "jupyter_blueno", "scheduler", *words]
        return subprocess.run(
            command, env=environment, input=answer, capture_output=True, text=True, check=False
        )

    refused = blueno("install", answer="n\n")
    assert refused.returncode == 1
    assert "@reboot" in refused.stdout
    assert "@reboot" not in table.read_text()
    try:
        for _ in range(2):
            assert blueno("install", "--yes").returncode == 0
            assert table.read_text().count("@reboot") == 1
            assert table.read_text().startswith("5 5 * * * backup\n")
        kept = config.home_path / "schedules" / "environment.json"
        assert kept.stat().st_mode & 0o77 == 0
        assert "secret" in kept.read_text()
        assert "on duty" in blueno("status").stdout
    finally:
        assert blueno("uninstall").returncode == 0
    until(lambda: standby.scheduler(config) is None, "the scheduler to end")
    assert table.read_text() == "5 5 * * * backup\n"
