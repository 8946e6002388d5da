"""Beside a hub on a cluster: from asking for a server to Lab's page, against one without Blueno.

The same image, hub, proxy and node; the other one is KubeSpawner's pod without the
chart's folders, mounts and hooks, in which the extension is switched off.
"""

from __future__ import annotations

import statistics
import time
import urllib.error
import urllib.request

from benchmarks.figures import Figure, percentile
from tests.cluster.client import Cluster
from tests.cluster.images import STAND_IN, TARGETS, Images
from tests.cluster.installation import ADMIN, Installation, installed
from tests.cluster.node.node import BUSYBOX, Node
from tests.cluster.node.programs import program

ROUNDS = 7
REACH = 1.3
BARE = """
import msgspec
from jupyter_blueno.hub import cluster
_values = msgspec.json.decode(open("/etc/blueno/values.json").read(), type=cluster.Values)
c.KubeSpawner.profile_list = [*(cluster._profile(one, _values, None) for one in _values.profiles), {
    "display_name": "Bare", "slug": "bare", "kubespawner_override": {
        "volumes": [], "volume_mounts": [], "init_containers": [], "modify_pod_hook": None,
        "cpu_guarantee": 0.05, "cpu_limit": 1, "mem_guarantee": "256M", "mem_limit": "1536M",
        "notebook_dir": "/tmp", "default_url": "/lab", "environment": {"HOME": "/tmp"},
        "args": ["--ServerApp.jpserver_extensions={'jupyter_blueno': False}"],
    }}]
"""


def measure() -> list[Figure]:
    """Start servers of two kinds in turn."""
    times: dict[str, list[float]] = {"small": [], "bare": []}
    with Node().used() as node:
        cluster = Cluster(node.kubeconfig, program("kubectl"), BUSYBOX, node)
        images = Images(STAND_IN)
        names = {target: images.load(images.build(target), node) for target in TARGETS}
        names["postgresql"] = images.load(images.postgres(), node)
        with installed(cluster, names) as chart:
            chart.having(hub={"extraConfig": ADMIN + BARE})
            for profile in times:
                _entered(chart, profile)  # fills caches, and makes the person's folders
            for number in range(ROUNDS):
                # Who goes first changes: the machine may be getting busier, or less so.
                for profile in list(times)[:: 1 if number % 2 else -1]:
                    times[profile].append(_entered(chart, profile))
    ratio = statistics.median(one / other for one, other in zip(*times.values(), strict=True))
    return [
        Figure(
            "hub: server asked for → Lab's page",
            _spread(times["small"]),
            f"a bare KubeSpawner's {_spread(times['bare'])}: {ratio:.2f} × its time",
            f"≤ {REACH} ×",
            ratio <= REACH,
        )
    ]


def _spread(times: list[float]) -> str:
    low, high = percentile(times, 25), percentile(times, 75)
    return f"{statistics.median(times):.1f} s ({low:.1f} to {high:.1f})"


def _entered(chart: Installation, profile: str) -> float:
    """Seconds from asking for alice's server to its page; it is stopped afterwards."""
    if chart.server("alice") is None:
        try:
            chart.api("POST", "/users/alice")
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
    token = chart.api("POST", "/users/alice/tokens", {"note": "measure"})["token"]
    page = urllib.request.Request(f"{chart.url}/user/alice/lab", headers={"Authorization": f"token {token}"})
    began = time.monotonic()
    try:
        chart.api("POST", "/users/alice/server", {"profile": profile})
    except urllib.error.HTTPError:
        raise RuntimeError(chart.says()) from None
    while True:
        try:
            with urllib.request.urlopen(page, timeout=10) as answer:
                if b"jupyter-config-data" in answer.read():
                    break
        except OSError:
            pass
        assert time.monotonic() - began < 300, chart.says()
        time.sleep(0.05)
    seconds = time.monotonic() - began
    chart.cluster.until(lambda: (chart.server("alice") or {}).get("ready"), chart.says)
    chart.stop_server("alice")
    return seconds
