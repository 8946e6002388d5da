"""What a cluster has to hand out: its nodes where they may be looked at, and quotas."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import NamedTuple

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.errands import Errands
from jupyter_blueno.jobs.backends.kubernetes.objects import PodTemplate
from jupyter_blueno.jobs.backends.kubernetes.shapes import NodeObject, PodObject, QuotaObject, quantity
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.quotas.model import ANY, Amounts
from jupyter_blueno.jobs.sending.outlook import Room

FRESH = 10.0  # seconds that an answer is good for
ACTIVE = "status.phase!=Succeeded,status.phase!=Failed"


class Known(NamedTuple):
    """`nodes`: name → what it has and what is free of it; None where they may not be looked at.

    `quotas`: of each its name, what it allows in all and what is in use; infinite where it says nothing.
    """

    nodes: dict[str, tuple[Amounts, Amounts]] | None
    quotas: list[tuple[str, Amounts, Amounts]]


class Capacity:
    """Asked once somebody wants to know, later while nobody waits for it. Thread-safe."""

    def __init__(self, access: Access, namespace: str, template: PodTemplate, errands: Errands) -> None:
        self.access, self.namespace, self.template, self.errands = access, namespace, template, errands
        self._known: Known | None = None
        self._asked = -FRESH

    def known(self) -> Known:
        """What there is, or was some seconds ago; nothing is known where the cluster does not answer."""
        if self._known is None:
            with contextlib.suppress(Refused, Unreachable):
                self._ask()
        elif time.monotonic() - self._asked >= FRESH:
            self.errands.do("count", str(id(self)), self._ask)
        return self._known or Known(None, [])

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._known = Known(self._nodes(), self._quotas())

    def room(self) -> Room:
        nodes, quotas = self.known()
        there = free = ANY
        if nodes is not None:
            there = _sum(one for one, _ in nodes.values())
            free = _sum(one for _, one in nodes.values())
        for _, hard, used in quotas:
            there, free = there.least(hard), free.least(hard.less(used))
        there, free = (_finite(one) for one in (there, free))
        return Room(
            places=int(there.cpu / self.template.cpu),
            places_free=int(free.cpu / self.template.cpu),
            cpu=there.cpu,
            cpu_free=round(free.cpu, 3),
            memory=there.memory,
            memory_free=free.memory,
            gpus=int(there.gpu),
            gpus_free=int(free.gpu),
        )

    def fits(self, asked: Amounts, count: int = 1) -> bool | None:
        """Whether there is room now for so many of these; None if that is not known."""
        nodes, quotas = self.known()
        if any(_beyond(asked.times(count), hard.less(used)) for _, hard, used in quotas):
            return False
        if nodes is None:
            return None
        return sum(_pieces(asked, free, count) for _, free in nodes.values()) >= count

    def check(self, asked: Resources) -> None:
        """Refuse what no node and no quota could ever give.

        Raises
        ------
        InvalidInput
        """
        nodes, quotas = self.known()
        wanted = Amounts(asked.cpu or 0.0, asked.memory or 0.0, asked.gpu)
        count = asked.workers
        each = f"for {count} workers, " if count > 1 else ""
        for name, hard, _ in quotas:
            if kind := _beyond(wanted.times(count), hard):
                raise _too_much(kind, hard, f"{each}the quota '{name}' allows")
        if not nodes or self.template.grows:
            return
        there = [one for one, _ in nodes.values()]
        if all(_beyond(wanted, one) for one in there):
            most = Amounts(*(max(column) for column in zip(*there, strict=True)))
            kind = _beyond(wanted, most)
            if kind is None:
                raise InvalidInput(
                    "No node of the cluster has all of that together; ask for less of something.",
                    code="no_such_node",
                )
            raise _too_much(kind, most, "The largest node of the cluster has")
        found = sum(_pieces(wanted, one, count) for one in there)
        if found < count:
            raise InvalidInput(
                f"The cluster's nodes have room for {found} such workers, not for {count}; ask for fewer.",
                code="no_such_node",
            )

    # -- asking -------------------------------------------------------------------

    def _nodes(self) -> dict[str, tuple[Amounts, Amounts]] | None:
        try:
            nodes, _ = self.access.every("/api/v1/nodes", NodeObject)
        except Refused as error:
            if error.status == 403:
                return None
            raise
        try:
            pods, _ = self.access.every("/api/v1/pods", PodObject, [("fieldSelector", ACTIVE)])
        except Refused:
            pods = []
        used: dict[str, list[Amounts]] = {}
        for pod in pods:
            wants = [self._amounts(one.resources.requests) for one in pod.spec.containers]
            used.setdefault(pod.spec.node_name, []).append(_sum(wants))
        found = {}
        for node in nodes:
            there = self._amounts(node.status.allocatable)
            free = there.less(_sum(used.get(node.metadata.name, []))) if node.usable() else Amounts()
            found[node.metadata.name] = (there, free)
        return found

    def _quotas(self) -> list[tuple[str, Amounts, Amounts]]:
        path = f"/api/v1/namespaces/{self.namespace}/resourcequotas"
        try:
            quotas, _ = self.access.every(path, QuotaObject)
        except Refused as error:
            if error.status == 403:
                return []
            raise
        return [
            (one.metadata.name, self._bounds(one.status.hard, ANY), self._bounds(one.status.used, Amounts()))
            for one in quotas
        ]

    def _amounts(self, of: dict[str, str]) -> Amounts:
        gpu = quantity(of.get(self.template.gpu_resource, "0"))
        return Amounts(quantity(of.get("cpu", "0")), quantity(of.get("memory", "0")), gpu)

    def _bounds(self, of: dict[str, str], default: Amounts) -> Amounts:
        """Of a quota: the narrower one of requests and limits."""
        found = []
        for name, without in zip(("cpu", "memory", self.template.gpu_resource), default, strict=True):
            names = (name, f"requests.{name}", f"limits.{name}")
            said = [quantity(of[one]) for one in names if one in of]
            found.append((min if without else max)(said) if said else without)
        return Amounts(*found)


def _sum(of: Iterable[Amounts]) -> Amounts:
    total = Amounts()
    for one in of:
        total = Amounts(*(mine + its for mine, its in zip(total, one, strict=True)))
    return total


def _finite(one: Amounts) -> Amounts:
    return Amounts(*(0.0 if value == float("inf") else value for value in one))


def _pieces(asked: Amounts, there: Amounts, most: int) -> int:
    """How often the one is in the other, up to `most`."""
    counts = [int(has // wants) for wants, has in zip(asked, there, strict=True) if wants > 0]
    return max(0, min([most, *counts]))


def _beyond(asked: Amounts, there: Amounts) -> str | None:
    """Which of them is more than there is."""
    return next((name for name in Amounts._fields if getattr(asked, name) > getattr(there, name)), None)


def _too_much(kind: str, there: Amounts, who: str) -> InvalidInput:
    who = who[0].upper() + who[1:]
    if kind == "memory":
        size = f"{there.memory / 1e9:.3g} GB"
        return InvalidInput(f"{who} {size} of memory; ask for at most so much.", code="no_such_memory")
    if kind == "gpu":
        count = f"{there.gpu:g} GPU{'' if there.gpu == 1 else 's'}" if there.gpu else "no GPU"
        return InvalidInput(f"{who} {count}; ask for at most so many.", code="no_such_gpu")
    return InvalidInput(f"{who} {there.cpu:g} CPU cores; ask for at most so many.")
