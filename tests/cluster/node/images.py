"""Small image archives, made of files, without a builder."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def busybox(target: Path, name: str, command: list[str]) -> None:
    """Write an archive of an image that holds busybox under all its names."""
    program = shutil.which("busybox")
    if program is None:
        raise FileNotFoundError("busybox is not installed (Debian: apt-get install busybox-static)")
    applets = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as made:
        for folder, mode in {"bin": 0o755, "etc": 0o755, "tmp": 0o1777}.items():
            made.addfile(_entry(folder, tarfile.DIRTYPE, mode))
        content = Path(program).read_bytes()
        one = _entry("bin/busybox", tarfile.REGTYPE, 0o755)
        one.size = len(content)
        made.addfile(one, io.BytesIO(content))
        for applet in applets:
            if applet != "busybox":
                link = _entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777)
                link.linkname = "busybox"
                made.addfile(link)
    _write(target, name, layer.getvalue(), command)


def _write(target: Path, name: str, layer: bytes, command: list[str]) -> None:
    config = {
        "architecture": MACHINES[platform.machine()],
        "os": "linux",
        "config": {"Cmd": command, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    told = json.dumps(config).encode()
    digest = hashlib.sha256(told).hexdigest()
    manifest = [{"Config": f"{digest}.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {"layer.tar": layer, f"{digest}.json": told, "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(target, "w") as archive:
        for path, content in files.items():
            entry = _entry(path, tarfile.REGTYPE, 0o644)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _entry(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = kind, mode
    return entry
