"""GPUs for machines without: a library that answers as NVIDIA's does, busy as a file says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def stand_in(folder: Path) -> tuple[dict[str, str], Path]:
    """Build the library; return the environment that finds it, and the file with the percentage."""
    compiler = shutil.which("cc") or pytest.skip("the stand-in for NVIDIA's library is built by a C compiler")
    busy = folder / "busy"
    busy.write_text("0")
    library = folder / "libnvidia-ml.so.1"
    source = Path(__file__).with_name("nvml.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return {"LD_LIBRARY_PATH": str(folder), "NVML_BUSY": str(busy)}, busy
