"""Calls are the same as before where code and arguments are, whatever the kernel calls its cells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blueno.client import fingerprint

BASE = """
FACTOR = 2
def helper(x):
    return x * FACTOR
def f(a, b=1):
    return helper(a) + b
"""


def of(source: str, *args: Any, file: str = "<cell 1>", **kwargs: Any) -> str:
    """The hash of a call of `f` as that text defines it."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, file, "exec"), space)
    found = fingerprint.of_call(space["f"], args, kwargs)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "same",
    [
        BASE.replace("def f", "\n\n# a comment\ndef f"),
        BASE.replace("    return helper(a)", "    # why\n    return helper(a)"),
        BASE + "\nother = 5\n",
        BASE.replace("def f(a, b=1):", "def f(a, b=1):\n    'What it does.'"),
    ],
)
def test_what_makes_no_difference(same: str) -> None:
    assert of(same, 1, file="<another kernel's cell>") == of(BASE, 1)


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("FACTOR = 2", "FACTOR = 3"),
        BASE.replace("x * FACTOR", "x + FACTOR"),
        BASE.replace("b=1", "b=2"),
        BASE.replace("+ b", "- b"),
        BASE.replace("return helper(a) + b", "import json\n    return helper(a) + b"),
    ],
)
def test_what_does(other: str) -> None:
    assert of(other, 1) != of(BASE, 1)


def test_arguments_count() -> None:
    values: list[Any] = [
        1, True, 1.0, "1", b"1", None, [1], (1,), {1: 2}, {"a": 1}, {1}, np.arange(3), np.arange(4),
        np.arange(3.0), Path("a"), lambda: 1, lambda: 2, int, str,
    ]  # fmt: skip
    found = [of(BASE, one) for one in values]
    assert len(set(found)) == len(found)
    assert of(BASE, 1, b=3) != of(BASE, 1, b=4)
    assert of(BASE, np.arange(3)) == of(BASE, np.arange(3))


def test_loops_in_values_come_to_an_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert of(BASE, loop) == of(BASE, loop)

    def recursive(n: int) -> int:
        return recursive(n - 1) if n else 0

    assert fingerprint.of_call(recursive, (1,), {}) is not None


def test_classes_and_their_methods_count() -> None:
    text = "class C:\n    def m(self):\n        return {}\ndef f(n):\n    return C().m()\n"
    assert of(text.format(1), 0) == of(text.format(1), 0) != of(text.format(2), 0)


def test_it_is_the_same_in_another_process_with_other_hashes_of_text(tmp_path: Path) -> None:
    code = (
        "from jupyter_blueno.client import fingerprint\n"
        "def f(a):\n    return a in {'x', 'y', 'zebra'}\n"
        "print(fingerprint.of_call(f, ({'a', 'b', 'c', 'd'},), {}))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": str(seed)}, capture_output=True, text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }  # fmt: skip
    assert len(found) == 1
    assert found != {"None\n"}


def test_a_module_of_ones_own_counts_with_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "helpers_of_mine.py"
    monkeypatch.syspath_prepend(tmp_path)
    text = "def f():\n    import helpers_of_mine\n    return helpers_of_mine.value\n"
    file.write_text("value = 1\n")
    first = of(text)
    file.write_text("value = 2\n")
    assert of(text) != first
