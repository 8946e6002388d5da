"""What each program of the node is told."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.node import simulated
from tests.cluster.node.addresses import Addresses
from tests.cluster.node.programs import program

NODE = "node1"
DOMAIN = "cluster.local"
PROCESSES = 1024  # of a pod
PAUSE = "localhost/blueno-test/pause:1"
# The kubelet insists on these values, which would be the whole machine's: it is shown files instead.
KERNEL = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
}


def write(state: Path, addresses: Addresses, cgroup: str) -> None:
    """Write the settings of all programs, and the list of them, into the state folder."""
    for name in ("logs", "network", "kubelet", "cni", "kernel"):
        (state / name).mkdir()
    for name, value in KERNEL.items():
        (state / "kernel" / name.replace("/", ".")).write_text(value)
    (state / "containerd.toml").write_text(_containerd(state))
    (state / "network" / "10-bridge.conflist").write_text(json.dumps(_network(addresses)))
    (state / "resolv.conf").write_text(f"nameserver {addresses.node}\n")
    (state / "kubelet.json").write_text(json.dumps(_kubelet(state, addresses, cgroup)))
    (state / "proxy.json").write_text(json.dumps(_proxy(state, addresses)))
    (state / "Corefile").write_text(_corefile(state, addresses))
    (state / "kwok.yaml").write_text(simulated.stages())
    (state / "programs.json").write_text(json.dumps(_programs(state, addresses), indent=1))


def _programs(state: Path, addresses: Addresses) -> dict[str, list[str]]:
    """Return the command of each program, in the order in which they start."""
    pki = state / "pki"

    def built(name: str, *arguments: str, **options: object) -> list[str]:
        return [str(program(name)), *arguments, *(f"--{k.replace('_', '-')}={v}" for k, v in options.items())]

    etcd = "http://127.0.0.1:2379"
    return {
        "etcd": built(
            "etcd",
            "--unsafe-no-fsync",
            data_dir=state / "etcd",
            log_level="warn",
            listen_client_urls=etcd,
            advertise_client_urls=etcd,
            listen_peer_urls="http://127.0.0.1:2380",
        ),
        "containerd": ["containerd", "--config", str(state / "containerd.toml")],
        "apiserver": built(
            "kube-apiserver",
            etcd_servers=etcd,
            advertise_address=addresses.node,
            bind_address="0.0.0.0",
            service_cluster_ip_range=addresses.services,
            client_ca_file=pki / "ca.crt",
            tls_cert_file=pki / "apiserver.crt",
            tls_private_key_file=pki / "apiserver.key",
            service_account_key_file=pki / "accounts.pub",
            service_account_signing_key_file=pki / "accounts.key",
            service_account_issuer="https://kubernetes.default.svc",
            authorization_mode="Node,RBAC",
            enable_admission_plugins="NodeRestriction",
            kubelet_client_certificate=pki / "apiserver-to-kubelet.crt",
            kubelet_client_key=pki / "apiserver-to-kubelet.key",
            kubelet_preferred_address_types="InternalIP",
            allow_privileged="true",
            profiling="false",
        ),
        "controller-manager": built(
            "kube-controller-manager",
            kubeconfig=pki / "controller-manager.kubeconfig",
            service_account_private_key_file=pki / "accounts.key",
            root_ca_file=pki / "ca.crt",
            cluster_signing_cert_file=pki / "ca.crt",
            cluster_signing_key_file=pki / "ca.key",
            use_service_account_credentials="true",
            pvclaimbinder_sync_period="1s",  # a claim made before its volume would wait for 15
            leader_elect="false",
            profiling="false",
        ),
        "scheduler": built(
            "kube-scheduler", kubeconfig=pki / "scheduler.kubeconfig", leader_elect="false", profiling="false"
        ),
        "kubelet": built(
            "kubelet",
            config=state / "kubelet.json",
            kubeconfig=pki / "kubelet.kubeconfig",
            hostname_override=NODE,
            node_ip=addresses.node,
        ),
        "proxy": built("kube-proxy", config=state / "proxy.json", hostname_override=NODE),
        "coredns": built("coredns", "-conf", str(state / "Corefile")),
        # It plays the kubelet of nodes that only exist in the API, and of their pods.
        "kwok": built(
            "kwok",
            config=state / "kwok.yaml",
            kubeconfig=pki / "kwok.kubeconfig",
            manage_nodes_with_label_selector="type=kwok",
            node_lease_duration_seconds=40,
        ),
    }


def _containerd(state: Path) -> str:
    return f"""version = 2
root = "{state}/containerd"
state = "/run/containerd"
[grpc]
  address = "{state}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{state}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{state}/network"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""


def _network(addresses: Addresses) -> dict[str, object]:
    ranges = {
        "type": "host-local",
        "ranges": [[{"subnet": addresses.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True, "ipam": ranges}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "bridge", "plugins": [bridge, ports]}


def _kubelet(state: Path, addresses: Addresses, cgroup: str) -> dict[str, object]:
    pki = state / "pki"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "clusterDNS": [addresses.node],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{state}/containerd.sock",
        # A disk or memory that is nearly full is this machine's, and no reason to turn tests away.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "oomScoreAdj": 0,
        "podPidsLimit": PROCESSES,
        "resolvConf": str(state / "resolv.conf"),
        "serializeImagePulls": False,
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "volumePluginDir": str(state / "plugins"),
    }


def _proxy(state: Path, addresses: Addresses) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": addresses.node,
        "clientConnection": {"kubeconfig": str(state / "pki" / "proxy.kubeconfig")},
        "clusterCIDR": addresses.pods,
        # They are the whole machine's: leave them.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "mode": "iptables",
    }


def _corefile(state: Path, addresses: Addresses) -> str:
    return f""".:53 {{
  errors
  bind {addresses.node}
  kubernetes {DOMAIN} in-addr.arpa {{
    kubeconfig {state}/pki/coredns.kubeconfig
  }}
  cache 5
}}
"""
