"""A new volume of a class, that hub and service share with notebooks and jobs.

A claim lies in one namespace and a volume has one claim. So the volume that
the class makes for the first claim is described a second time, for a claim in
the namespace of notebooks and jobs.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.setup import waiting
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import State
from jupyter_blueno.setup.values import claim_name

BINDING = 300.0
# What of a volume says where it is, and how it is mounted.
PLACE = (
    *("nfs", "csi", "hostPath", "local", "cephfs", "glusterfs", "azureFile", "fc", "iscsi"),
    *("capacity", "accessModes", "mountOptions", "volumeMode", "nodeAffinity"),
)


@dataclass(frozen=True)
class SharedVolume:
    """The volume of `storage_class`, in the release's namespace and in that of its `users`."""

    cluster: Cluster
    users: str
    storage_class: str
    size: str

    @property
    def name(self) -> str:
        return claim_name(self.cluster)

    def made_state(self) -> State:
        return "there" if self.cluster.get(f"persistentvolumeclaim/{self.name}") else "absent"

    def make(self) -> None:
        """Claim one; it is made when the first pod asks for it, or at once."""
        self.cluster.apply(self._claim(self.cluster.namespace, self.storage_class, self.size))

    def shared_state(self) -> State:
        found = self.cluster.get(f"persistentvolumeclaim/{self.name}", namespace=self.users)
        return "there" if found else "absent"

    def share(self) -> None:
        """Describe the volume again for the users' namespace; neither is deleted with its claim."""
        if self.cluster.shell.dry:
            self.cluster.shell.say(f"(describes the volume of {self.name} again, for {self.users})")
            return
        volume = self._bound()
        spec, name = volume["spec"], volume["metadata"]["name"]
        keep = json.dumps({"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
        self.cluster.shell.do(*self.cluster.address, "patch", f"persistentvolume/{name}", "--patch", keep)
        twin = f"{self.users}-{self.name}"
        claim = self._claim(self.users, "", spec["capacity"]["storage"])
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": twin, "labels": self.cluster.labels},
                "spec": {
                    **{one: spec[one] for one in PLACE if one in spec},
                    "persistentVolumeReclaimPolicy": "Retain",
                    "storageClassName": "",
                    "claimRef": {"namespace": self.users, "name": self.name},
                },
            },
            {**claim, "spec": {**claim["spec"], "volumeName": twin}},
        )

    def _claim(self, namespace: str, storage_class: str, size: str) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": self.name, "namespace": namespace, "labels": self.cluster.labels},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": size}},
            },
        }

    def _bound(self) -> Object:
        """The volume of the claim, once there is one."""
        deadline = time.monotonic() + BINDING
        while True:
            claim = self.cluster.get(f"persistentvolumeclaim/{self.name}")
            if claim and claim["status"].get("phase") == "Bound":
                found: Object = self.cluster.get(f"persistentvolume/{claim['spec']['volumeName']}")
                return found
            if time.monotonic() > deadline:
                said = waiting.last_warning(self.cluster, claim, "ProvisioningFailed") if claim else ""
                raise Unavailable(
                    f"The claim {self.name} has no volume yet{f' ({said})' if said else ''}. Does the class "
                    f"'{self.storage_class}' give volumes that many nodes write to (ReadWriteMany)? If not, "
                    f"delete the claim (kubectl --namespace {self.cluster.namespace} delete pvc {self.name}) "
                    "and name another storage.",
                    code="no_volume",
                )
            time.sleep(1)
