"""Where a notebook is, as Lab knows it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from jupyter_blueno.client.rooted import below_root


def serve(runtime: Path, pid: int, root: Path) -> None:
    (runtime / f"jpserver-{pid}.json").write_text(json.dumps({"pid": pid, "root_dir": str(root)}))


def test_a_notebook_is_below_the_root_of_the_kernel_s_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, root = tmp_path / "runtime", tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    runtime.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    notebook = root / "deep" / "train ü.ipynb"
    assert below_root(notebook) == str(notebook)  # no server
    serve(runtime, os.getppid(), tmp_path)
    assert below_root(notebook) == "root/deep/train ü.ipynb"
    serve(runtime, os.getpid(), root)
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    assert below_root(notebook) == "deep/train ü.ipynb"
    assert below_root("/elsewhere/x.ipynb") == "/elsewhere/x.ipynb"
    (tmp_path / "link").symlink_to(root)
    serve(runtime, os.getpid(), tmp_path / "link")
    assert below_root(notebook) == "deep/train ü.ipynb"
    (runtime / f"jpserver-{os.getpid()}.json").write_text("{")  # just being written
    assert below_root(notebook) == "root/deep/train ü.ipynb"
