"""What the node needs of the operating system: Linux, root, and programs that Debian packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# A program, or a file, and the package that brings it.
NEEDED = {
    "busybox": "busybox-static",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "ip": "iproute2",
    "iptables": "iptables",
    "openssl": "openssl",
    "runc": "runc",
    "socat": "socat",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}

# What images are built with: the tests of the cluster itself do without.
BUILDERS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}


class CannotRun(Exception):
    """No cluster can run here, or not yet; the sentence says why and what to do."""


def lacking(needed: Mapping[str, str] = NEEDED) -> list[str]:
    """Return the Debian packages that are not installed."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return sorted(
        package
        for name, package in needed.items()
        if not (Path(name).exists() if name.startswith("/") else shutil.which(name, path=search))
    )


def obstacle() -> str | None:
    """Return why no node can run here, whatever is installed; None where it can."""
    if not sys.platform.startswith("linux"):
        return "a Kubernetes of our own runs on Linux"
    if os.geteuid() != 0:
        return "a Kubernetes of our own needs root"
    spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    if subprocess.run(spaces, stderr=subprocess.DEVNULL).returncode:
        return "a Kubernetes of our own needs namespaces, which this container may not make"
    return None
