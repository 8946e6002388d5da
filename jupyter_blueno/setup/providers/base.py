"""What a provider says of itself, and how its refusals are put into words."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from msgspec import Struct

from jupyter_blueno.doctor.model import Finding, finding
from jupyter_blueno.errors import Conflict, NotAllowed, Unavailable
from jupyter_blueno.setup.cluster import Object
from jupyter_blueno.setup.model import Price, Server, Step, Storage
from jupyter_blueno.setup.programs import INSTALL, Failed, Shell
from jupyter_blueno.setup.server import disk

HOURS = 730  # of a month


class Size(Struct, kw_only=True):
    """How large a cluster is, and where.

    Parameters
    ----------
    place : str
        Region or zone, as the provider names it; empty: its default.
    project : str
        Google's project, Azure's resource group.
    nodes, gpus : int
        The most machines that are started, without and with a GPU.
    storage : int
        TB for everybody's files, where they are paid for by what is reserved.
    server : Server
        The chart's own NFS server instead of the provider's.
    """

    name: str = "blueno"
    place: str = ""
    project: str = ""
    machine: str = ""
    nodes: int = 3
    gpu_machine: str = ""
    gpus: int = 0
    storage: int = 1
    server: Server | None = None


class Provider(ABC):
    """A cluster of its own for Blueno; `size` says how large.

    All methods may be called again after whatever happened: what is there is found.
    """

    programs: tuple[str, ...] = ()
    title = ""
    disks = ""  # who makes those of the default class

    def __init__(self, size: Size) -> None:
        self.size = size

    def look(self, shell: Shell) -> Iterator[Finding]:
        """What has to be right before: programs, who is signed in."""
        for program in self.programs:
            there = shutil.which(program) is not None
            where = INSTALL.get(program, "")
            yield finding(program, there, "installed" if there else "not installed", f"Install it: {where}")
            if not there:
                return
        try:
            yield from self.signed_in(shell)
        except Failed as error:
            reason = explained(self, error)
            yield Finding("signed in", "fail", "no", getattr(reason, "message", error.said))

    def signed_in(self, shell: Shell) -> Iterator[Finding]:
        """Whether the provider knows who asks, and on whose account."""
        yield from ()

    def machines(self, what: str, price: float) -> Price:
        """What those without GPUs cost in a month; one is always there."""
        most = self.size.nodes
        return Price(f"machines {what}, 1 to {most}", price, price * (most - 1))

    def gpu_machines(self, gpu: str, price: float) -> list[Price]:
        """What those with a GPU cost; none is there while nobody asks for one."""
        most = self.size.gpus
        return [Price(f"machines with {gpu}, 0 to {most}", 0, price * most)] if most else []

    def files(self, share: Price) -> Price:
        """What everybody's files cost: on the provider's share, or on the disk of an own server."""
        wanted = self.size.server
        return (disk(wanted.size, self.disks) if wanted else None) or share

    @property
    @abstractmethod
    def context(self) -> str:
        """What the kubeconfig calls the cluster."""

    @abstractmethod
    def steps(self, shell: Shell) -> list[Step]:
        """What makes the cluster; the one that makes it is `ground`."""

    @abstractmethod
    def storage(self, shell: Shell) -> Storage:
        """Where everybody's files are, once the steps are done."""

    def values(self) -> Object:
        """What the chart has to know of this provider."""
        return {}

    def notes(self) -> tuple[str, ...]:
        return ()

    def prices(self) -> tuple[Price, ...]:
        return ()

    @abstractmethod
    def removal(self, shell: Shell) -> list[Step]:
        """What takes away all that was made, files included."""

    def gpu_profile(self) -> Object:
        """Values with a profile that gets one GPU; its machines are started when somebody asks."""
        usual = {"name": "Small", "slug": "small", "description": "1 core, 2 GB"}
        small = {
            **usual,
            "cpu": {"guarantee": 0.2, "limit": 1},
            "memory": {"guarantee": "512Mi", "limit": "2Gi"},
        }
        gpu = {
            "name": "One GPU",
            "slug": "gpu",
            "description": "a GPU; a machine is started for it, which takes some minutes",
            "gpu": 1,
            "memory": {"guarantee": "4Gi", "limit": "12Gi"},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        }
        tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
        return {"profiles": [small, gpu], "jobs": {"grows": True, "tolerations": tolerations}}


def pause(shell: Shell, words: str, seconds: float = 15) -> None:
    """Wait a little for what somebody else makes."""
    shell.say(f"    {words}")
    time.sleep(seconds)


# What providers say when they refuse, by what it means.
SIGNED_OUT = (
    "do not currently have an active account selected",
    "az login",
    "unable to locate credentials",
    "token has expired",
    "expiredtoken",
    "reauthentication failed",
)
NO_QUOTA = (
    "insufficient regional quota",
    "insufficient project quota",
    "quota exceeded",
    "quotaexceeded",
    "insufficientvcpuquota",
    "vcpulimitexceeded",
    "maximum number of",
    "limitexceeded",
)
NO_ROOM = (
    "zone_resource_pool_exhausted",
    "skunotavailable",
    "insufficientinstancecapacity",
    "allocationfailed",
)
NOT_ALLOWED = (
    "permission_denied",
    "authorizationfailed",
    "accessdenied",
    "unauthorizedoperation",
    "forbidden",
)
NO_BILLING = ("billing", "subscription is disabled", "optinrequired")
EXISTS = ("already exists", "alreadyexists", "already_exists")


def explained(provider: Provider, error: Failed) -> Exception:
    """A provider's refusal as what happened and what to do next; what it said stays in it."""
    lower = error.said.lower()
    quoted = " ".join(error.said.split())[-600:]

    def among(words: tuple[str, ...]) -> bool:
        return any(word in lower for word in words)

    if among(SIGNED_OUT):
        return NotAllowed(f"Nobody is signed in to {provider.title}: {sign_in(provider)}.", code="signed_out")
    if among(NO_QUOTA):
        return Unavailable(
            f"Your quota at {provider.title} does not allow it. Ask for more (it says where), or for "
            f"less: --nodes, --gpus, --machine, another --place. "
            f"What was made stays: run this again. ({quoted})",
            code="no_quota",
        )
    if among(NO_ROOM):
        return Unavailable(
            f"{provider.title} has no such machine free in {provider.size.place or 'that place'} now: choose "
            f"another --place or --machine, or run this again later. ({quoted})",
            code="no_room",
        )
    if among(NO_BILLING):
        return NotAllowed(f"{provider.title} wants an account that pays: {quoted}", code="no_billing")
    if among(NOT_ALLOWED):
        return NotAllowed(f"Your account at {provider.title} may not do that: {quoted}")
    if among(EXISTS):
        return Conflict(
            f"There is something of that name, which this command did not find as its own: choose another "
            f"--cluster, or remove it. ({quoted})"
        )
    return error


def sign_in(provider: Provider) -> str:
    """The command that does it."""
    words = {"gcloud": "gcloud auth login", "az": "az login", "aws": "aws configure (or aws sso login)"}
    return next((words[one] for one in provider.programs if one in words), "sign in by its own command")
