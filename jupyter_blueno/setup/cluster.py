"""A cluster and a release in it, by kubectl and helm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_blueno.setup.programs import Failed, Shell, written

Object = dict[str, Any]
FIELD_MANAGER = "blueno-setup"


@dataclass
class Cluster:
    """Where a release is, or is to be.

    Parameters
    ----------
    context : str
        One of the kubeconfig's contexts; empty: the current one.
    planned : bool
        It is not there yet: nothing is in it, and nothing is asked.
    """

    shell: Shell
    namespace: str = "blueno"
    release: str = "blueno"
    context: str = ""
    planned: bool = False

    @property
    def address(self) -> tuple[str, ...]:
        """What kubectl is told first."""
        return ("kubectl", f"--context={self.context}") if self.context else ("kubectl",)

    @property
    def here(self) -> tuple[str, ...]:
        return (*self.address, f"--namespace={self.namespace}")

    @property
    def labels(self) -> dict[str, str]:
        """What is the release's, by its labels."""
        return {"app.kubernetes.io/name": "blueno", "app.kubernetes.io/instance": self.release}

    def helm(self, *words: str) -> tuple[str, ...]:
        """A command of helm on this cluster and namespace."""
        context = (f"--kube-context={self.context}",) if self.context else ()
        return ("helm", *words, f"--namespace={self.namespace}", *context)

    def get(self, *what: str, namespace: str | None = None) -> Any:
        """An object, or a list of them; None if there is no such object."""
        if self.planned:
            return None
        inside = f"--namespace={namespace or self.namespace}"
        return self.shell.found(*self.address, inside, "get", *what, "--output=json")

    def items(self, *what: str, namespace: str | None = None) -> list[Object]:
        """All objects of kinds."""
        found: list[Object] = (self.get(*what, namespace=namespace) or {}).get("items", [])
        return found

    def apply(self, *objects: Object) -> None:
        """Have objects as they are described, each in the namespace that it names."""
        listed = written({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        command = ("apply", "--server-side", f"--field-manager={FIELD_MANAGER}", "--filename=-")
        self.shell.do(*self.address, *command, given=listed)

    def may(self, *wanted: tuple[str, str, str]) -> list[tuple[str, str, str]]:
        """Which of (verb, group, resource) one may not, anywhere in the cluster."""
        reviews = [
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"verb": verb, "group": group, "resource": resource}},
            }
            for verb, group, resource in wanted
        ]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
        # Not one document: an answer after the other.
        text = self.shell.ask(*self.address, "create", "--filename=-", "--output=json", given=listed)
        answers = list(_documents(text))
        return [one for one, said in zip(wanted, answers, strict=True) if not said["status"]["allowed"]]

    def known(self) -> Object | None:
        """What helm knows of the release: its status, version and chart; None if there is none."""
        if self.planned:
            return None
        everything = ("--all", "--filter", f"^{self.release}$", "--output=json")
        try:
            found = self.shell.json(*self.helm("list", *everything))
        except Failed as error:
            # Helm 4 lists all by itself.
            if "--all" not in error.said:
                raise
            found = self.shell.json(*self.helm("list", *everything[1:]))
        return found[0] if found else None

    def values(self, *, everything: bool = False) -> Object:
        """The values that the release was given; with `everything`, the chart's defaults as well."""
        if self.planned:
            return {}
        more = ("--all",) if everything else ()
        found: Object | None = self.shell.found(
            *self.helm("get", "values", self.release, *more, "--output=json")
        )
        return found or {}

    @property
    def users(self) -> str:
        """The namespace of notebooks and jobs."""
        named: str = (self.values().get("users") or {}).get("namespace") or f"{self.namespace}-users"
        return named


def _documents(text: str) -> Iterator[Any]:
    """JSON documents that stand one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        document, at = decoder.raw_decode(text, at)
        yield document
        at += len(text[at:]) - len(text[at:].lstrip())
