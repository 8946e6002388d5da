"""What a cell takes along of a kernel."""

from __future__ import annotations

import base64
import pickle
import sqlite3
import threading
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blueno.client.variables import Taken, limit_of, take
from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.jobs.inside.work import load_variables


def kernel(source: str) -> dict[str, Any]:
    """A namespace in which a text was run, as in a notebook's kernel."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source, namespace)
    return namespace


def job(taken: Taken, source: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The namespace of a job that has loaded them and run a text."""
    module = type(pickle)("__main__")
    monkeypatch.setitem(__import__("sys").modules, "__main__", module)
    if taken.payload:
        assert load_variables(taken.payload, module) is None
    module.__dict__.update(taken.parameters)
    exec(source, module.__dict__)
    return module.__dict__


def test_values_functions_classes_and_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    there = kernel(
        "import math as m\nscale = 3\nunused = object()\n"
        "class Net:\n    def size(self):\n        return scale * m.floor(2.5)\n"
        "net = Net()\n"
        "def double(n):\n    return 2 * net.size() + n\n"
    )
    cell = "scale = 10\nfound = double(lr)"
    there["lr"] = 0.5
    taken = take(cell, there)
    assert taken.parameters == {"lr": 0.5, "scale": 3}
    assert set(taken.sizes) == {"double", "lr", "net", "scale", "m"}
    # The cell's own assignment is seen by the function, as it would be in the kernel.
    assert job(taken, cell, monkeypatch)["found"] == 2 * 10 * 2 + 0.5
    assert "lr = 0.5" in repr(taken)
    assert "double (function, " in repr(taken)


def test_what_two_share_is_one_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = kernel("a = [1]\nb = {'a': a}")
    assert job(take("a; b", there), "b['a'].append(2)", monkeypatch)["a"] == [1, 2]


def test_nothing_is_taken_that_is_not_used() -> None:
    there = kernel("a = 1\nimport threading\nlock = threading.Lock()")
    assert take("b = 5\nprint(b)", there).sizes == {}
    assert take("print(a)", there).parameters == {"a": 1}


def test_a_lambda_that_uses_a_lock_names_the_lock() -> None:
    there = kernel("import threading\nlock = threading.Lock()\nf = lambda: lock.locked()")
    with pytest.raises(InvalidInput, match="lock – lock: Make it in the cell: locks and threads"):
        take("f()", there)


def test_all_that_cannot_go_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with open(tmp_path / "x.txt") as file, closing(sqlite3.connect(":memory:")) as base:
        there = {
            "file": file,
            "base": base,
            "numbers": (n for n in range(3)),
            "guard": threading.Lock(),
            "odd": Odd(),
            "fine": [1, 2],
        }
        with pytest.raises(InvalidInput) as caught:
            take("file, base, numbers, guard, odd, fine", there)
    said = caught.value.message
    assert caught.value.code == "not_picklable"
    assert f"file = open({str(tmp_path / 'x.txt')!r})" in said
    assert "base – Connection: a connection to a database" in said
    assert "send list(numbers)" in said
    assert "guard – lock: Make it in the cell" in said
    assert "odd – Odd: it cannot be copied (not me). Make it in the cell" in said
    assert "5 variables" in said
    assert "fine" not in said


def test_large_ones_are_named_with_what_to_do() -> None:
    there = {"images": np.zeros((50, 200, 200), "uint8"), "small": np.zeros(3), "words": ["x" * 50] * 2}
    with pytest.raises(TooLarge) as caught:
        take("images, small", there, limit=10**6)
    said = caught.value.message
    assert "images – ndarray uint8 (50, 200, 200), 2 MB: larger than the 1 MB that go along" in said
    assert "np.save('images.npy', images)" in said
    assert "blueno.ingest" in said
    assert "--variables" in said
    assert "small" not in said
    assert take("images, small", there, limit=3 * 10**6).sizes["small"][0] == "ndarray float64 (3,)"


def test_many_small_ones_can_be_too_much() -> None:
    there = {f"a{n}": np.zeros(100_000, "uint8") for n in range(5)}
    with pytest.raises(TooLarge, match=r"a0 – .* all together are larger than the 250 kB"):
        take("a0, a1, a2, a3, a4", there, limit=250_000)


def test_nothing_large_is_copied_to_be_measured() -> None:
    class Huge:
        def __reduce__(self) -> Any:
            return bytes, (b"x" * 10**6,), None, iter(lambda: b"x" * 10**6, None)  # without an end

    with pytest.raises(TooLarge):
        take("huge", {"huge": Huge()}, limit=10**7)


def test_the_limit_as_people_write_it() -> None:
    assert limit_of(None) == 64_000_000
    assert limit_of("100M") == 100_000_000
    assert limit_of("0") == 0
    with pytest.raises(InvalidInput, match="At most 190 MB"):
        limit_of("2G")


def test_a_payload_that_cannot_be_loaded_says_after_which(capsys: pytest.CaptureFixture[str]) -> None:
    file = BytesIO()
    pickle.dump(("fine", [1]), file)
    file.write(b"\x80\x05cno_such_module\nThing\n.")
    module = type(pickle)("__main__")
    trouble = load_variables(base64.b64encode(file.getvalue()).decode(), module)
    assert trouble is not None
    assert "after 'fine'" in trouble
    assert "no_such_module" in capsys.readouterr().err


class Odd:
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")
