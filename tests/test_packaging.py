"""What is installed works without the clone: the wheel, in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = shutil.which("uv")


def run(*command: str | Path, **environment: str) -> str:
    """Run a command and return all it prints."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JUPYTER", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env={**outside, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git tracks, built from scratch: the front end too.

    Its npm packages are those that are here already, as far as they are those of ``yarn.lock``.
    """
    clone = tmp_path_factory.mktemp("clone")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    packages = ROOT / "labextension" / "node_modules"
    if packages.is_dir():
        (clone / "labextension" / "node_modules").symlink_to(packages)
    out = tmp_path_factory.mktemp("wheel")
    if UV:
        run(UV, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", out, clone)
    else:
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, clone)
    (built,) = out.glob("jupyter_blueno-*.whl")
    return built


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_is_whole_and_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    must_hold_what_is_needed_and_nothing_else(wheel)
    empty = tmp_path / "empty"
    venv.create(empty, with_pip=not UV)
    python = empty / "bin" / "python"
    installer = [UV, "pip", "install", "--python", python] if UV else [python, "-m", "pip", "install"]
    run(*installer, "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    scripts = {"PATH": f"{empty / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    server = run(python, "-m", "jupyter", "server", "extension", "list", **scripts)
    assert "jupyter_blueno 0" in server
    assert "OK" in server.split("jupyter_blueno 0", 1)[1].splitlines()[0]
    lab = run(python, "-m", "jupyter", "labextension", "list", **scripts)
    line = next(line for line in lab.splitlines() if "jupyter-blueno v" in line)
    assert "enabled" in line
    assert "OK" in line
    assert "usage" in run(empty / "bin" / "blueno", "--help", **scripts).lower()


def must_hold_what_is_needed_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    needed = [
        "jupyter_blueno/widgets/static/viewer.js",
        "jupyter_blueno/chart/Chart.yaml",
        "jupyter_blueno/database/migrations/versions/0001_first.py",
    ]
    assert [name for name in needed if name not in names] == []
    strange = ("node_modules/", "jupyter_blueno/tests/", "/.yarn/", "__pycache__")
    assert [
        name for name in names if name.startswith("tests/") or any(part in name for part in strange)
    ] == []
