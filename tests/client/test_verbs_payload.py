"""What a submitted function takes along."""

from __future__ import annotations

import base64
import functools
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from jupyter_blueno.client import payload
from jupyter_blueno.errors import InvalidInput, TooLarge


def elsewhere(packed: str, folder: Path) -> str:
    """Call it in a fresh process that cannot import what is local here."""
    code = (
        "import sys, base64, pickle\n"
        "function, args, kwargs = pickle.loads(base64.b64decode(sys.stdin.read()))\n"
        "print(function(*args, **kwargs))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], input=packed, capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_lambda_and_closure(tmp_path: Path) -> None:
    factor = 6
    assert elsewhere(payload.pack(lambda a: a * factor, (7,), {}), tmp_path) == "42"


def test_local_modules_go_by_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_model.py").write_text("import my_layers\ndef train(n):\n    return my_layers.double(n)\n")
    (tmp_path / "my_layers.py").write_text("def double(n):\n    return 2 * n\n")
    monkeypatch.syspath_prepend(tmp_path)
    import my_model  # type: ignore[import-not-found]

    try:
        packed = payload.pack(functools.partial(my_model.train, 21), (), {})
        (tmp_path / "empty").mkdir()
        assert elsewhere(packed, tmp_path / "empty") == "42"
    finally:
        sys.modules.pop("my_model"), sys.modules.pop("my_layers")


def test_installed_modules_go_by_name() -> None:
    names = {one.__name__ for one in payload.local_modules()}
    assert __name__ in names
    assert not {"numpy", "json", "pytest", "jupyter_blueno", "cloudpickle"} & names


def test_what_cannot_be_pickled_is_named() -> None:
    lock = threading.Lock()
    with pytest.raises(InvalidInput, match=r"Argument 'guard' \(a lock\) cannot be sent") as caught:
        payload.pack(len, ([],), {"guard": lock})
    assert caught.value.code == "not_picklable"
    with pytest.raises(InvalidInput, match="Argument 2"):
        payload.pack(len, ([], lock), {})
    with pytest.raises(InvalidInput, match="The variable 'lock' that the function uses"):
        payload.pack(lambda: lock, (), {})


def test_the_largest_argument_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "LIMIT", 100_000)
    with pytest.raises(TooLarge, match=r"largest part is argument 'images' with 200 kB"):
        payload.pack(sum, ([1],), {"images": np.zeros(200_000, "uint8"), "n": 3})


def test_it_is_a_plain_pickle() -> None:
    function, args, kwargs = pickle.loads(base64.b64decode(payload.pack(max, (1, 2), {"default": 0})))
    assert (function, args, kwargs) == (max, (1, 2), {"default": 0})
