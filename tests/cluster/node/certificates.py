"""Who is who in the cluster: an authority, and a certificate for each part."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

from tests.cluster.node.addresses import Addresses

NAME = "blueno-test"
MASTERS = "/O=system:masters"
PARTS = {
    "admin": f"{MASTERS}/CN=admin",
    "apiserver-to-kubelet": f"{MASTERS}/CN=apiserver",
    "coredns": f"{MASTERS}/CN=coredns",
    "kwok": f"{MASTERS}/CN=kwok",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "proxy": "/CN=system:kube-proxy",
}


def make(folder: Path, addresses: Addresses, node: str) -> None:
    """Write the authority, the certificates and a kubeconfig for each part."""
    folder.mkdir(mode=0o700)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-subj", f"/CN={NAME}")
    _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "accounts.key")
    _openssl(folder, "ec", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")
    domain = "kubernetes.default.svc"
    servers = {
        "apiserver": (
            "/CN=kube-apiserver",
            f"IP:{addresses.node},IP:127.0.0.1,IP:{addresses.api},DNS:kubernetes,DNS:{domain},DNS:{domain}.cluster.local",
        ),
        "kubelet": (f"/O=system:nodes/CN=system:node:{node}", f"DNS:{node},IP:{addresses.node}"),
    }
    for part, (subject, names) in {**{k: (v, f"DNS:{k}") for k, v in PARTS.items()}, **servers}.items():
        request = ["-keyout", f"{part}.key", "-out", f"{part}.csr", "-subj", subject]
        _openssl(folder, "req", *curve, *request, "-addext", f"subjectAltName={names}")
        signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy"]
        _openssl(folder, "x509", "-req", "-in", f"{part}.csr", *signing, "-out", f"{part}.crt", "-days", "30")
    for part in [*PARTS, "kubelet"]:
        (folder / f"{part}.kubeconfig").write_text(
            _kubeconfig(folder, part, f"https://{addresses.node}:6443")
        )


def _kubeconfig(folder: Path, part: str, server: str) -> str:
    def embedded(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    user = {
        "client-certificate-data": embedded(f"{part}.crt"),
        "client-key-data": embedded(f"{part}.key"),
    }
    cluster = {"server": server, "certificate-authority-data": embedded("ca.crt")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": part, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": part}}],
        "current-context": NAME,
    }
    return json.dumps(document, indent=1)


def _openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr[-500:]}")
