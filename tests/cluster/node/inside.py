"""The first process inside the node's namespaces: starts the programs, and again those that end.

As process 1 of its PID namespace it takes everything with it when it is
killed: programs, containers, mounts and networks. Run as a file, by any
Python 3.11, with the state folder as its argument.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

WAIT = 60.0
PAUSE = 0.5  # before a program that ended starts again


def main(state: Path) -> None:
    _mount(state)
    # Not by /sys, which shows the devices of the machine outside.
    _await(lambda: "eth0" in {name for _, name in socket.if_nameindex()}, "the cable to the host")
    given = json.loads((state / "network.json").read_text())
    for command in (
        "link set lo up",
        f"addr add {given['node']}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {given['host']}",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    commands: dict[str, list[str]] = json.loads((state / "programs.json").read_text())
    running: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}

    def start(name: str) -> None:
        process = _start(state, name, commands[name])
        running[process.pid] = name, process

    for name in commands:
        if name == "apiserver":
            _await(lambda: _connects(("127.0.0.1", 2379)), "etcd")
        if name == "kubelet":  # it gives up at once without its container runtime
            _await(lambda: _connects(f"{state}/containerd.sock"), "containerd")
        start(name)
    while True:
        pid, status = os.wait()  # containers' processes, too, are left to process 1
        if pid in running:
            name, _ = running.pop(pid)
            print(f"{name} ended ({os.waitstatus_to_exitcode(status)}) and starts again", flush=True)
            time.sleep(PAUSE)
            start(name)


def _mount(state: Path) -> None:
    """Lay the node's own folders over those that its programs know by name."""
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    for folder in ("/run", "/var/log"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    over = {"/var/lib/kubelet": state / "kubelet", "/var/lib/cni": state / "cni"}
    for path in (state / "kernel").iterdir():
        over[f"/proc/sys/{path.name.replace('.', '/')}"] = path
    for target, source in over.items():
        subprocess.run(["mount", "--bind", source, target], check=True)


def _start(state: Path, name: str, command: list[str]) -> subprocess.Popen[bytes]:
    with open(state / "logs" / f"{name}.log", "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    (state / "logs" / f"{name}.pid").write_text(str(process.pid))
    return process


def _connects(address: str | tuple[str, int]) -> bool:
    kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(kind) as tried:
        return tried.connect_ex(address) == 0


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come up within {WAIT:.0f} s")
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
