"""The networks of a node: a place of its own for each that runs on this machine."""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.node.system import CannotRun

PLACES = 8


@dataclass(frozen=True)
class Addresses:
    """The addresses of the node in place `number`."""

    number: int

    @property
    def link(self) -> str:
        """The host's end of the cable to the node."""
        return f"blueno{self.number}"

    @property
    def host(self) -> str:
        return f"10.77.{self.number}.1"

    @property
    def node(self) -> str:
        return f"10.77.{self.number}.2"

    @property
    def pods(self) -> str:
        return f"10.78.{self.number}.0/24"

    @property
    def services(self) -> str:
        return f"10.79.{self.number}.0/24"

    @property
    def api(self) -> str:
        """The service address of the API server: the first of the range."""
        return f"10.79.{self.number}.1"


def take() -> tuple[Addresses, int]:
    """Take a free place; the descriptor holds it until all that have it are closed."""
    taken = _routes()
    for number in range(PLACES):
        addresses = Addresses(number)
        lock = os.open(f"/run/lock/blueno-cluster-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        wanted = [
            ipaddress.ip_network(n) for n in (f"{addresses.host}/32", addresses.pods, addresses.services)
        ]
        if not any(one.overlaps(other) for one in wanted for other in taken):
            return addresses, lock
        os.close(lock)
    raise CannotRun(
        f"No network is free for a cluster: stop one of those in 10.77.0.0 to 10.79.{PLACES - 1}.255."
    )


def lock_of(path: Path) -> int | None:
    """Lock a file for this process and its children; None when another has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _routes() -> list[ipaddress.IPv4Network]:
    said = subprocess.run(["ip", "-j", "-4", "route"], check=True, capture_output=True, text=True).stdout
    names = (route["dst"] for route in json.loads(said) if route["dst"] != "default")
    return [ipaddress.IPv4Network(name, strict=False) for name in names]
