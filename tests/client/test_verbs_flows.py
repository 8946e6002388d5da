"""`blueno.flow`: real jobs, values passed, failures, what is reused."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors

SOON = 90.0  # seconds that a few small jobs may take on a busy machine

pytestmark = pytest.mark.usefixtures("here")


def prepare(source: str) -> dict[str, Any]:
    return {"source": source, "numbers": [1, 2, 3]}


def total(data: dict[str, Any], factor: float = 1.0) -> float:
    return factor * sum(data["numbers"])


def pair(left: Any, right: Any) -> tuple[Any, Any]:
    return left, right


def test_values_go_from_step_to_step(tmp_path: Path) -> None:
    flow = blueno.flow("values")
    data = flow.step(prepare, "mnist", memory="300M")
    both = flow.map(total, [data, data], [1.0, 2.0], name="totals")
    nested = flow.step(pair, {"data": data}, [both, data.path])
    out = tmp_path / "out.json"
    script = "import json, sys; json.dump(sys.argv[1:], open(sys.argv[1], 'w'))"
    said = flow.step(total, data, 0.5, name="half")
    flow.command("python", "-c", script, str(out), said, both, nested, name="write")
    run = flow.submit()
    last = run.result(SOON)
    assert last == {"write": 0}
    assert run["totals"].result() == [6.0, 12.0]
    left, (totals, path) = run["pair"].result()
    assert (left["data"], totals) == (prepare("mnist"), [6.0, 12.0])
    assert Path(path).name == "result.pickle"
    words = json.loads(out.read_text())
    assert words[1:3] == ["3.0", "[6.0,12.0]"]
    assert json.loads(words[3])[0] == {"data": prepare("mnist")}
    assert run.state == "SUCCEEDED"
    assert [one.state for one in run.steps] == ["SUCCEEDED"] * 5
    assert run["prepare"].job.name == "prepare"
    assert run.id not in {one.id for one in run["totals"].jobs}
    assert "totals" in repr(run)
    assert "<svg" in run._repr_mimebundle_()["text/html"]
    assert [one.id for one in blueno.jobs("values")] == [run.id]


def test_a_failure_stops_only_what_needs_it_and_resume_goes_on(tmp_path: Path) -> None:
    mark = tmp_path / "mended"

    def count(name: str) -> int:
        with open(tmp_path / name, "a") as file:
            file.write("x")
        return (tmp_path / name).stat().st_size

    def fragile(n: int) -> int:
        if not mark.exists():
            raise ValueError("no luck")
        return n + 41

    def finish(n: int) -> int:
        return count("finish") + n

    flow = blueno.flow("fragile", retries=0)
    first = flow.step(count, "first")
    other = flow.step(count, "other", after=first)
    middle = flow.step(fragile, first)
    flow.step(finish, middle).after(other)
    run = flow.submit()
    with pytest.raises(ValueError, match="no luck"):
        run.result(SOON)
    assert run.reason == "'fragile' failed; 1 step was not run."
    assert {one.name: one.state for one in run.steps} == {
        "count": "SUCCEEDED", "count 2": "SUCCEEDED", "fragile": "FAILED", "finish": "NOT_RUN",
    }  # fmt: skip
    assert run["finish"].reason == "'fragile' failed."
    with pytest.raises(errors.Conflict, match="was not run: 'fragile' failed"):
        run["finish"].result()

    mark.touch()
    again = run.resume()
    assert again.result(SOON) == {"count 2": 1, "finish": 43}
    assert [one.reused for one in again.steps] == [True, True, False, False]
    assert again["count"].reason == f"Reused from job {run['count'].job.id[:8]}."
    assert again.flow.resumes == run.id
    assert (tmp_path / "first").read_text() == (tmp_path / "other").read_text() == "x"


def test_changed_code_runs_again_with_all_that_follows() -> None:
    def made(factor: int) -> blueno.FlowRun:
        def one() -> int:
            return 1

        def two(n: int) -> int:
            return n * factor

        def three(n: int) -> int:
            return n + 1

        flow = blueno.flow("changed")
        flow.step(three, flow.step(two, flow.step(one)))
        return flow

    run = made(2).submit()
    assert run.result(SOON) == {"three": 3}
    again = made(5).submit(resume=run)
    assert again.result(SOON) == {"three": 6}
    assert [one.reused for one in again.steps] == [True, False, False]
    same = run.resume(made(2))
    assert same.result(SOON) == {"three": 3}
    assert all(one.reused for one in same.steps)


def test_cached_steps_are_taken_where_code_and_input_are_the_same(tmp_path: Path) -> None:
    def slow(n: int, where: str) -> int:
        with open(where, "a") as file:
            file.write("x")
        return n

    def run(values: list[int], extra: int = 0) -> blueno.FlowRun:
        flow = blueno.flow("cached", cache=True)
        seed = flow.step(lambda: extra // 10, name="seed", cache=False)
        flow.map(slow, values, [str(tmp_path / "runs")] * len(values), name="slow")
        flow.step(pair, seed, extra, name="end")
        made = flow.submit()
        made.result(SOON)
        return made

    first = run([1, 2])
    assert not any(one.reused for one in first.steps)
    second = run([1, 2, 3])
    assert [one.reused for one in second.steps] == [False, False, True]
    assert second["slow"].reason == "2 of 3 reused from earlier jobs."
    assert second["slow"].result() == [1, 2, 3]
    assert (tmp_path / "runs").read_text() == "xxx"
    assert [one.reused for one in run([1, 2], 7).steps] == [False, True, False]
    first["slow"].run.delete()
    third = run([1, 2])
    assert (third["slow"].reused, third["slow"].result()) == (False, [1, 2])


def test_cancelling_ends_all_of_it() -> None:
    import time

    flow = blueno.flow("long")
    sleeping = flow.step(time.sleep, 600)
    flow.step(pair, sleeping, 1)
    run = flow.submit()
    until_running = threading.Event()
    while run["sleep"].state != "RUNNING":
        assert not until_running.wait(0.05)
    run.cancel().wait(SOON)
    assert run.state == "CANCELLED"
    assert run["sleep"].wait(SOON).state == "CANCELLED"
    assert (run["pair"].state, run["pair"].reason) == ("NOT_RUN", "The flow ended before.")


def test_a_notebook_is_mapped_over_parameters(tmp_path: Path) -> None:
    import nbformat

    cells = [
        nbformat.v4.new_code_cell("lr = 0.1\ndata = None", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "import jupyter_blueno as blueno\nblueno.log_metric('loss', lr * sum(data['numbers']))"
        ),
    ]
    path = tmp_path / "evaluate.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    flow = blueno.flow("evaluate")
    data = flow.step(lambda: prepare("x") | {"kind": {1, 2}}, name="data")  # a set is more than JSON
    flow.map_notebook(path, [{"lr": 0.5}, {"lr": 0.25}], data=data)
    run = flow.submit()
    (paths,) = run.result(SOON).values()
    assert [Path(one).suffix for one in paths] == [".ipynb"] * 2
    frame = run.frame()
    assert list(frame["lr"]) == [0.5, 0.25]
    assert list(frame["loss"]) == [3.0, 1.5]
    with pytest.raises(errors.InvalidInput, match="Did you mean 'lr'"):
        blueno.map_notebook(path, [{"lrr": 0.5}])


def test_what_cannot_be_a_flow_is_said_at_once(tmp_path: Path) -> None:
    flow = blueno.flow("bad")
    with pytest.raises(errors.InvalidInput, match="no steps"):
        flow.submit()
    one = flow.step(prepare, "x")
    with pytest.raises(errors.InvalidInput, match="There is a step 'prepare' already"):
        flow.step(prepare, "y", name="prepare")
    with pytest.raises(errors.InvalidInput, match="needs a value for 'data'"):
        flow.step(total)
    with pytest.raises(errors.InvalidInput, match="cannot be sent to a job"):
        flow.step(total, threading.Lock())
    with pytest.raises(errors.InvalidInput, match="step of another flow"):
        blueno.flow("other").step(total, one)
    with pytest.raises(errors.InvalidInput, match="is not there yet"):
        blueno.submit(total, one)
    with pytest.raises(errors.InvalidInput, match="cannot be gone through"):
        flow.map(total, one)
    with pytest.raises(errors.InvalidInput, match="inside of a text"):
        flow.command("echo", f"--data={one}")
    with pytest.raises(errors.NotFound, match="cannot be read"):
        flow.notebook(tmp_path / "none.ipynb")
    flow.step(total, one, name="a", after="b")
    flow.step(total, one, name="b", after="a")
    with pytest.raises(errors.InvalidInput, match="cyclic: a → b → a"):
        flow.submit()
