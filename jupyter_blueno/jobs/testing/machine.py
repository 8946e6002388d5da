"""Whatever is done to jobs, in any order: what must hold of them afterwards.

Steps are drawn by Hypothesis; the jobs, and who runs them, are real.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from jupyter_blueno.errors import BluenoError, Conflict
from jupyter_blueno.jobs.lifecycle import allowed
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import TERMINAL, Job, JobSpec
from jupyter_blueno.jobs.testing.steps import ALICE, command, until

TEXT = 'echo "$BLUENO_JOB_ID" >> {record}; while [ ! -e {gate} ]; do sleep 0.02; done; exit {code}'


@dataclass
class Known:
    """A job, and what we did to it."""

    spec: JobSpec
    gate: Path  # it goes on until this is there
    code: int
    cancelled: bool = False
    deleted: bool = False
    seen: list[Job] = field(default_factory=list)


class JobMachine(RuleBasedStateMachine):
    """Submits, repeats, cancels, pauses, deletes, kills; then compares.

    Parameters
    ----------
    managers : sequence of JobManager
        Several on the same database, as of several servers.
    folder : Path
        Where the jobs can write.
    faults : sequence of callable
        Each takes a job's id and kills something that runs it.
    """

    jobs: Bundle[str] = Bundle("jobs")

    def __init__(
        self, managers: Sequence[JobManager], folder: Path, faults: Sequence[Callable[[str], object]]
    ) -> None:
        super().__init__()
        self.managers = managers
        self.record = folder / f"record-{secrets.token_hex(4)}"
        self.record.touch()
        self.faults = faults
        self.known: dict[str, Known] = {}

    @rule(target=jobs, code=st.sampled_from([0, 0, 3]), held=st.booleans(), who=st.integers(0, 1))
    def submit(self, code: int, held: bool, who: int) -> str:
        job_id = secrets.token_hex(16)
        gate = self.record.with_name(f"gate-{job_id}")
        if not held:
            gate.touch()
        spec = command("sh", "-c", TEXT.format(record=self.record, gate=gate, code=code))
        self.known[job_id] = Known(spec, gate, code)
        self._look(job_id, self.managers[who].submit(ALICE, job_id, "job", spec))
        return job_id

    @rule(job_id=jobs, who=st.integers(0, 1))
    def submit_again(self, job_id: str, who: int) -> None:
        """As after an answer that was lost."""
        known = self.known[job_id]
        if known.deleted:
            return
        assert self.managers[who].submit(ALICE, job_id, "job", known.spec).id == job_id

    @rule(job_id=jobs, who=st.integers(0, 1))
    def cancel(self, job_id: str, who: int) -> None:
        if self.known[job_id].deleted:
            return
        job = self.managers[who].cancel(ALICE, job_id)
        self.known[job_id].cancelled |= job.state not in TERMINAL or job.state == "CANCELLED"
        self._look(job_id, job)

    @rule(job_id=jobs)
    def let_go(self, job_id: str) -> None:
        self.known[job_id].gate.touch()

    @rule(job_id=jobs, on=st.booleans())
    def pause(self, job_id: str, on: bool) -> None:
        with contextlib.suppress(Conflict):  # it does not run
            self._do(job_id, lambda manager: manager.pause(ALICE, job_id, on))

    @rule(job_id=jobs, priority=st.integers(-10, 10))
    def prioritise(self, job_id: str, priority: int) -> None:
        with contextlib.suppress(Conflict):  # it waits no longer
            self._do(job_id, lambda manager: manager.prioritise(ALICE, job_id, priority))

    @rule(job_id=jobs)
    def delete(self, job_id: str) -> None:
        with contextlib.suppress(Conflict):  # it is not over
            if not self.known[job_id].deleted:
                over = self.managers[0].get(ALICE, job_id).state in TERMINAL
                self.known[job_id].deleted = self.managers[1].delete(ALICE, job_id)
                assert self.known[job_id].deleted or not over

    @rule(job_id=jobs, which=st.integers(0, 100))
    def kill(self, job_id: str, which: int) -> None:
        self.faults[which % len(self.faults)](job_id)

    @invariant()
    def nothing_goes_back(self) -> None:
        for job_id, known in self.known.items():
            if not known.deleted:
                self._look(job_id, self.managers[len(known.seen) % 2].get(ALICE, job_id))

    def teardown(self) -> None:
        """Let all of them end, and compare."""
        for job_id, known in self.known.items():
            known.gate.touch()
            if not known.deleted:
                with contextlib.suppress(BluenoError):
                    self.managers[0].pause(ALICE, job_id, False)
        for job_id, known in self.known.items():
            if known.deleted:
                continue
            until(partial(self._is_over, job_id), "the end")
            job = self.managers[1].get(ALICE, job_id)
            self._look(job_id, job)
            ends = {"FAILED" if known.code else "SUCCEEDED"} | ({"CANCELLED"} if known.cancelled else set())
            assert job.state in ends, (job, known)
        runs = Counter(self.record.read_text().split())
        assert all(count == 1 for count in runs.values()), runs
        never = [job_id for job_id, one in self.known.items() if not (one.cancelled or runs[job_id])]
        assert never == []

    def _is_over(self, job_id: str) -> bool:
        return self.managers[0].get(ALICE, job_id).state in TERMINAL

    def _do(self, job_id: str, act: Callable[[JobManager], Any]) -> None:
        if not self.known[job_id].deleted:
            act(self.managers[0])

    def _look(self, job_id: str, job: Job) -> None:
        """What was seen before must lead to what is seen now."""
        seen = self.known[job_id].seen
        if seen and seen[-1].state in TERMINAL:
            before, now = seen[-1], job
            assert (now.state, now.finished_at, now.exit_code, now.reason) == (
                before.state,
                before.finished_at,
                before.exit_code,
                before.reason,
            )
        elif seen and seen[-1].state != job.state:
            assert allowed(seen[-1].state, job.state), (seen[-1], job)
        seen.append(job)
