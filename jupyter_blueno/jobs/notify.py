"""Tells somebody that a job is over: ``python -m jupyter_blueno.jobs.notify FOLDER``.

A process of its own, which the job's supervisor starts after the end is on
record: no server has to live, and nobody waits for it. What it did is in
``notified.json``.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from jupyter_blueno.jobs import failures, lifecycle
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord, Observation, duration
from jupyter_blueno.jobs.sending.snapshot import SpecFile

PAUSES = (1.0, 5.0, 30.0, 120.0)  # seconds before each further attempt
PATIENCE = 15.0  # seconds for an answer


class Settings(msgspec.Struct, frozen=True):
    """The content of ``queue/notify.json``: whom to tell; empty: nobody."""

    webhook: str = ""
    mail_server: str = ""
    mail_to: str = ""


def main(path: str) -> None:
    """Tell of the job in this folder."""
    folder = JobFolder(Path(path))
    settings = JobFolder(folder.path.parents[1] / "queue").read("notify.json", Settings)
    told = told_of(folder)
    if settings is None or told is None:
        return
    done: dict[str, str] = {}
    if settings.webhook:
        done["webhook"] = _tried(lambda: post(settings.webhook, told))
    if settings.mail_server and settings.mail_to:
        done["mail"] = _tried(lambda: mail(settings, told))
    with contextlib.suppress(OSError):  # deleted meanwhile
        folder.write("notified.json", done)


def told_of(folder: JobFolder) -> dict[str, Any] | None:
    """What is told of a job that is over; `text` says it in a line, for chats."""
    record = folder.read("exit.json", ExitRecord)
    asked = folder.read("spec.json", SpecFile)
    if record is None or asked is None:
        return None
    seen = Observation("ended", record=record)
    verdict = lifecycle.judge("RUNNING", "run", seen, asked.spec.resources.timeout)
    failure = failures.explain(verdict, record, folder, asked.spec)
    reason = failure.sentence if failure is not None else verdict.reason
    begun = (folder.read("status.json", dict) or {}).get("started_at")
    seconds = max(0.0, record.finished_at - begun) if begun else None
    words = verdict.state.lower().replace("_", " ")
    after = f" after {duration(round(seconds))}" if seconds is not None else ""
    text = f"{asked.name} {words}{after}" + (f": {reason}" if reason else ".")
    told = {
        "event": "job_ended",
        "text": text,
        "content": text,  # as one chat program calls it
        "job": {
            "id": folder.path.name,
            "name": asked.name,
            "kind": asked.spec.kind,
            "state": verdict.state,
            "reason": reason,
            "failure": failure,
            "exit_code": record.exit_code,
            "seconds": seconds,
            "finished_at": lifecycle.moment(record.finished_at),
            "origin": asked.spec.origin,
        },
    }
    plain: dict[str, Any] = msgspec.to_builtins(told)
    return plain


def post(url: str, told: dict[str, Any]) -> None:
    """Send it as JSON.

    Raises
    ------
    OSError
        If it did not arrive.
    """
    import urllib.request

    headers = {"Content-Type": "application/json", "User-Agent": "jupyter-blueno"}
    ask = urllib.request.Request(url, msgspec.json.encode(told), headers, method="POST")
    with urllib.request.urlopen(ask, timeout=PATIENCE):
        pass


def mail(settings: Settings, told: dict[str, Any]) -> None:
    """Send it as an e-mail; encrypted where the server can.

    Raises
    ------
    OSError
        If the server did not take it.
    """
    import smtplib
    from email.message import EmailMessage

    server = urlsplit(settings.mail_server)
    host, port = server.hostname or "localhost", server.port or (465 if server.scheme == "smtps" else 25)
    message = EmailMessage()
    message["Subject"] = " ".join(f"{told['job']['name']}: {told['job']['state'].lower()}".split())
    message["From"] = f"Blueno <{unquote(server.username or '') or 'blueno@' + host}>"
    message["To"] = settings.mail_to
    message.set_content(f"{told['text']}\n\nJob {told['job']['id']}\n")
    kind = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    with kind(host, port, timeout=PATIENCE) as connection:
        connection.ehlo()
        if server.scheme != "smtps" and connection.has_extn("starttls"):
            connection.starttls()
        if server.username and server.password:
            connection.login(unquote(server.username), unquote(server.password))
        connection.send_message(message)


def _tried(send: Any) -> str:
    """Send, again and again for some minutes; what came of it, in words."""
    for pause in (*PAUSES, None):
        try:
            send()
            return "sent"
        except OSError as error:  # urllib's and smtplib's errors are such
            trouble = f"{type(error).__name__}: {error}"
            refused = 400 <= getattr(error, "code", 500) < 500 and getattr(error, "code", 0) not in (408, 429)
            if pause is None or refused:
                return trouble
            time.sleep(pause)
    return "not sent"


if __name__ == "__main__":
    main(sys.argv[1])
