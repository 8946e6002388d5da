"""`blueno.schedule` and what one can do with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import jupyter_blueno as blueno
from jupyter_blueno.client.zones import local_zone
from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound

SOON = 60.0

pytestmark = pytest.mark.usefixtures("here")


@blueno.job(memory="200M")
def train(lr: float, epochs: int = 5) -> float:
    return lr * epochs


def test_a_function_is_scheduled_found_and_run() -> None:
    made = blueno.schedule("nightly", train, cron="0 3 * * *", zone="Europe/Berlin", lr=0.5, epochs=4)
    assert (made.name, made.words) == ("nightly", "At 03:00 every day, Europe/Berlin")
    assert [(one.hour, one.minute, str(one.tzinfo)) for one in made.next(2)] == [(3, 0, "Europe/Berlin")] * 2
    job = blueno.schedule("nightly").run_now()
    assert (job.result(SOON), job.name, job._info.resources.memory) == (2.0, "nightly", 200_000_000)
    assert [one.id for one in made.jobs()] == [job.id]
    assert "by hand" in repr(made.runs())
    assert "✓ done · by hand" in made.runs()._repr_html_()
    table = repr(blueno.schedules())
    assert "nightly" in table
    assert "Nothing starts them while no JupyterLab is open" in table


def test_a_pause_a_change_and_the_end() -> None:
    made = blueno.schedule("report", ["true"], cron="@daily", zone="UTC")
    assert made.pause().paused
    assert made.next(3) == []
    assert "paused" in repr(made)
    assert not made.resume().paused
    made.change(cron="30 6 * * 1-5", overlap="queue")
    assert made.words == "At 06:30 on Monday through Friday, UTC"
    assert made._info.timing.overlap == "queue"
    made.delete()
    with pytest.raises(NotFound, match="no schedule 'report'"):
        blueno.schedule("report")


def test_what_a_job_ran_is_scheduled() -> None:
    job = blueno.submit(train, 0.5)
    assert job.result(SOON) == 2.5
    made = blueno.schedule("again", job, cron="0 3 * * *", zone="UTC", lr=3, memory="300M")
    job.delete()
    run = made.run_now()
    assert (run.result(SOON), run._info.resources.memory) == (15, 300_000_000)


def test_a_notebook_with_parameters(tmp_path: Path) -> None:
    from nbformat import v4, write

    cells = [
        v4.new_code_cell("epochs = 5", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("epochs * 2"),
    ]
    path = tmp_path / "train.ipynb"
    write(v4.new_notebook(cells=cells), path)
    assert blueno.schedule("notebook", path, cron="0 3 * * *", zone="UTC", epochs=2, fresh=True)._info.fresh
    with pytest.raises(BluenoError, match="has no parameter 'epoch'"):
        blueno.schedule("notebook", path, cron="0 3 * * *", zone="UTC", epoch=2)


def test_a_flow_is_started_as_it_was(tmp_path: Path) -> None:
    def count(folder: str) -> int:
        found = Path(folder) / "count"
        found.write_text(f"{found.read_text() if found.exists() else ''}x")
        return len(found.read_text())

    def double(number: int) -> tuple[int, str | None]:
        return 2 * number, os.environ.get("BLUENO_DUE")

    with blueno.flow("nightly flow") as flow:
        flow.step(double, flow.step(count, str(tmp_path)))
    made = flow.schedule("0 2 * * *", zone="UTC")
    assert made.name == "nightly flow"
    first = made.run_now()
    assert first.wait(SOON).state == "SUCCEEDED"
    with blueno.flow("nightly flow") as flow:
        flow.step(double, 7)
    later = made.run_now()  # not the flow as it was written since
    doubled, due = later.wait(SOON)["double"].result()  # type: ignore[index]
    assert doubled == 4
    assert due is not None
    assert [one.id for one in made.jobs()] == [later.id, first.id]
    with pytest.raises(BluenoError, match="give them to its steps"):
        blueno.schedule("nightly flow", flow, 5, cron="0 2 * * *")
    with pytest.raises(BluenoError, match="flow that ran cannot be scheduled"):
        blueno.schedule("again", first, cron="0 2 * * *")
    made.delete()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "Give times"),
        ({"cron": "0 0 31 2 *"}, "never comes"),
        ({"cron": "0 3 * * *", "zone": "Europe/Berln"}, "Did you mean Europe/Berlin"),
        ({"cron": "0 3 * * *", "catch_up": "sometimes"}, "'skip', 'once', 'all'"),
        ({"cron": "0 3 * * *", "limit": 0}, "from 1 to 1000"),
        ({"dataset": "nothing"}, "no dataset called 'nothing'"),
        ({"cron": "0 3 * * *", "dry_run": True}, "no dry run"),
        ({"cron": "0 3 * * *", "lrr": 1}, "lrr"),
    ],
)
def test_what_cannot_be_is_refused_in_words(words: dict[str, object], said: str) -> None:
    with pytest.raises(BluenoError, match=said):
        blueno.schedule("bad", train, 0.1, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize("work", ["nowhere.py", 5, []])
def test_what_is_no_work_is_refused(work: object) -> None:
    with pytest.raises(InvalidInput, match=r"no notebook|cannot be scheduled"):
        blueno.schedule("bad", work, cron="0 3 * * *")  # type: ignore[arg-type]


def test_the_zone_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert local_zone() == "America/New_York"
    monkeypatch.setenv("TZ", "nonsense/zone")
    assert local_zone()
