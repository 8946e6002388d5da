"""The checks that need no running program, in the order of their speed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from environment import BIN, PYTHON, ROOT

FRONT_END = ROOT / "labextension"


def check() -> bool:
    """Run every check, print what failed, and say whether all passed."""
    checks = {
        "ruff": [[BIN / "ruff", "check", "."], [BIN / "ruff", "format", "--check", "."]],
        "import contracts": [[BIN / "lint-imports"]],
        "mypy": [[BIN / "mypy"]],
        "values of the chart": [[PYTHON, ROOT / "scripts" / "values", "--check"]],
    }
    passed = True
    for name, commands in checks.items():
        passed &= _report(name, (_run(command, ROOT) for command in commands))
    passed &= _report("contract", (made() for made in [_contract]))
    passed &= _report("front end", (_run(command, FRONT_END) for command in [[BIN / "jlpm", "check"]]))
    return passed


def _run(command: Sequence[Path | str], folder: Path) -> str:
    """Return the output if the command failed, else nothing."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def _contract() -> str:
    """Compare the committed document and TypeScript types with freshly made ones."""
    document, types = ROOT / "docs" / "openapi.json", FRONT_END / "src" / "api" / "generated.ts"
    made = subprocess.run([PYTHON, "-m", "jupyter_blueno.server.openapi"], capture_output=True, text=True)
    if made.returncode:
        return made.stderr
    if made.stdout != document.read_text():
        return "docs/openapi.json is not what the operations say; run scripts/contract."
    committed = types.read_text()
    said = _run([BIN / "jlpm", "types"], FRONT_END)
    fresh = types.read_text()
    types.write_text(committed)
    stale = "src/api/generated.ts is not what docs/openapi.json says; run scripts/contract."
    return said or ("" if fresh == committed else stale)


def _report(name: str, outputs: Iterable[str]) -> bool:
    start = time.monotonic()
    failed = [output for output in outputs if output]
    print(f"{'✗' if failed else '✓'} {name}: {time.monotonic() - start:.0f} s", flush=True)
    for output in failed:
        print(output, flush=True)
    return not failed
