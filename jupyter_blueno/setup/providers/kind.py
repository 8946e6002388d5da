"""kind: Kubernetes in a container of this machine (https://kind.sigs.k8s.io/docs/user/quick-start/)."""

from __future__ import annotations

from jupyter_blueno.setup.cluster import Object
from jupyter_blueno.setup.model import State, Step, Storage
from jupyter_blueno.setup.programs import Shell
from jupyter_blueno.setup.providers.base import Provider


class Here(Provider):
    programs = ("kind",)
    title = "kind"

    @property
    def context(self) -> str:
        return f"kind-{self.size.name}"

    def steps(self, shell: Shell) -> list[Step]:
        name = self.size.name

        def state() -> State:
            return "there" if name in shell.ask("kind", "get", "clusters").split() else "absent"

        def make() -> None:
            shell.do("kind", "create", "cluster", "--name", name, "--wait", "120s", patience=600)

        words = f"a cluster '{name}' in a container of this machine"
        return [Step(words, make, state, takes="two minutes", ground=True)]

    def storage(self, shell: Shell) -> Storage:
        return Storage(host_path="/var/lib/blueno")

    def values(self) -> Object:
        return {"storage": {"size": "10Gi"}}

    def removal(self, shell: Shell) -> list[Step]:
        delete = ("kind", "delete", "cluster", "--name", self.size.name)
        return [Step(f"the cluster '{self.size.name}', with all files in it", lambda: _run(shell, delete))]


def _run(shell: Shell, command: tuple[str, ...]) -> None:
    shell.do(*command)
