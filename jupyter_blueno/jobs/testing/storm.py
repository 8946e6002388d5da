"""Many jobs, while what runs them is killed at random: none may be lost, or run twice.

The jobs keep a record of their own, which nobody else writes. It is compared
with what the platform says of them.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_blueno.errors import BluenoError
from jupyter_blueno.jobs.model import TERMINAL, Job, JobSpec
from jupyter_blueno.jobs.testing.steps import cell, command

LINES = 8  # that each job writes into its log
PAUSE = 0.05  # seconds between them
BAD = 5  # every so-manieth job fails, on purpose
CELL = 4  # every so-manieth is a cell, the others are commands

# A line in the record at the beginning: a second run would be a second line.
COMMAND = """\
echo "$BLUENO_JOB_ID" >> {record}
for n in {numbers}; do echo "line $n"; sleep {pause}; done
exit {code}
"""
SOURCE = """\
import os, time
with open({record!r}, "a") as record:
    record.write(os.environ["BLUENO_JOB_ID"] + "\\n")
for n in range({lines}):
    print("line", n, flush=True)
    time.sleep({pause})
assert not {code}, "on purpose"
"""


@dataclass
class Storm:
    """A number of jobs, and what happens meanwhile.

    Parameters
    ----------
    record : Path
        A file that the jobs can write.
    submit : callable
        Takes an id, a name and a spec. It is called again, with the same id,
        when it raises: its answer may have been lost.
    state : callable
        Takes an id and returns the job; may raise while nothing answers.
    read_log : callable
        Takes an id and returns its log, as text.
    faults : mapping of str to callable
        What is done at random moments, by name; each kills something, and may
        return False where there was nothing to kill.
    seed : int
        Of the moments.
    """

    record: Path
    submit: Callable[[str, str, JobSpec], Job]
    state: Callable[[str], Job]
    read_log: Callable[[str], str]
    faults: Mapping[str, Callable[[], object]]
    seed: int = 0
    ids: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    answered: threading.Event = field(default_factory=threading.Event)

    def run(self, jobs: int, every: float, patience: float) -> None:
        """Submit `jobs` while faults happen about each `every` seconds, then wait for the last end.

        Between two faults there is at least one answer: what never gets up is not tried here.

        Parameters
        ----------
        jobs : int
        every, patience : float
            Seconds; `patience` is from the last fault on.

        Raises
        ------
        AssertionError
            If jobs are not over after `patience`.
        """
        self.record.touch()
        over = threading.Event()
        weather = threading.Thread(target=self._weather, args=(every, over), daemon=True)
        weather.start()
        try:
            for number in range(jobs):
                self._insist(number)
            self._wait(jobs * 3 // 4, patience)
        finally:
            over.set()
            weather.join()
        self._wait(jobs, patience)

    def verdicts(self) -> list[str]:
        """What is wrong, one sentence a fault; empty if nothing is."""
        runs = Counter(self.record.read_text().split())
        found = []
        for number, job_id in enumerate(self.ids):
            job = self.state(job_id)
            expected = "FAILED" if self._code(number) else "SUCCEEDED"
            if job.state != expected:
                found.append(f"{job.name} is {job.state} and not {expected}: {job.reason}")
            if runs[job_id] != 1:
                found.append(f"{job.name} ran {runs[job_id]} times.")
            log = self.read_log(job_id)
            missing = [n for n in range(LINES) if log.count(f"line {n}\n") != 1]
            if missing:
                found.append(f"{job.name} lacks lines {missing} in its log, or has them twice: {log!r}")
                found.append(f"{job.name}, which is {job.id}, said: {job.reason}")
        return found

    def _weather(self, every: float, over: threading.Event) -> None:
        chance = random.Random(self.seed)
        deck: list[str] = []  # each fault in turn, in an order that changes
        while not over.wait(chance.uniform(0.5, 1.5) * every):
            deck = deck or chance.sample(sorted(self.faults), len(self.faults))
            name = deck.pop()
            if self.faults[name]() is not False:
                self.done[name] += 1
                self.answered.clear()
                while not (self.answered.wait(0.1) or over.is_set()):
                    pass

    def _insist(self, number: int) -> None:
        job_id = secrets.token_hex(16)
        self.ids.append(job_id)
        while True:
            try:
                self.submit(job_id, f"storm {number}", self._spec(number))
                self.answered.set()
                return
            except (BluenoError, OSError):
                time.sleep(0.1)

    def _spec(self, number: int) -> JobSpec:
        values = {"record": str(self.record), "pause": PAUSE, "code": self._code(number)}
        if number % CELL == 0:
            return cell(SOURCE.format(lines=LINES, **values))
        numbers = " ".join(map(str, range(LINES)))
        return command("sh", "-c", COMMAND.format(numbers=numbers, **values))

    @staticmethod
    def _code(number: int) -> int:
        return 3 if number % BAD == 0 else 0

    def _started(self) -> int:
        return len(self.record.read_text().split())

    def _wait(self, jobs: int, patience: float) -> None:
        """Wait until so many are over."""
        left = set(self.ids)
        deadline = time.monotonic() + patience
        while len(self.ids) - len(left) < jobs:
            for job_id in list(left):
                with contextlib.suppress(BluenoError, OSError):
                    if self.state(job_id).state in TERMINAL:
                        left.discard(job_id)
                    self.answered.set()
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(left)} jobs are not over after {patience:g} s.")
            time.sleep(0.1)
