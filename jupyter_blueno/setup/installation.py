"""An installation in a cluster that is there: what has to be there, in order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from jupyter_blueno.errors import Conflict
from jupyter_blueno.setup import backup, checks, server, waiting
from jupyter_blueno.setup import values as told
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import Plan, Price, Server, State, Step, Storage, listed
from jupyter_blueno.setup.once import run_once
from jupyter_blueno.setup.programs import Failed, written
from jupyter_blueno.setup.volume import SharedVolume

CUT_OFF = 30.0  # seconds; what helm itself does takes less, as it does not wait
BROUGHT = "blueno.dev/restored"


@dataclass
class Installation:
    """A release of the chart, as it is wanted.

    Parameters
    ----------
    values : dict
        All that the release is told.
    bundle : path
        What `backup.fetch` wrote of another installation, whose data this one is to have.
    """

    cluster: Cluster
    chart: Path
    values: Object
    storage: Storage
    patience: float = waiting.PATIENCE
    bundle: Path | None = None

    def plan(self) -> Plan:
        """What has to be done; what is there already is known by each step."""
        cluster, shared = self.cluster, self.shared
        steps = [Step(f"namespace {cluster.namespace}", self.make_namespace, self.namespace_state)]
        if folders := self.folders():
            steps.append(
                Step(f"folders of their own: {listed(folders)}", self.make_folders, self.folders_state)
            )
        if shared:
            words = f"a volume of {shared.size} that all share, of class '{shared.storage_class}'"
            steps.append(Step(words, shared.make, shared.made_state))
        steps += self._taken_over()
        words = f"release '{cluster.release}' of the chart {self.version}"
        steps.append(Step(words, self.install, self.release_state, takes="seconds", renewed=True))
        if wanted := self.storage.server:
            words = f"an NFS server in the cluster at {wanted.address}, {self.server_disk(wanted)}"
            steps.append(Step(words, self.serving, takes="a minute"))
        if shared:
            words = f"the same volume for notebooks and jobs, in {self.users}"
            steps.append(Step(words, shared.share, shared.shared_state))
        takes = "a few minutes, as the images have to be fetched"
        steps.append(Step("hub, service, proxy and database run", self.ready, takes=takes))
        if self.bundle:
            steps.append(Step("what its databases held", self.bring, self.brought_state))
        prices, notes = self.disk_costs()
        return Plan(self.where(), tuple(steps), prices, notes)

    def server_disk(self, wanted: Server) -> str:
        """Where the server keeps files, in words."""
        if wanted.folder:
            return f"which keeps files in {wanted.folder} of the node"
        kind = f"class '{wanted.disk}'" if wanted.disk else "the default class"
        return f"with a disk of {wanted.size} of {kind}"

    def serving(self) -> None:
        waiting.until_ready(self.cluster, self.patience, (waiting.SERVER,))

    def disk_costs(self) -> tuple[tuple[Price, ...], tuple[str, ...]]:
        """What the server's disk costs in a month, or that it is not known here."""
        wanted = self.storage.server
        if wanted is None or wanted.folder:
            return (), ()
        found = checks.disk_class(self.cluster, wanted.disk)
        maker = found["provisioner"] if found else ""
        if price := server.disk(wanted.size, maker):
            return (price,), ()
        return (), (
            f"The disk of {wanted.size} costs each month what {maker or 'its maker'} takes for it: "
            "that is not known here.",
        )

    def _taken_over(self) -> list[Step]:
        """Passwords come before the databases that are made with them."""
        if self.bundle is None:
            return []
        secrets = backup.told(self.bundle)[2]
        return [
            Step(
                f"passwords out of {self.bundle.name}",
                lambda: backup.bring_secrets(self.cluster, secrets, self.users),
            )
        ]

    @property
    def shared(self) -> SharedVolume | None:
        if not self.storage.storage_class:
            return None
        return SharedVolume(self.cluster, self.users, self.storage.storage_class, self.size)

    def ready(self) -> None:
        waiting.until_ready(self.cluster, self.patience)

    # What another installation held

    def brought_state(self) -> State:
        """Whether it was brought once: what came after that would be lost by doing it again."""
        assert self.bundle is not None
        found = self.cluster.get(f"namespace/{self.cluster.namespace}") or {}
        marks = found.get("metadata", {}).get("annotations", {})
        return "there" if marks.get(BROUGHT) == backup.told(self.bundle)[0] else "absent"

    def bring(self) -> None:
        """Put the databases of the other installation in the place of the new ones."""
        assert self.bundle is not None
        cluster = self.cluster
        name = backup.bring(cluster, self.bundle)
        # Those of teams: their namespace is there now.
        backup.bring_secrets(cluster, backup.told(self.bundle)[2], self.users)
        backup.restore(cluster, name)
        mark = ("annotate", "namespace", cluster.namespace, f"{BROUGHT}={name}", "--overwrite")
        cluster.shell.do(*cluster.address, *mark)
        self.ready()

    def where(self) -> str:
        context = (
            self.cluster.context or self.cluster.shell.ask("kubectl", "config", "current-context").strip()
        )
        return f"cluster '{context}', namespaces {self.cluster.namespace} and {self.users}"

    @property
    def version(self) -> str:
        for line in (self.chart / "Chart.yaml").read_text().splitlines():
            if line.startswith("version:"):
                return line.partition(":")[2].strip()
        return "?"

    @property
    def users(self) -> str:
        named: str = (self.values.get("users") or {}).get("namespace") or f"{self.cluster.namespace}-users"
        return named

    @property
    def size(self) -> str:
        size: str = (self.values.get("storage") or {}).get("size") or "1Ti"
        return size

    # The namespace

    def namespace_state(self) -> State:
        found = self.cluster.get(f"namespace/{self.cluster.namespace}")
        if found and found["status"].get("phase") == "Terminating":
            raise Conflict(
                f"The namespace {self.cluster.namespace} is being deleted; run this again when it is "
                "gone, or choose another by --namespace."
            )
        return "there" if found else "absent"

    def make_namespace(self) -> None:
        self.cluster.shell.do(*self.cluster.address, "create", "namespace", self.cluster.namespace)

    # Folders of the only node

    def folders(self) -> dict[str, int]:
        """Folders of the node that are to be there, and whose they are."""
        new = {self.storage.nfs: 1000} if self.storage.fresh else {}
        return {**_folders(self.values), **new}

    def folders_state(self) -> State:
        """Whether they are those of the release that runs."""
        known = self.cluster.values()
        before = (
            {**_folders(known), told.storage_of(known).nfs: 1000} if self.release_state() == "there" else {}
        )
        return "there" if self.folders().items() <= before.items() else "absent"

    def make_folders(self) -> None:
        """Have a pod make them, as root; what is there keeps its owner."""
        sources: list[Object] = [
            {"hostPath": {"path": path, "type": "DirectoryOrCreate"}} for path in _folders(self.values)
        ]
        owners = list(_folders(self.values).values())
        if self.storage.fresh:
            server, path = told.nfs(self.storage.nfs)
            sources.append({"nfs": {"server": server, "path": path}})
            owners.append(1000)
        places = range(len(sources))
        made = " && ".join(_owned(f"/folders/{n}", owners[n]) for n in places)
        secrets = (self.values.get("images") or {}).get("pullSecrets", [])
        pod: Object = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "imagePullSecrets": [{"name": one} for one in secrets],
            "containers": [
                {
                    "name": "folders",
                    "image": self.image("postgresql"),
                    "command": ["sh", "-c", made],
                    "securityContext": {"runAsUser": 0},
                    "volumeMounts": [{"name": f"folder-{n}", "mountPath": f"/folders/{n}"} for n in places],
                }
            ],
            "volumes": [{"name": f"folder-{n}", **sources[n]} for n in places],
        }
        run_once(self.cluster, f"{self.cluster.release}-folders", pod, self.patience)

    def image(self, name: str) -> str:
        """An image's name, as it was given or as the chart has it."""
        everything = self.chart_values()
        found: str = (
            told.merged(everything, self.values)["postgresql"]["image"]
            if name == "postgresql"
            else told.merged(everything, self.values)["images"][name]
        )
        return found

    def chart_values(self) -> Object:
        return told.read(self.chart / "values.yaml")

    # The release

    def release_state(self) -> State:
        found = self.cluster.known()
        return "there" if found and found["status"] == "deployed" else "absent"

    def install(self) -> None:
        """Install, or bring up to date; what a run before left half done is taken up."""
        self.take_up()
        text = written(self.values)
        command = self.cluster.helm(
            "upgrade", self.cluster.release, str(self.chart), "--install", "--values=-"
        )
        try:
            self.cluster.shell.do(*command, given=text)
        except Failed as error:
            # Helm 4 leaves alone what somebody changed by kubectl, a restore that was cut off among them.
            if "conflict occurred" not in error.said:
                raise
            self.cluster.shell.say("    something was changed by hand; it is brought back")
            self.cluster.shell.do(*command, "--force-conflicts", given=text)

    def take_up(self) -> None:
        """Forget that an earlier run was cut off: helm would refuse to go on.

        Only the mark is removed; whatever that run had made stays, and is brought up to date.
        """
        found = self.cluster.known()
        if not found or not found["status"].startswith("pending"):
            return
        selector = f"--selector=owner=helm,name={self.cluster.release},status={found['status']}"
        marks = self.cluster.items("secrets", selector)
        for mark in marks:
            name = mark["metadata"]["name"]
            age = _age(mark["metadata"]["creationTimestamp"])
            if age < CUT_OFF:
                self.cluster.shell.say(
                    f"    another run of helm began {age:.0f} s ago; it gets half a minute to end"
                )
                if not self.cluster.shell.dry:
                    time.sleep(CUT_OFF - age)
                    return self.take_up()
            self.cluster.shell.do(*self.cluster.here, "delete", f"secret/{name}")
        return None


def _owned(folder: str, owner: int) -> str:
    """Have an empty folder belong to somebody, in the shell's words."""
    return f'{{ [ -n "$(ls -A {folder})" ] || chown {owner}:{owner} {folder}; }}'


def _folders(values: Object) -> dict[str, int]:
    database = values.get("postgresql") or {}
    found = {
        (values.get("storage") or {}).get("hostPath"): 1000,
        database.get("hostPath") if not database.get("existingSecret") else None: 999,
    }
    return {path: owner for path, owner in found.items() if path}


def _age(stamp: str) -> float:
    from datetime import UTC, datetime

    return (datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()
