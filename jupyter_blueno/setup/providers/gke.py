"""Google Kubernetes Engine and Filestore, by gcloud.

https://cloud.google.com/sdk/gcloud/reference/container/clusters/create,
https://cloud.google.com/sdk/gcloud/reference/filestore/instances/create
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from jupyter_blueno.doctor.model import Finding, finding
from jupyter_blueno.errors import InvalidInput, Unavailable
from jupyter_blueno.setup.cluster import Object
from jupyter_blueno.setup.model import Price, State, Step, Storage
from jupyter_blueno.setup.programs import Failed, Shell
from jupyter_blueno.setup.providers.base import HOURS, Provider, pause

ZONE, MACHINE, GPU_MACHINE, ACCELERATOR = "us-central1-a", "e2-standard-4", "n1-standard-8", "nvidia-tesla-t4"
SOURCE = "list prices of us-central1, cloud.google.com/{kubernetes-engine,compute,filestore}/pricing, 2025"


class Here(Provider):
    programs = ("gcloud", "gke-gcloud-auth-plugin")
    title = "Google Cloud"
    disks = "pd.csi.storage.gke.io"

    @cached_property
    def zone(self) -> str:
        return self.size.place or ZONE

    @property
    def context(self) -> str:
        return f"gke_{self.size.project}_{self.zone}_{self.size.name}"

    def signed_in(self, shell: Shell) -> Iterator[Finding]:
        who = shell.ask("gcloud", "auth", "list", "--filter=status:ACTIVE", "--format=value(account)").strip()
        yield finding("signed in", bool(who), who or "nobody", "gcloud auth login")
        if not self.size.project:
            self.size.project = (
                shell.ask("gcloud", "config", "get-value", "project").strip().removeprefix("(unset)")
            )
        words = self.size.project or "none"
        yield finding(
            "project", bool(self.size.project), words, "Name it: --project, or gcloud config set project."
        )

    @property
    def at(self) -> tuple[str, ...]:
        if not self.size.project:
            raise InvalidInput("Name Google's project: --project.")
        return (f"--project={self.size.project}", f"--zone={self.zone}")

    def steps(self, shell: Shell) -> list[Step]:
        size = self.size
        machine = size.machine or MACHINE
        cluster = ("gcloud", "container", "clusters")
        made = [
            Step("the services of Kubernetes and Filestore are turned on", lambda: self.turn_on(shell)),
            Step(
                f"a cluster '{size.name}' in {self.zone}, up to {size.nodes} machines {machine}",
                lambda: self.make_cluster(shell),
                lambda: self.state(
                    shell.found(*cluster, "describe", size.name, *self.at, "--format=json"),
                    "RUNNING",
                    "PROVISIONING",
                    "RECONCILING",
                ),
                lambda: self.let_in(shell),
                takes="about 8 minutes",
                ground=True,
            ),
        ]
        if not size.server:
            made.append(
                Step(
                    f"{size.storage} TB for everybody's files (Filestore)",
                    lambda: self.make_share(shell),
                    lambda: self.state(self.share(shell), "READY", "CREATING"),
                    takes="about 5 minutes",
                )
            )
        if size.gpus:
            pool = ("gcloud", "container", "node-pools", "describe", "gpu", f"--cluster={size.name}")
            words = f"up to {size.gpus} machines with a GPU; none as long as nobody asks"
            made.append(
                Step(
                    words,
                    lambda: self.make_gpus(shell),
                    lambda: self.state(
                        shell.found(*pool, *self.at, "--format=json"), "RUNNING", "PROVISIONING"
                    ),
                    takes="some minutes",
                )
            )
        return made

    def state(self, found: Object | None, well: str, *coming: str) -> State:
        """What Google says of something."""
        if found is None:
            return "absent"
        status = found.get("status") or found.get("state")
        if status == well:
            return "there"
        if status in coming:
            return "coming"
        said = found.get("statusMessage") or "; ".join(
            one.get("message", "") for one in found.get("conditions", [])
        )
        raise Unavailable(
            f"'{found['name']}' is there, but in the state {status}{f' ({said})' if said else ''}: if it was "
            "never ready, take it away (blueno teardown --from gke) and run this again.",
            code="half_made",
        )

    def turn_on(self, shell: Shell) -> None:
        names = ("container.googleapis.com", "file.googleapis.com")
        shell.do("gcloud", "services", "enable", *names, f"--project={self.size.project}")

    def make_cluster(self, shell: Shell) -> None:
        size = self.size
        most = ("--num-nodes=1", "--enable-autoscaling", "--min-nodes=1", f"--max-nodes={size.nodes}")
        # Dataplane V2 enforces network policies; workload identity closes the machines' own account to pods.
        kind = ("--release-channel=regular", "--enable-dataplane-v2", "--enable-ip-alias")
        identity = f"--workload-pool={size.project}.svc.id.goog"
        machine = f"--machine-type={size.machine or MACHINE}"
        command = ("gcloud", "container", "clusters", "create", size.name, *self.at)
        shell.do(*command, machine, *most, *kind, identity, "--quiet")

    def let_in(self, shell: Shell) -> None:
        """Wait for the cluster, and have kubectl know it."""
        while (
            not shell.dry
            and self.state(self._cluster(shell), "RUNNING", "PROVISIONING", "RECONCILING") != "there"
        ):
            pause(shell, "the cluster is being made …")
        shell.do("gcloud", "container", "clusters", "get-credentials", self.size.name, *self.at)

    def _cluster(self, shell: Shell) -> Object | None:
        found: Object | None = shell.found(
            "gcloud", "container", "clusters", "describe", self.size.name, *self.at, "--format=json"
        )
        return found

    def make_gpus(self, shell: Shell) -> None:
        # GKE itself keeps other pods off (nvidia.com/gpu=present:NoSchedule), and installs the driver.
        most = ("--num-nodes=0", "--enable-autoscaling", "--min-nodes=0", f"--max-nodes={self.size.gpus}")
        machine = f"--machine-type={self.size.gpu_machine or GPU_MACHINE}"
        gpu = f"--accelerator=type={ACCELERATOR},count=1,gpu-driver-version=default"
        command = (
            "gcloud",
            "container",
            "node-pools",
            "create",
            "gpu",
            f"--cluster={self.size.name}",
            *self.at,
        )
        shell.do(*command, machine, gpu, *most, "--quiet")

    def make_share(self, shell: Shell) -> None:
        share = f"--file-share=name=blueno,capacity={self.size.storage}TB"
        command = ("gcloud", "filestore", "instances", "create", self.size.name, *self.at)
        shell.do(*command, "--tier=BASIC_HDD", share, "--network=name=default", "--quiet")

    def share(self, shell: Shell) -> Object | None:
        where = ("gcloud", "filestore", "instances", "describe", self.size.name, *self.at, "--format=json")
        try:
            found: Object | None = shell.found(*where)
        except Failed as error:
            if "has not been used in project" in error.said or "SERVICE_DISABLED" in error.said:
                return None  # it is turned on by the first step
            raise
        return found and {"name": self.size.name, **found}

    def storage(self, shell: Shell) -> Storage:
        if self.size.server:
            return Storage(server=self.size.server)
        found = self.share(shell)
        if found is None:
            return Storage(nfs="ADDRESS-OF-THE-SHARE:/blueno", fresh=True)  # of a dry run
        return Storage(nfs=f"{found['networks'][0]['ipAddresses'][0]}:/blueno", fresh=True)

    def values(self) -> Object:
        return self.gpu_profile() if self.size.gpus else {"jobs": {"grows": True}}

    def prices(self) -> tuple[Price, ...]:
        # The management fee of one zonal cluster is given back as a credit.
        node, gpu = 0.134 * HOURS, (0.38 + 0.35) * HOURS
        return (
            Price("Kubernetes (the first zonal cluster is free)", 0, source=SOURCE),
            self.machines(self.size.machine or MACHINE, node),
            self.files(
                Price(f"Filestore, {self.size.storage} TB", 0.000274 * HOURS * 1024 * self.size.storage)
            ),
            *self.gpu_machines("a T4", gpu),
            Price("disks and address", 25),
        )

    def removal(self, shell: Shell) -> list[Step]:
        def cluster() -> None:
            shell.do("gcloud", "container", "clusters", "delete", self.size.name, *self.at, "--quiet")

        def share() -> None:
            shell.do("gcloud", "filestore", "instances", "delete", self.size.name, *self.at, "--quiet")

        return [
            Step(
                f"the cluster '{self.size.name}' in {self.zone}",
                cluster,
                lambda: "absent" if self._cluster(shell) else "there",
                there="is not there",
            ),
            Step(
                "the Filestore with everybody's files",
                share,
                lambda: "absent" if self.share(shell) else "there",
                there="is not there",
            ),
        ]
