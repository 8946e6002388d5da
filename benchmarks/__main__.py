"""Run the benchmarks that are named, or all."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path

import benchmarks
from benchmarks.figures import Figure, table


def main(chosen: list[str]) -> int:
    """Measure, print a table, and write it to ``benchmarks/results.md`` when all were run."""
    found = sorted(
        m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in {"figures", "__main__"}
    )
    unknown = set(chosen) - set(found)
    if unknown:
        print(
            f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(found)}.",
            file=sys.stderr,
        )
        return 2
    # As where it is installed: what starts again and again is not compiled again and again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    figures: list[Figure] = []
    for name in chosen or found:
        start = time.monotonic()
        print(f"· {name} …", file=sys.stderr, flush=True)
        figures += importlib.import_module(f"benchmarks.{name}").measure()
        print(f"✓ {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(table(figures))
    if not chosen:
        Path(__file__).with_name("results.md").write_text(
            "# Measured\n\n`python -m benchmarks`, all in one run.\n\n" + table(figures) + "\n"
        )
    return 0 if all(figure.reached is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
