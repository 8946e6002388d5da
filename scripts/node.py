"""What a Kubernetes on this machine needs before it can start: packages and programs."""

from __future__ import annotations

import os
import shutil
import sys

from environment import ROOT, run, step

sys.path.insert(0, str(ROOT))

from tests.cluster.images import TARGETS, Images, base_of_tests
from tests.cluster.node import programs, system
from tests.cluster.node.node import CannotRun


def prepare() -> None:
    """Install and build what is missing.

    Raises
    ------
    CannotRun
        None can run here, or it cannot be built; the sentence says why.
    """
    if reason := system.obstacle():
        raise CannotRun(f"{reason}: point KUBECONFIG to a cluster (kind, k3s, minikube)")
    lacking = system.lacking(system.NEEDED | system.BUILDERS)
    if lacking and not shutil.which("apt-get"):
        raise CannotRun(f"it needs what Debian calls {', '.join(lacking)}: install them")
    if lacking:
        with step(f"Installing {', '.join(lacking)}"):
            run(["apt-get", "update", "-qq"])
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *lacking]
            run(install, DEBIAN_FRONTEND="noninteractive")
    for module in programs.missing():
        with step(f"Building {module} by Go (some minutes, once for all checkouts)"):
            programs.build(module)


def prepare_tests() -> None:
    """The same for the tests; where none can run, say that those are skipped."""
    if os.environ.get("KUBECONFIG"):
        return
    try:
        prepare()
    except CannotRun as reason:
        if os.environ.get("CI") and system.obstacle() is None and shutil.which("go"):
            sys.exit(f"The cluster for the tests could not be made: {reason}")
        print(f"The tests in tests/cluster are skipped: {reason}.", flush=True)
        return
    try:
        with step("Building the images of the cluster's tests (minutes when their packages change)"):
            images = Images(base_of_tests())
            for target in TARGETS:
                images.build(target)
            images.postgres()
    except CannotRun as reason:
        print(f"The tests of images and chart are skipped: {reason}.", flush=True)
