"""Other people's programs, as a person would call them: kubectl, helm, the clouds' own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_blueno.errors import BluenoError, MissingDependency

# How to get what is not there; each page names all systems.
INSTALL = {
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "helm": "https://helm.sh/docs/intro/install/",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "minikube": "https://minikube.sigs.k8s.io/docs/start/",
    "k3s": "https://docs.k3s.io/quick-start (curl -sfL https://get.k3s.io | sh -)",
    "gcloud": "https://cloud.google.com/sdk/docs/install",
    "gke-gcloud-auth-plugin": "gcloud components install gke-gcloud-auth-plugin",
    "az": "https://learn.microsoft.com/cli/azure/install-azure-cli",
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "eksctl": "https://eksctl.io/installation/",
    "docker": "https://docs.docker.com/engine/install/",
}
SHOWN = 1500  # characters of what a program said when it failed
_PRIVATE = re.compile(r"(secret|password|token|private)", re.IGNORECASE)


class Failed(BluenoError):
    """A program said no; `said` is what it said."""

    code = "program_failed"

    def __init__(self, command: Sequence[str], said: str) -> None:
        self.command, self.said = tuple(command), said.strip()
        super().__init__(f"{shown(command)}\n{self.said[-SHOWN:]}")


class Shell:
    """Runs programs.

    Parameters
    ----------
    dry : bool
        Print what would be changed, and change nothing. What is only asked is asked.
    say : callable
        Takes a line for the person.
    """

    def __init__(self, say: Callable[[str], None], dry: bool = False) -> None:
        self.say, self.dry = say, dry

    def ask(self, *command: str, given: str | None = None, patience: float = 60) -> str:
        """Run what changes nothing; what it wrote.

        Raises
        ------
        MissingDependency
            If the program is not installed.
        Failed
            If it says no, or says nothing for `patience` seconds.
        """
        needed(command[0])
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=patience)
        except subprocess.TimeoutExpired:
            raise Failed(command, f"It did not answer within {patience:.0f} s.") from None
        if done.returncode:
            raise Failed(command, done.stderr or done.stdout)
        return done.stdout

    def json(self, *command: str, given: str | None = None) -> Any:
        """What a program answers, as JSON; None for nothing."""
        return json.loads(self.ask(*command, given=given) or "null")

    def found(self, *command: str) -> Any:
        """What a program answers, as JSON; None where it says that there is no such thing."""
        try:
            return self.json(*command)
        except Failed as error:
            if is_absence(error.said):
                return None
            raise

    def do(self, *command: str, given: str | None = None, patience: float = 3600) -> str:
        """Run what changes something, or say what would be run; what it wrote."""
        if self.dry:
            self.say(f"$ {shown(command, given)}")
            return ""
        return self.ask(*command, given=given, patience=patience)


def needed(program: str) -> None:
    """Raise unless a program is there."""
    if shutil.which(program) is None:
        where = INSTALL.get(program, "")
        raise MissingDependency(f"'{program}' is not installed, or not on the PATH. Install it: {where}")


def is_absence(said: str) -> bool:
    """Whether a program failed since what it was asked for does not exist."""
    lower = said.lower()
    return any(
        words in lower
        for words in (
            "not found",  # kubectl, helm, az: ResourceNotFound / was not found
            "notfound",
            "not_found",  # gcloud
            "no cluster found",  # aws: ResourceNotFoundException: No cluster found
            "does not exist",
            "no such",
        )
    )


def shown(command: Sequence[str], given: str | None = None) -> str:
    """A command as it would be typed; what is private in its input is not shown."""
    line = shlex.join(command)
    return line if given is None else f"{line} <<'END'\n{hidden(given).rstrip()}\nEND"


def hidden(text: str) -> str:
    """Text of YAML or JSON lines without the values of passwords and their like."""
    lines = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        plain = value.strip(" ,") in ("", "|", '""', "''", "true", "false") or value.strip().startswith(
            ("[", "{")
        )
        private = colon and _PRIVATE.search(name) and not plain
        lines.append(f"{name}: (not shown)" if private else line)
    return "\n".join(lines)


def written(what: dict[str, Any]) -> str:
    """Values and objects as a person writes them: YAML."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    text: str = yaml.dump(
        what, Dumper=Plain, sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )
    return text
