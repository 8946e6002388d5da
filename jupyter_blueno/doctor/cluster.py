"""The cluster that jobs run in, as the service sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from jupyter_blueno.config import Config
from jupyter_blueno.doctor.model import Finding, finding
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.settings import template_of
from jupyter_blueno.jobs.backends.kubernetes.shapes import Meta, NodeObject, QuotaObject, Shape, quantity

# What the account of the service is granted (docs/kubernetes.md), and what nobody here should have.
NEEDED = (
    ("batch", "jobs", "create"),
    ("batch", "jobs", "delete"),
    ("batch", "jobs", "watch"),
    ("", "pods", "watch"),
    ("", "events", "list"),
    ("", "resourcequotas", "list"),
    ("", "secrets", "patch"),
)
TOO_MUCH = (
    ("", "secrets", "get"),
    ("", "secrets", "list"),
    ("", "pods", "create"),
    ("", "pods/exec", "create"),
    ("", "serviceaccounts/token", "create"),
    ("rbac.authorization.k8s.io", "rolebindings", "create"),
)


class _Version(Struct):
    gitVersion: str  # noqa: N815 - as Kubernetes writes it


class _Verdict(Struct):
    allowed: bool


class _Review(Struct):
    status: _Verdict


class _Spec(Shape):
    automount_service_account_token: bool | None = None


class _Pod(Shape):
    metadata: Meta
    spec: _Spec


class ClusterCheck:
    """Asks the API with the rights of this process, in the namespace of notebooks and jobs."""

    def __init__(self, config: Config) -> None:
        self.config, self.access, self.namespace = config, Access(), config.jobs_namespace

    def api(self) -> Iterator[Finding]:
        try:
            found = self.access.ask("GET", "/version", _Version).gitVersion
        except (Refused, Unreachable) as error:
            yield Finding(
                "cluster", "fail", f"its API does not answer ({error})",
                "Jobs that run go on, new ones wait. Look at the API server, and at DNS in the pod.",
            )  # fmt: skip
            return
        yield Finding("cluster", "ok", f"Kubernetes {found}, namespace {self.namespace}")
        yield from self.rights()
        yield from self.pods()
        yield from self.nodes()
        yield from self.quotas()

    def rights(self) -> Iterator[Finding]:
        lacking = [_named(one) for one in NEEDED if not self._may(*one)]
        beyond = [_named(one) for one in TOO_MUCH if self._may(*one)]
        yield finding(
            "rights of the service", not lacking,
            f"it may not {', '.join(lacking)}" if lacking else "it may handle jobs, and set secrets",
            "Grant them as docs/kubernetes.md says, or install the chart anew.",
        )  # fmt: skip
        yield finding(
            "rights it should not have", not beyond,
            f"it may {', '.join(beyond)}" if beyond else "it gets no secrets, shells or pods of its own",
            "Another role is bound to its account: kubectl get rolebindings,clusterrolebindings -A -o wide",
            "warn",
        )  # fmt: skip

    def pods(self) -> Iterator[Finding]:
        found, _ = self.access.every(f"/api/v1/namespaces/{self.namespace}/pods", _Pod)
        telling = [
            one.metadata.name for one in found if one.spec.automount_service_account_token is not False
        ]
        yield finding(
            "tokens in pods", not telling,
            f"{len(telling)} of {len(found)} get an account of the cluster: {', '.join(telling[:5])}"
            if telling else f"none of {len(found)} notebooks and jobs has an account of the cluster",
            "They were not made by Blueno, or by another version of it: delete them.",
        )  # fmt: skip
        template = template_of(self.config)
        pinned = ":" in template.image.rpartition("/")[2] and not template.image.endswith(":latest")
        yield finding(
            "image of jobs", pinned, template.image,
            "Name a version or a digest: what runs should not change by itself.", "warn",
        )  # fmt: skip

    def nodes(self) -> Iterator[Finding]:
        try:
            found, _ = self.access.every("/api/v1/nodes", NodeObject)
        except Refused:
            yield Finding(
                "nodes", "warn", "may not be looked at: nobody is told what is free",
                "Grant the cluster role of docs/kubernetes.md; jobs run without it.",
            )  # fmt: skip
            return
        resource = template_of(self.config).gpu_resource
        gpus = sum(int(quantity(one.status.allocatable.get(resource, "0"))) for one in found)
        words = f"{len(found)}, with {gpus} GPUs" if gpus else f"{len(found)}, none with a GPU ({resource})"
        yield finding("nodes", bool(found), words, "No node is ready: kubectl get nodes")

    def quotas(self) -> Iterator[Finding]:
        found, _ = self.access.every(f"/api/v1/namespaces/{self.namespace}/resourcequotas", QuotaObject)
        for one in found:
            hard, used = one.status.hard, one.status.used
            full = [name for name, most in hard.items() if quantity(used.get(name, "0")) >= quantity(most)]
            told = ", ".join(f"{name} {used.get(name, '0')} of {most}" for name, most in sorted(hard.items()))
            yield finding(
                f"quota {one.metadata.name}", not full, told,
                f"{', '.join(full)} is used up: new jobs and notebooks wait.", "warn",
            )  # fmt: skip

    def _may(self, group: str, resource: str, verb: str) -> bool:
        name, _, part = resource.partition("/")
        asked: dict[str, Any] = {"group": group, "resource": name, "verb": verb, "namespace": self.namespace}
        if part:
            asked["subresource"] = part
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return self.access.ask("POST", path, _Review, body).status.allowed


def _named(one: tuple[str, str, str]) -> str:
    _, resource, verb = one
    return f"{verb} {resource}"
