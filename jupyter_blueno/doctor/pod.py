"""Around a notebook or a job in a cluster: what its pod may do, sees and reaches."""

from __future__ import annotations

import os
import socket
import stat
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_blueno._version import __version__
from jupyter_blueno.doctor.model import Finding, finding

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
METADATA = "169.254.169.254:80"  # of the clouds: who reaches it may become the node
PATIENCE = 2.0  # seconds for a connection
ENFORCE = "Install a network plugin that enforces NetworkPolicy objects (Calico, Cilium, the cloud's own)"


def inside() -> bool:
    """Whether this process is in a pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


def account() -> Iterator[Finding]:
    """A pod of a person has no account of the cluster."""
    yield finding(
        "account of the cluster", not ACCOUNT.exists(),
        "its token is in this pod" if ACCOUNT.exists() else "no token in this pod",
        "Whoever works here may ask the cluster in its name: set automountServiceAccountToken to false.",
    )  # fmt: skip


def rights() -> Iterator[Finding]:
    """It is not root and cannot become it."""
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
    told = {name: value.strip() for name, _, value in lines}
    wrong = [
        words
        for words, is_so in (
            ("it is root", os.geteuid() == 0),
            ("it may become another user", told.get("NoNewPrivs") != "1"),
            ("it has capabilities", int(told.get("CapBnd", "0"), 16) != 0),
            ("system calls are not filtered", told.get("Seccomp") != "2"),
        )
        if is_so
    ]
    yield finding(
        "rights of the pod", not wrong, ", ".join(wrong) or f"user {os.geteuid()}, no capabilities",
        "Its namespace should enforce Pod Security 'restricted'.",
    )  # fmt: skip


def mounts() -> Iterator[Finding]:
    """What of the shared volume is here, and whether it can be worked with."""
    home = os.environ.get("BLUENO_HOME", "")
    for what, path, shared in (
        ("home", os.environ.get("HOME", ""), False),
        ("team's data folder", home, True),
        *(("team's folder", one, True) for one in os.environ.get("BLUENO_ROOTS", "").split(os.pathsep)),
    ):
        if path:
            yield _mount(what, Path(path), shared)
    if datasets := os.environ.get("BLUENO_DATASETS"):
        yield _common(Path(datasets))


def _common(path: Path) -> Finding:
    """What everybody reads and few write to."""
    writable = "ro" not in _mounted(path)[1]
    try:
        os.listdir(path)
    except OSError as error:
        return Finding(
            "folder for everybody", "fail", f"{path} cannot be read ({error.strerror})",
            "Make it on the volume: mkdir datasets; chown 1000 datasets; chmod 2775 datasets",
        )  # fmt: skip
    words = "yours to write" if writable else "to read"
    return Finding("folder for everybody", "ok", f"{path}, {words}")


def _mount(what: str, path: Path, shared: bool) -> Finding:
    try:
        trial = path / f".doctor-{os.getpid()}"
        trial.write_bytes(b"x")
        trial.unlink()
        mode = path.stat().st_mode
    except OSError as error:
        return Finding(
            what, "fail", f"{path} cannot be written ({error.strerror})",
            "A full volume, or a folder that belongs to another user: make room, or chown it to 1000.",
        )  # fmt: skip
    kind, options = _mounted(path)
    words = f"{path}, {kind}, {stat.filemode(mode)}"
    if shared and not (mode & stat.S_IWGRP and mode & stat.S_ISGID):
        return Finding(
            what, "warn", f"{words}: new files are not the team's", f"In a pod that may: chmod 2775 {path}"
        )
    late = [one for one in options if one.startswith("ac") and one.partition("=")[2] not in ("", "1")]
    if kind.startswith("nfs") and (late or ("noac" not in options and not _has(options, "ac"))):
        return Finding(
            what, "warn", f"{words}: changes are seen late",
            "Add actimeo=1 to the mount options (storage.nfs.mountOptions).",
        )  # fmt: skip
    return Finding(what, "ok", words)


def _has(options: list[str], start: str) -> bool:
    return any(one.startswith(start) for one in options)


def _mounted(path: Path) -> tuple[str, list[str]]:
    """The kind of file system that a path lies on, and its options."""
    best, found = "", ("unknown", [""])
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if len(place) >= len(best) and path.resolve().is_relative_to(place):
            best, found = place, (kind, options.split(","))
    return found


def network() -> Iterator[Finding]:
    """Whether what the network policies close is closed."""
    told = [one for one in os.environ.get("BLUENO_CLOSED", "").split(",") if one]
    if not told:
        yield Finding(
            "network policies", "warn", "not in use: people's pods reach each other, database and cluster",
            f"Set networkPolicies.enabled to true. {ENFORCE}.",
        )  # fmt: skip
        return
    api = f"{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}"
    closed = [*told, api, METADATA]
    with ThreadPoolExecutor(len(closed)) as pool:
        reached = [one for one, open_ in zip(closed, pool.map(_reached, closed), strict=True) if open_]
    yield finding(
        "network policies", not reached,
        f"not enforced: {', '.join(reached)} can be reached from here" if reached
        else f"enforced: {', '.join(closed)} cannot be reached from here",
        f"{ENFORCE}, or set networkPolicies.enabled to false if you accept it.",
    )  # fmt: skip


def _reached(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def service() -> Iterator[Finding]:
    """The hub and its service answer."""
    for what, url in (
        ("hub", os.environ.get("JUPYTERHUB_API_URL", "")),
        ("service", os.environ.get("BLUENO_SERVICE_URL", "")),
    ):
        if not url:
            continue
        address = url if what == "hub" else f"{url}/health"
        try:
            with urllib.request.urlopen(address, timeout=10) as response:
                body = response.read().decode()
        except OSError as error:
            yield Finding(
                what, "fail", f"{url} does not answer ({error})",
                "Look at its pod: kubectl get pods; kubectl logs. Kernels and jobs go on meanwhile.",
            )  # fmt: skip
            continue
        same = what == "hub" or f'"{__version__}"' in body
        yield finding(
            what, same, url if same else f"{url} is another version than {__version__}: {body.strip()}",
            "Name images of one version (images.notebook, images.service), then restart this server.", "warn",
        )  # fmt: skip


CHECKS = (
    ("account of the cluster", account),
    ("rights of the pod", rights),
    ("mounts", mounts),
    ("network policies", network),
    ("service", service),
)
