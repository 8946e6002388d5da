"""k3s on this machine (https://docs.k3s.io/installation/configuration)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_blueno.doctor.model import Finding, finding
from jupyter_blueno.errors import MissingDependency
from jupyter_blueno.setup.cluster import Object
from jupyter_blueno.setup.model import State, Step, Storage
from jupyter_blueno.setup.programs import Failed, Shell
from jupyter_blueno.setup.providers.base import Provider

SETTINGS = Path("/etc/rancher/k3s/k3s.yaml")
INSTALL = "curl -sfL https://get.k3s.io | INSTALL_K3S_CHANNEL=stable sh -s - --write-kubeconfig-mode 600"


class Here(Provider):
    title = "k3s"
    context = ""  # the only one of its own settings

    def signed_in(self, shell: Shell) -> Iterator[Finding]:
        yield finding(
            "system", sys.platform == "linux", sys.platform, "k3s needs Linux; use kind or minikube here."
        )
        yield finding(
            "user",
            os.geteuid() == 0 or shell.dry,
            "root" if os.geteuid() == 0 else "not root",
            "Run it with sudo.",
        )

    def steps(self, shell: Shell) -> list[Step]:
        if "KUBECONFIG" not in os.environ:
            os.environ["KUBECONFIG"] = str(SETTINGS)

        def state() -> State:
            try:
                shell.ask(
                    "k3s",
                    "kubectl",
                    "wait",
                    "node",
                    "--all",
                    "--for=condition=Ready",
                    "--timeout=60s",
                    patience=90,
                )
            except (Failed, MissingDependency):
                return "absent"
            return "there"

        def make() -> None:
            shell.do("sh", "-c", INSTALL, patience=1200)

        def wait() -> None:
            shell.do("k3s", "kubectl", "wait", "node", "--all", "--for=condition=Ready", "--timeout=300s")

        return [Step("k3s as a service of this machine", make, state, wait, takes="a minute", ground=True)]

    def storage(self, shell: Shell) -> Storage:
        return Storage(host_path="/var/lib/blueno")

    def values(self) -> Object:
        return {"storage": {"size": "10Gi"}}

    def removal(self, shell: Shell) -> list[Step]:
        def uninstall() -> None:
            shell.do("k3s-uninstall.sh")

        return [Step("k3s; everybody's files stay in /var/lib/blueno", uninstall)]
