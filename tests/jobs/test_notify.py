"""Webhooks and e-mail at the end of a job: a real HTTP server, a real SMTP conversation."""

from __future__ import annotations

import json
import socketserver
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job
from jupyter_blueno.jobs.testing import ALICE, cell, command, start, until, wait


class Hook(ThreadingHTTPServer):
    """Keeps what it is told; answers the first request with an error."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.statuses = list(statuses)
        self.told: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?secret=1"


class Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Mailbox(socketserver.ThreadingTCPServer):
    """Takes e-mail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.lines: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        inside = False
        for line in self.rfile:
            text = line.decode().rstrip("\r\n")
            self.server.lines.append(text)
            if inside and text != ".":
                continue
            inside = text.upper() == "DATA"
            answer = "354 go on" if inside else "221 bye" if text.upper() == "QUIT" else "250 ok"
            self.wfile.write(f"{answer}\r\n".encode())


@pytest.fixture
def hook(config: Config) -> Iterator[Hook]:
    with Hook(500) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config.webhook = server.url
        yield server
        server.shutdown()


@pytest.fixture
def mailbox(config: Config) -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config.mail_server = f"smtp://127.0.0.1:{server.server_address[1]}"
        config.mail_to = "team@example.org"
        yield server
        server.shutdown()


def notified(manager: JobManager, job: Job) -> dict[str, str]:
    folder = JobFolder.of(manager.config, job.id)
    found: dict[str, str] = until(lambda: folder.read("notified.json", dict), "somebody to be told")
    return found


def test_a_webhook_is_told_although_nobody_is_there(hook: Hook, manager: JobManager) -> None:
    job = start(manager, cell("x = [1]\nx / 2"), "train")
    manager.close()
    manager.database.close()
    assert notified(manager, job) == {"webhook": "sent"}
    assert len(hook.told) == 2  # the first was answered with an error
    path, media_type, told = hook.told[1]
    assert (path, media_type) == ("/hook?secret=1", "application/json")
    assert told["event"] == "job_ended"
    assert told["text"].startswith("train failed after ")
    assert told["text"].endswith(": TypeError: unsupported operand type(s) for /: 'list' and 'int'")
    assert told["job"]["id"] == job.id
    assert told["job"]["state"] == "FAILED"
    assert told["job"]["failure"]["line"]["number"] == 2
    kept = manager.config.home_path / "queue" / "notify.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_refusal_is_not_asked_again(hook: Hook, manager: JobManager) -> None:
    hook.statuses = [404]
    job = wait(manager, start(manager, command("false")), "FAILED")
    assert "404" in notified(manager, job)["webhook"]
    assert len(hook.told) == 1


def test_only_of_failures_and_long_jobs(hook: Hook, manager: JobManager) -> None:
    hook.statuses = []
    short = wait(manager, start(manager, command("true")), "SUCCEEDED")
    cancelled = start(manager, command("sleep", "100"))
    manager.cancel(ALICE, cancelled.id)
    wait(manager, cancelled, "CANCELLED")
    manager.config.notify_after = 0.0
    long = wait(manager, start(manager, command("true"), "long"), "SUCCEEDED")
    notified(manager, long)
    assert [told["job"]["id"] for _, _, told in hook.told] == [long.id]
    assert not JobFolder.of(manager.config, short.id).has("notified.json")


def test_mail_is_sent(mailbox: Mailbox, manager: JobManager) -> None:
    job = wait(manager, start(manager, command("sh", "-c", "exit 3"), "näïve\u2028name"), "FAILED")
    assert notified(manager, job) == {"mail": "sent"}
    assert "rcpt TO:<team@example.org>" in mailbox.lines
    assert any(job.id in line for line in mailbox.lines)


@pytest.mark.parametrize("url", ["ftp://host/x", "host.example", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="webhook"):
        Config(webhook=url)
