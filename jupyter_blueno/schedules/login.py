"""Having the scheduler started by the user's login: systemd, launchd or cron, whichever there is."""

from __future__ import annotations

import hashlib
import json
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from jupyter_blueno.config import Config
from jupyter_blueno.errors import Unavailable
from jupyter_blueno.schedules import sleeper

MODULE = "jupyter_blueno.schedules.sleeper"
KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")  # of the environment, beside BLUENO_*


@dataclass(frozen=True)
class Way:
    """One way of being started: the file that it takes, what is in it, and the commands that follow.

    `text` None: the file is the user's table of cron, and `line` is added to it.
    """

    kind: str
    path: Path
    text: str | None
    line: str
    enable: list[list[str]]
    disable: list[list[str]]
    advice: str | None = None


def way(config: Config) -> Way | None:
    """The way of this machine; None if it has none of the three."""
    home = str(config.home_path)
    if sys.platform == "darwin":
        return _launchd(home)
    if _quietly(["systemctl", "--user", "show-environment"]):
        return _systemd(home)
    if shutil.which("crontab"):
        return _cron(home)
    return None


def words(home: str) -> list[str]:
    """The command that is started."""
    return [sys.executable, "-m", MODULE, home]


def name_of(home: str) -> str:
    """``blueno-scheduler``; with a mark for another data folder than the usual."""
    if home == os.path.expanduser("~/blueno"):
        return "blueno-scheduler"
    return f"blueno-scheduler-{hashlib.sha256(home.encode()).hexdigest()[:8]}"


def _systemd(home: str) -> Way:
    name = f"{name_of(home)}.service"
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    command = " ".join(_unit_word(one) for one in words(home))
    text = (
        "[Unit]\nDescription=Starts scheduled jobs of Blueno\n\n"
        f"[Service]\nExecStart={command}\nRestart=on-failure\nRestartSec=30\nKillMode=process\n\n"
        "[Install]\nWantedBy=default.target\n"
    )
    return Way(
        "systemd",
        Path(base, "systemd", "user", name),
        text,
        command,
        [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", "--now", name]],
        [["systemctl", "--user", "disable", "--now", name]],
        "It runs while you are logged in; `loginctl enable-linger` lets it run always.",
    )


def _launchd(home: str) -> Way:
    label = f"org.jupyter.{name_of(home)}"
    path = Path(os.path.expanduser("~/Library/LaunchAgents"), f"{label}.plist")
    content = {
        "Label": label,
        "ProgramArguments": words(home),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "AbandonProcessGroup": True,  # its jobs go on
        "StandardErrorPath": sleeper.place(home, "scheduler.log"),
    }
    domain = f"gui/{os.getuid()}"
    return Way(
        "launchd",
        path,
        plistlib.dumps(content).decode(),
        shlex.join(words(home)),
        [["launchctl", "bootstrap", domain, str(path)]],
        [["launchctl", "bootout", f"{domain}/{label}"]],
    )


def _cron(home: str) -> Way:
    line = f"@reboot {shlex.join(words(home)).replace('%', chr(92) + '%')} # {name_of(home)}"
    return Way("cron", Path("crontab"), None, line, [], [])


def install(config: Config, chosen: Way) -> None:
    """Write what `chosen` says, and start the scheduler.

    Raises
    ------
    Unavailable
        If a command of the system fails; it says what it printed.
    """
    home = str(config.home_path)
    _keep_environment(config)
    if chosen.text is None:
        table = [line for line in _table() if not line.endswith(f"# {name_of(home)}")]
        _write_table([*table, chosen.line])
        start(config)
        return
    chosen.path.parent.mkdir(parents=True, exist_ok=True)
    chosen.path.write_text(chosen.text)
    for command in chosen.enable:
        _run(command)


def uninstall(config: Config, chosen: Way) -> bool:
    """Take it away again, and end the scheduler; False if it was not there."""
    home = str(config.home_path)
    if not installed(config, chosen):
        return False
    if chosen.text is None:
        _write_table([line for line in _table() if not line.endswith(f"# {name_of(home)}")])
    else:
        for command in chosen.disable:
            _run(command)
        chosen.path.unlink(missing_ok=True)
    return True


def installed(config: Config, chosen: Way) -> bool:
    """Whether the login starts it."""
    if chosen.text is None:
        return any(line.endswith(f"# {name_of(str(config.home_path))}") for line in _table())
    return chosen.path.exists()


def start(config: Config) -> None:
    """Start the scheduler now, in a session of its own, unless one is on duty."""
    home = str(config.home_path)
    if sleeper.locked(home, "scheduler", shared=True):  # a second one would wait a moment, and outlive it
        return
    with open(sleeper.place(home, "scheduler.log"), "ab") as file:
        subprocess.Popen(
            words(home),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            cwd="/",
        )


def _keep_environment(config: Config) -> None:
    """What jobs begin with, for the user alone: there may be a password in it."""
    kept = {
        name: value for name, value in os.environ.items() if name in KEPT or name.startswith("BLUENO_")
    } | config.environment()
    path = Path(sleeper.place(str(config.home_path), "environment.json"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(kept, file)


def _table() -> list[str]:
    done = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def _write_table(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(["crontab", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _failed(["crontab", "-"], done)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _failed(command, done)


def _failed(command: list[str], done: subprocess.CompletedProcess[str]) -> Unavailable:
    said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
    return Unavailable(
        f"`{shlex.join(command)}` failed: {said[:300]}. `blueno scheduler run` starts one by hand.",
        code="scheduler_not_installed",
    )


def _quietly(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0


def _unit_word(word: str) -> str:
    """A word of a unit's command: quoted, with what systemd would expand doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
