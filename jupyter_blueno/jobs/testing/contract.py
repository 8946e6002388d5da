"""The tests that every backend passes: subclass `BackendContract` in a test module.

The subclass has fixtures ``manager`` (a `JobManager` with the backend under
test) and ``another_manager`` (a function that makes a second one on the same
database and folder, as another process would have). The work is real; the tests
wait for conditions.
"""

from __future__ import annotations

import pickle
import re
import secrets
from collections.abc import Callable

import pytest

from jupyter_blueno.errors import BluenoError, Conflict, InvalidInput, NotFound
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import TERMINAL, JobPage, JobSpec, Resources
from jupyter_blueno.jobs.testing.steps import (
    ALICE,
    Somebody,
    call,
    cell,
    command,
    log,
    logged,
    start,
    until,
    wait,
)


class BackendContract:
    """What holds wherever jobs run."""

    def test_output_and_exit_code_come_back(self, manager: JobManager) -> None:
        job = wait(manager, start(manager, command("sh", "-c", "echo out; echo err >&2; exit 0")))
        assert (job.state, job.exit_code) == ("SUCCEEDED", 0)
        assert log(manager, job) == "out\nerr\n"
        assert job.log_size == 8
        assert job.started_at is not None
        assert job.finished_at is not None
        assert job.finished_at >= job.started_at

    def test_a_failing_command_says_its_code(self, manager: JobManager) -> None:
        job = wait(manager, start(manager, command("sh", "-c", "exit 3")))
        assert (job.state, job.exit_code) == ("FAILED", 3)
        assert "exit code 3" in (job.reason or "")

    def test_a_program_that_cannot_be_started_is_named(self, manager: JobManager) -> None:
        program = manager.config.home_path / "no-such-interpreter"
        program.write_text("#!/no/such/interpreter\n")
        program.chmod(0o755)
        job = wait(manager, start(manager, command(str(program))))
        assert job.state == "FAILED"
        assert "no-such-interpreter" in (job.reason or "")

    def test_a_function_returns_its_value(self, manager: JobManager) -> None:
        job = wait(manager, start(manager, call(lambda a, b: {"sum": a + b}, 1, b=2)), "SUCCEEDED")
        assert pickle.loads(manager.record(ALICE, job.id).file("result")[0]) == {"sum": 3}
        assert [(one.role, one.data) for one in manager.record(ALICE, job.id).outputs(-1)] == [
            ("result", {"text/plain": "{'sum': 3}"})
        ]

    def test_a_function_s_exception_comes_back(self, manager: JobManager) -> None:
        def bad() -> None:
            raise KeyError("missing")

        job = wait(manager, start(manager, call(bad)), "FAILED")
        body, media_type = manager.record(ALICE, job.id).file("result")
        error = pickle.loads(body)
        assert isinstance(error, KeyError)
        assert error.args == ("missing",)
        assert media_type == "application/vnd.blueno.error+pickle"
        assert job.reason == "KeyError: 'missing'"

    def test_the_same_request_is_the_same_job(self, manager: JobManager) -> None:
        job_id = secrets.token_hex(16)
        spec = command("sh", "-c", "echo once")
        first = manager.submit(ALICE, job_id, "job", spec)
        second = manager.submit(ALICE, job_id, "job", spec)
        assert first.id == second.id
        assert log(manager, wait(manager, first)) == "once\n"
        with pytest.raises(Conflict, match="make a new one"):
            manager.submit(ALICE, job_id, "job", command("true"))

    def test_the_environment_asked_for_is_there(self, manager: JobManager) -> None:
        spec = command("sh", "-c", 'echo "$COLOUR of $BLUENO_JOB_ID"', environment={"COLOUR": "blue\ngreen"})
        job = wait(manager, start(manager, spec), "SUCCEEDED")
        assert log(manager, job) == f"blue\ngreen of {job.id}\n"

    def test_what_has_begun_has_no_priority_to_change(self, manager: JobManager) -> None:
        job = start(manager, command("true", resources=Resources(priority=3)))
        assert job.resources.priority == 3
        wait(manager, job, "SUCCEEDED")
        with pytest.raises(Conflict, match=re.escape(manager.backend.unmoved)):
            manager.prioritise(ALICE, job.id, 5)

    def test_a_failure_says_its_kind_and_line(self, manager: JobManager) -> None:
        job = wait(manager, start(manager, cell("x = [1, 2]\nx / 2")), "FAILED")
        assert job.failure is not None
        assert (job.failure.kind, job.failure.sentence) == ("error", job.reason)
        assert job.failure.line is not None
        assert (job.failure.line.number, job.failure.line.text) == (2, "x / 2")
        assert [(one.name, one.value) for one in job.failure.variables] == [("x", "list of 2 × 1")]

    def test_memory_is_kept_to_its_limit(self, manager: JobManager) -> None:
        spec = cell("x = b'x' * 600_000_000", resources=Resources(memory=300_000_000))
        job = wait(manager, start(manager, spec), "FAILED")
        assert job.failure is not None
        assert job.failure.kind == "memory"
        assert job.failure.suggestion is not None
        assert job.failure.suggestion.resources == Resources(memory=600_000_000)

    def test_a_failure_is_tried_again(self, manager: JobManager) -> None:
        text = "import os\nif 'BLUENO_ATTEMPT' not in os.environ: raise ConnectionError('no route')\n6 * 7"
        job = wait(manager, start(manager, cell(text, resources=Resources(retries=1))), "SUCCEEDED")
        assert job.attempt == 2
        assert "Attempt 1 of 2 ended: ConnectionError: no route." in log(manager, job)

    def test_time_outs_are_kept(self, manager: JobManager) -> None:
        job = start(manager, command("sleep", "100", resources=Resources(timeout=0.5)))
        job = wait(manager, job, "TIMED_OUT")
        assert "0.5 s" in (job.reason or "")

    # -- several workers -----------------------------------------------------------

    def test_workers_meet_and_the_value_is_that_of_the_first(self, manager: JobManager) -> None:
        spec = call(_meeting(), 10, resources=Resources(workers=3))
        job = wait(manager, start(manager, spec), "SUCCEEDED")
        record = manager.record(ALICE, job.id)
        assert pickle.loads(record.file("result")[0]) == {"rank": 0, "sum": 33, "size": 3}
        assert job.metrics == {"sum": 33}
        assert log(manager, job) == "rank 0 of 3\n"
        for rank in (1, 2):
            assert record.log(0, 1000, rank)[0].decode() == f"rank {rank} of 3\n"
        assert [(one.rank, one.state) for one in record.workers()] == [(n, "ended") for n in range(3)]

    def test_a_worker_that_fails_ends_the_others_and_says_why(self, manager: JobManager) -> None:
        text = (
            "import os, time\nrank = int(os.environ['RANK'])\nif rank == 1: raise ValueError('bad shard')\n"
        )
        spec = cell(text + "time.sleep(600)", resources=Resources(workers=3))
        job = wait(manager, start(manager, spec), "FAILED")
        assert job.failure is not None
        assert job.failure.line is not None
        assert job.failure.line.number == 3
        assert job.failure.sentence == (
            "Rank 1 of 3 workers ended, and the others with it: ValueError: bad shard"
        )

    def test_workers_are_tried_again_together_and_cancelled_together(self, manager: JobManager) -> None:
        text = (
            "import os, time\nattempt = os.environ.get('BLUENO_ATTEMPT', '1')\nprint('attempt', attempt)\n"
            "if attempt == '1' and os.environ['RANK'] == '1': raise ConnectionError('no route')\n"
            "time.sleep(600)"
        )
        job = start(manager, cell(text, resources=Resources(workers=2, retries=1)))
        record = manager.record(ALICE, job.id)
        for rank in (0, 1):
            one = record.of_worker(rank)
            until(lambda one=one: b"attempt 2" in one.log(0, 10_000)[0], f"rank {rank} again")  # type: ignore[misc]
        manager.cancel(ALICE, job.id)
        wait(manager, job, "CANCELLED")

    def test_paused_it_stands_still_and_goes_on(self, manager: JobManager) -> None:
        text = "import time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.02)"
        job = start(manager, cell(text, resources=Resources(timeout=3600)))
        logged(manager, job, "tick")
        assert manager.pause(ALICE, job.id, True).desired == "pause"
        sizes: list[int] = []

        def stands() -> bool:
            sizes.append(len(log(manager, job)))
            return len(sizes) > 20 and len(set(sizes[-20:])) == 1  # 0.4 s and more without a tick

        until(stands, "the job to stand still")
        now = manager.get(ALICE, job.id)
        assert (now.state, now.desired) == ("RUNNING", "pause")
        assert "paused" in (now.reason or "")
        manager.pause(ALICE, job.id, False)
        until(lambda: len(log(manager, job)) > sizes[-1] + 10, "the job to go on")
        assert manager.get(ALICE, job.id).reason is None
        manager.pause(ALICE, job.id, True)
        manager.cancel(ALICE, job.id)
        wait(manager, job, "CANCELLED")
        with pytest.raises(Conflict, match="running"):
            manager.pause(ALICE, job.id, True)

    def test_cancel_ends_it_and_may_be_repeated(self, manager: JobManager) -> None:
        job = start(manager, command("sh", "-c", "echo up; sleep 100"))
        logged(manager, job, "up")
        assert manager.cancel(ALICE, job.id).desired == "cancel"
        manager.cancel(ALICE, job.id)
        job = wait(manager, job, "CANCELLED")
        again = manager.cancel(ALICE, job.id)
        assert (again.state, again.finished_at) == ("CANCELLED", job.finished_at)

    def test_cancel_right_after_submit(self, manager: JobManager) -> None:
        job = start(manager, command("sleep", "100"))
        manager.cancel(ALICE, job.id)
        wait(manager, job, "CANCELLED")

    def test_cancel_after_the_end_changes_nothing(self, manager: JobManager) -> None:
        job = wait(manager, start(manager, command("true")))
        after = manager.cancel(ALICE, job.id)
        assert (after.state, after.desired, after.revision) == ("SUCCEEDED", "run", job.revision)

    def test_another_manager_takes_over(
        self, manager: JobManager, another_manager: Callable[[], JobManager]
    ) -> None:
        job = start(manager, command("sh", "-c", "echo up; sleep 100"))
        manager.close()
        other = another_manager()
        assert other.get(ALICE, job.id).state not in TERMINAL
        other.cancel(ALICE, job.id)
        wait(other, job, "CANCELLED")

    def test_what_it_says_of_itself_comes_back(self, manager: JobManager) -> None:
        source = (
            "import jupyter_blueno as blueno\n"
            "blueno.log_metric('loss', 0.25, step=3)\n"
            "open('kept', 'w').write('weights')\n"
            "blueno.checkpoint('kept', step=3)\n"
            "blueno.progress(1, 2)"
        )
        job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
        assert job.metrics == {"loss": 0.25}
        assert job.progress is not None
        assert (job.progress.done, job.progress.total) == (1, 2)
        record = manager.record(ALICE, job.id)
        (curve,) = record.curves("metrics").curves
        assert (curve.name, curve.steps, curve.values) == ("loss", [3], [0.25])
        assert [(one.name, one.step, one.size) for one in record.checkpoints()] == [("kept", 3, 7)]

    def test_two_managers_agree(self, manager: JobManager, another_manager: Callable[[], JobManager]) -> None:
        other = another_manager()
        manager.start_monitor()
        other.start_monitor()
        jobs = [start(manager, command("sh", "-c", f"echo {n}")) for n in range(4)]
        for n, job in enumerate(jobs):
            wait(other, job, "SUCCEEDED")
            assert log(other, job) == f"{n}\n"
            assert manager.get(ALICE, job.id) == other.get(ALICE, job.id)

    def test_found_by_prefix_and_name(self, manager: JobManager) -> None:
        old = wait(manager, start(manager, command("true"), "train"))
        new = wait(manager, start(manager, command("true"), "train"))
        assert manager.get(ALICE, "train").id == new.id
        assert manager.get(ALICE, old.id[:10]).id == old.id
        with pytest.raises(NotFound) as missing:
            manager.get(ALICE, "nothing")
        assert missing.value.code == "job_not_found"

    def test_lists_newest_first_by_key(self, manager: JobManager) -> None:
        jobs = [start(manager, command("true"), f"job {n}") for n in range(3)]
        first, following = manager.list_jobs(ALICE, JobPage(limit=2))
        rest, end = manager.list_jobs(ALICE, JobPage(limit=2, before=following))
        assert [one.id for one in first + rest] == [one.id for one in reversed(jobs)]
        assert end is None
        assert [one.name for one in manager.list_jobs(ALICE, JobPage(search="job 1"))[0]] == ["job 1"]
        for job in jobs:
            wait(manager, job)

    def test_only_a_job_that_is_over_is_deleted(self, manager: JobManager) -> None:
        job = start(manager, command("sleep", "100"))
        with pytest.raises(Conflict, match="cancel it first"):
            manager.delete(ALICE, job.id)
        manager.cancel(ALICE, job.id)
        job = wait(manager, job, "CANCELLED")
        assert manager.delete(ALICE, job.id)
        assert manager.changed(ALICE, job.revision) == ([], [job.id])
        with pytest.raises(BluenoError):
            manager.get(ALICE, job.id)

    # -- parts of a sweep or a flow ------------------------------------------------

    def test_what_conducts_takes_no_place(self, manager: JobManager) -> None:
        conductors = [start(manager, _conductor()) for _ in range(8)]
        for one in conductors:
            wait(manager, one, "RUNNING")
        part = start(manager, cell("print('part')", parent=conductors[0].id))
        wait(manager, part, "SUCCEEDED")
        for one in conductors:
            manager.cancel(ALICE, one.id)
        for one in conductors:
            wait(manager, one, "CANCELLED")

    def test_parts_are_listed_and_end_with_the_whole(self, manager: JobManager) -> None:
        whole = wait(manager, start(manager, _conductor(), "whole"), "RUNNING")
        part = start(manager, command("sleep", "600", parent=whole.id), "part")
        assert [one.id for one in manager.list_jobs(ALICE, JobPage())[0]] == [whole.id]
        assert [one.id for one in manager.list_jobs(ALICE, JobPage(parent=whole.id))[0]] == [part.id]
        with pytest.raises(Conflict):
            manager.delete(ALICE, whole.id)
        manager.cancel(ALICE, whole.id)
        with pytest.raises(Conflict):
            start(manager, cell("print('late')", parent=whole.id))
        for one in (whole, part):
            wait(manager, one, "CANCELLED")
        assert manager.delete(ALICE, whole.id)
        with pytest.raises(NotFound):
            manager.get(ALICE, part.id)

    def test_who_is_no_parent_is_refused(self, manager: JobManager) -> None:
        bob = Somebody("bob")
        his = manager.submit(bob, secrets.token_hex(16), "his", _conductor())
        for parent in ("0" * 32, start(manager, cell("pass")).id, his.id):
            with pytest.raises(InvalidInput):
                start(manager, cell("pass", parent=parent))
        manager.cancel(bob, his.id)
        until(lambda: manager.get(bob, his.id).state in TERMINAL)
        manager.delete(bob, his.id)


def _meeting() -> Callable[[int], dict[str, int]]:
    """A function that is sent by value: the machine of a job has no tests."""

    def added_up(value: int) -> dict[str, int]:
        """Each worker sends its rank and a value to rank 0, where they are added up."""
        import os
        import socket
        import time

        from jupyter_blueno.jobs.inside.metrics import log_metrics

        rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        print(f"rank {rank} of {size}", flush=True)
        total = value + rank
        if rank:
            while True:
                try:
                    with socket.create_connection(place) as there:
                        there.sendall(bytes([total]))
                    break
                except ConnectionError:
                    time.sleep(0.05)
        else:
            with socket.create_server(("", place[1])) as server:
                for _ in range(size - 1):
                    total += server.accept()[0].recv(1)[0]
        log_metrics({"sum": total})
        return {"rank": rank, "sum": total, "size": size}

    return added_up


def _conductor() -> JobSpec:
    return JobSpec(kind="sweep", command=["sleep", "600"], source="{}")
