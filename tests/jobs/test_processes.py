"""Finding processes: never one too many."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jupyter_blueno.jobs.engine import processes


def test_session_0_is_nobody() -> None:
    # Init and the kernel's threads have it; ending "session 0" would end the machine.
    assert processes.marked("BLUENO_JOB_ID=of nobody", 0) == set()


def test_groups_0_and_1_are_never_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "killpg", lambda group, number: sent.append((group, number)))
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    processes.send_group(0, 15)
    processes.send_group(1, 15)
    processes.send({0, 1}, 15)
    assert sent == []


def test_identity_differs_between_processes_and_ends_with_them() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        one = processes.identity(process.pid)
        assert one is not None
        assert one == processes.identity(process.pid)
        assert process.pid in processes.descendants(os.getpid())
        process.communicate(b"\n")
    assert processes.identity(process.pid) is None


def test_marked_finds_by_environment() -> None:
    environment = {**os.environ, "MARK": "here"}
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert processes.marked("MARK=here", 0) == {process.pid}
        assert processes.marked("MARK=not", process.pid) == {process.pid}
        process.communicate(b"\n")
