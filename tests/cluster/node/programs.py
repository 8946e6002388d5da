"""The programs of a Kubernetes, built by Go from the modules that publish them.

Each folder of ``tests/cluster/programs`` is a Go module that names its
commands in a ``tool`` block; its go.mod and go.sum are the lock. What was
built is kept for all checkouts, below the user's cache folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.node.system import CannotRun

SOURCES = Path(__file__).resolve().parent.parent / "programs"
MODULES = {
    "kubernetes": (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubectl",
        "kubelet",
    ),
    "etcd": ("etcd",),
    "coredns": ("coredns",),
    "kwok": ("kwok",),
    "helm": ("helm",),
    "kueue": ("kueue",),
}
# What the node itself is made of; Helm and Kueue only speak to it.
NODE = ("kubernetes", "etcd", "coredns", "kwok")
OLDEST_GO = (1, 26)


def folder(module: str) -> Path:
    """Return where the programs of a module are, or will be once they are built."""
    source = SOURCES / module
    digest = hashlib.sha256(repr(_flags(module)).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((source / name).read_bytes())
    return cache() / f"{module}-{digest.hexdigest()[:12]}"


def cache() -> Path:
    """Return the folder of everything that is built once for all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "jupyter-blueno" / "cluster"


def program(name: str) -> Path:
    """Return the path of a program that was built."""
    module = next(module for module, names in MODULES.items() if name in names)
    return folder(module) / name


def missing(modules: Iterable[str] = MODULES) -> list[str]:
    """Return those modules that are not built yet."""
    return [module for module in modules if not folder(module).is_dir()]


def build(module: str) -> None:
    """Build the programs of a module, unless another process just did.

    Raises
    ------
    CannotRun
        There is no Go, an old one, or it refuses.
    """
    _check_go()
    target = folder(module)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f"{module}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{module}-") as made:
            output = Path(made) / "bin"
            output.mkdir()
            # One program takes the name it is given: etcd's is called "server" in its module.
            alone = MODULES[module] if len(MODULES[module]) == 1 else ("",)
            done = subprocess.run(
                ["nice", "-n", "10", "go", "build", *_flags(module), "-o", f"{output}/{alone[0]}", "tool"],
                cwd=SOURCES / module,
                env={**os.environ, "CGO_ENABLED": "0"},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise CannotRun(f"Go could not build {module}:\n{done.stderr[-2000:]}")
            output.rename(target)


def _check_go() -> None:
    go = shutil.which("go")
    wanted = ".".join(map(str, OLDEST_GO))
    if go is None:
        raise CannotRun(f"a Kubernetes of our own is built by Go: install Go {wanted} or newer")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    if version < OLDEST_GO:
        raise CannotRun(f"a Kubernetes of our own is built by Go {wanted} or newer; this is {said.strip()}")


def _flags(module: str) -> list[str]:
    """Return Go's flags: small programs that name no folder of this machine and know their version."""
    link = "-s -w"
    if module == "kubernetes":
        text = (SOURCES / module / "go.mod").read_text()
        found = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", text)
        assert found
        told = zip(("gitVersion", "gitMajor", "gitMinor"), found.groups(), strict=True)
        # Without them clients take the server for a version 0.
        link += "".join(f" -X k8s.io/component-base/version.{key}={value}" for key, value in told)
    return ["-trimpath", "-buildvcs=false", "-ldflags", link]
