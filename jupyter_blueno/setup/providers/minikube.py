"""minikube: a virtual machine or container of this machine.

https://minikube.sigs.k8s.io/docs/commands/start/,
https://minikube.sigs.k8s.io/docs/handbook/persistent_volumes/
"""

from __future__ import annotations

import json

from jupyter_blueno.setup.cluster import Object
from jupyter_blueno.setup.model import State, Step, Storage
from jupyter_blueno.setup.programs import Failed, Shell
from jupyter_blueno.setup.providers.base import Provider


class Here(Provider):
    programs = ("minikube",)
    title = "minikube"

    @property
    def context(self) -> str:
        return self.size.name

    def steps(self, shell: Shell) -> list[Step]:
        name = self.size.name

        def state() -> State:
            try:
                said = json.loads(shell.ask("minikube", "status", "--profile", name, "--output", "json"))
            except Failed:  # it fails where it is stopped, too
                return "absent"
            return "there" if said.get("APIServer") == "Running" else "absent"

        def make() -> None:
            # Calico enforces network policies; the default network does not.
            room = ("--cpus", "4", "--memory", "8g", "--cni", "calico")
            shell.do("minikube", "start", "--profile", name, *room, patience=1800)

        words = f"a cluster '{name}' on this machine (4 cores, 8 GB)"
        return [Step(words, make, state, takes="some minutes", ground=True)]

    def storage(self, shell: Shell) -> Storage:
        return Storage(host_path="/data/blueno")  # it outlives a stop

    def values(self) -> Object:
        return {"storage": {"size": "10Gi"}}

    def removal(self, shell: Shell) -> list[Step]:
        def delete() -> None:
            shell.do("minikube", "delete", "--profile", self.size.name)

        return [Step(f"the cluster '{self.size.name}', with all files in it", delete)]
