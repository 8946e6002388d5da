"""A person at a shell in which kubectl, helm and the clouds' programs are played."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.setup.checks import RIGHTS

FAKE = Path(__file__).with_name("fake.py")
PROGRAMS = ("kubectl", "helm", "gcloud", "gke-gcloud-auth-plugin", "az", "aws", "eksctl", "kind", "minikube")
NODE = {
    "metadata": {"name": "one"},
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "allocatable": {"cpu": "4", "memory": "16Gi"},
        "nodeInfo": {"architecture": "amd64"},
    },
}
CLASS = {
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "disk",
}
NOT_FOUND = {"err": 'Error from server (NotFound): "x" not found', "ends": 1}
# A cluster without anything in it, on which everything that is made is ready at once.
CLUSTER = [
    {"asked": "helm list", "out": "[]"},
    {
        "asked": "helm get values .*--all",
        "out": json.dumps({"hub": {"authentication": {"authenticator_class": "passwords"}}}),
    },
    {"asked": "helm get values", "out": "null"},
    {"asked": "kubectl config current-context", "out": "somewhere\n"},
    {
        "asked": "kubectl .*version",
        "out": json.dumps({"serverVersion": {"major": "1", "minor": "31+", "gitVersion": "v1.31.4"}}),
    },
    {"asked": "SelfSubjectAccessReview", "out": json.dumps({"status": {"allowed": True}}) * len(RIGHTS)},
    {"asked": "get nodes", "out": json.dumps({"items": [NODE]})},
    {"asked": "get storageclasses", "out": json.dumps({"items": [CLASS]})},
    {"asked": "no-such-level", "err": "must be one of privileged, baseline, restricted", "ends": 1},
    {
        "asked": "get job/",
        "out": json.dumps({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}),
    },
    {
        "asked": "get service/blueno-proxy",
        "out": json.dumps({"spec": {"type": "ClusterIP", "ports": [{"port": 80}]}}),
    },
    {"asked": "get secret/blueno-hub", "out": json.dumps({"data": {"setup-token": "b25jZQ=="}})},
    {"asked": r"get \S+/", **NOT_FOUND},
    {"asked": " get .*--output=json", "out": json.dumps({"items": []})},
    {"asked": "kubectl|helm", "out": ""},
]


@dataclass
class Shell:
    """Runs `blueno`; `rules` are what the programs answer, `log` what they were asked."""

    folder: Path
    rules: list[dict[str, Any]] = field(default_factory=list)

    def run(self, *words: str, ends: int = 0) -> str:
        (self.folder / "rules.json").write_text(json.dumps([*self.rules, *CLUSTER]))
        path = f"{self.folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_blueno", *words],
            env={**os.environ, "PATH": path, "FAKES": str(self.folder)},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=100,
        )
        assert done.returncode == ends, done.stdout
        return done.stdout

    def asked(self, *programs: str) -> list[str]:
        """What these programs were asked, in order."""
        return [said for said, _ in self.log() if said.split(" ")[0] in programs]

    def given(self, words: str) -> str:
        """What a command got as its input."""
        return next(given for said, given in self.log() if words in said)

    def log(self) -> list[list[str]]:
        """Commands and their inputs."""
        path = self.folder / "log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def forget(self) -> None:
        (self.folder / "log").unlink(missing_ok=True)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        script = programs / name
        script.write_text(FAKE.read_text().replace("/usr/bin/env python3", sys.executable, 1))
        script.chmod(0o755)
    assert shutil.which("sh")
    return Shell(tmp_path)
