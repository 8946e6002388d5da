"""Follows the jobs that are not over: what their folders say goes into their rows."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.catalog.model import Progress
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.jobs import clocks, failures, lifecycle, store
from jupyter_blueno.jobs.delivery import Delivery
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import Attempt
from jupyter_blueno.jobs.model import TERMINAL, Claim, Job, JobSpec, Resources, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from jupyter_blueno.config import Config
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.jobs.backends.base import Backend
    from jupyter_blueno.jobs.quotas.gate import Gate

PERIOD = 0.1  # seconds between looks while a job is active
REST = 0.05  # at least, also when it is woken again and again
IDLE_PERIOD = 1.0  # while none is: another process may have submitted one
LAUNCHES = 5  # attempts to get a supervisor up
REVIVE_PERIOD = 2.0  # seconds between attempts for one job
HESITATION = 0.5  # seconds that a new job may take into the queue
FEW = 200  # jobs in the queue that are compared at every look
QUEUE_PERIOD = 1.0  # seconds between comparisons of a longer queue
TOLD = 20  # jobs at the head of the queue whose rows say why they wait
TELL_PERIOD = 2.0

SITE = Path(__file__).with_name("inside") / "site"

_log = logging.getLogger(__name__)


class Monitor:
    """Brings rows up to date, from a thread or when asked.

    Several may look at the same job, in one process or in many: each change
    names the state that it starts from, and the second one changes nothing.
    Trouble of its own changes no row. With a `team` it follows that team's
    alone. `given` tells what a job of this id has in its environment beside what
    all have. Jobs that a `gate` does not let in yet are not looked at.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        backend: Backend,
        after_end: Callable[[], None] | None = None,
        team: str | None = None,
        given: Callable[[str], dict[str, str]] | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.config = config
        self.database = database
        self.backend = backend
        self.gate = gate
        self.after_end = after_end or (lambda: None)
        self.team = team
        self.given = given or (lambda _: {})
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._stopped = False
        self.delivery = Delivery(database)
        self._beats = clocks.Beats()
        self._revived: dict[str, float] = {}
        self._queued = 0  # how many waited at the last comparison
        self._compared = 0.0
        self._told = 0.0
        self._outside: set[str] = set()  # of the gate, at the last look
        self._known_places: tuple[float, dict[str, int]] = (0.0, {})

    # -- the thread -----------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        if not self.running:
            self._stopped = False
            self._thread = threading.Thread(target=self._run, name="blueno-jobs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)

    def look(self) -> None:
        """Have the thread look now."""
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        begun = False
        while not self._stopped:
            pause = IDLE_PERIOD
            looked = time.monotonic()
            try:
                if not begun:  # jobs may have ended while nobody followed them
                    self.backend.begin()
                    self.after_end()
                    begun = True
                if self.look_now():
                    pause = PERIOD
                failures = 0
            except Exception as error:
                failures += 1
                pause = min(0.5 * 2**failures, 30.0)
                known = isinstance(error, BluenoError)
                _log.warning("The jobs cannot be looked at now: %s", error, exc_info=not known)
            self._wake.wait(pause)
            # Who submits a thousand jobs wakes it a thousand times; looking takes time from them.
            time.sleep(max(0.0, looked + REST - time.monotonic()))
            self._wake.clear()

    # -- looking ----------------------------------------------------------------

    def look_now(self) -> int:
        """Bring all active jobs up to date; return how many there were."""
        with self.database.autocommit() as connection:
            rows = list(store.begun(connection, self.team))
        self.let_in(now_and_then=True)
        rows += self._left_queue()
        self.backend.tend()
        ended = 0
        for row in rows:
            if self._stopped and self._thread is threading.current_thread():
                break
            ended += self._guarded(row)
        if ended:
            self.after_end()
        self._tell()
        return len(rows) + self._queued

    def _left_queue(self) -> Sequence[Any]:
        """Rows that say QUEUED of jobs that wait no longer; the others are not even read."""
        now = time.monotonic()
        if self._queued > FEW and now - self._compared < QUEUE_PERIOD:
            return []
        self._compared = now
        with self.database.autocommit() as connection:
            queued = store.queued(connection, self.team)
            # What waits is asked after what is said to wait, so that no job is missed in between.
            left = queued - self._waiting(connection) if queued else queued
            self._queued = len(queued) - len(left)
            return store.rows(connection, list(left)) if left else []

    def _waiting(self, connection: sa.Connection) -> set[str]:
        """Ids of the jobs that wait, for the backend or to be let in to it."""
        waiting = self.backend.waiting()
        if self.gate is not None:
            self._outside = self.gate.outside(connection)
            waiting |= self._outside
        return waiting

    def let_in(self, now_and_then: bool = False) -> None:
        """Start the jobs for which their team's quota has room by now."""
        ids = self.gate.turn(now_and_then) if self.gate is not None else []
        if not ids:
            return
        with self.database.autocommit() as connection:
            rows = store.rows(connection, ids)
        work = []
        for row in rows:
            claim = store.claim_of(row)
            environment = self.environment(row.id, row.kind, claim.resources)
            work.append((row.id, JobFolder.of(self.config, row.id), claim, environment))
        try:
            self.backend.start_many(work)
        except BluenoError as error:  # they are let in: who looks next starts those that are not there
            _log.warning("Not all jobs that were let in could be started now: %s", error)

    def _tell(self) -> None:
        """Write down why the next ones wait, so that who watches sees it change."""
        now = time.monotonic()
        if not self._queued or now - self._told < TELL_PERIOD:
            return
        self._told = now
        places = self._places()
        with self.database.autocommit() as connection:
            jobs = store.listed(connection, list(places)[:TOLD])
        for old, job in zip(jobs, self._with_reasons(jobs, places), strict=True):
            if job.reason != old.reason:
                # Each by itself: who locks a second row while it holds a revision may wait forever.
                with self.database.autocommit() as connection:
                    store.update(connection, job.id, "QUEUED", {"reason": job.reason})

    def explained(self, jobs: list[Job]) -> list[Job]:
        """The same jobs; those that wait say why."""
        if not any(job.state == "QUEUED" for job in jobs):
            return jobs
        return self._with_reasons(jobs, self._places())

    def _with_reasons(self, jobs: list[Job], places: dict[str, int]) -> list[Job]:
        waiting = [one for one in jobs if one.state == "QUEUED" and one.desired == "run" and one.id in places]
        reasons = self.why([(store.claim_of(one), places[one.id]) for one in waiting])
        said = dict(zip((one.id for one in waiting), reasons, strict=True))
        return [msgspec.structs.replace(one, reason=said[one.id]) if one.id in said else one for one in jobs]

    def why(self, claims: list[tuple[Claim, int]]) -> list[str]:
        """Why jobs wait, each with how many are before it: for the backend, or to be let in to it."""
        if self.gate is None:
            return self.backend.why(claims)
        gate, outside = self.gate, self._outside
        inside = iter(self.backend.why([one for one in claims if one[0].id not in outside]))
        return [gate.why(claim) if claim.id in outside else next(inside) for claim, _ in claims]

    def _places(self) -> dict[str, int]:
        """How many jobs are before each of those that wait; the next one first.

        Of a long queue as it was a moment ago: asking takes some 0.1 s.
        """
        then, known = self._known_places
        if len(known) > FEW and time.monotonic() - then < TELL_PERIOD:
            return known
        with self.database.autocommit() as connection:
            listed = store.in_order(connection, self.team)
            waiting = self._waiting(connection)
        found: dict[str, int] = {}
        before: dict[str, int] = {}  # each lane has places of its own
        for job_id, lane in listed:
            if job_id in waiting:  # its row may say so for a moment longer
                found[job_id] = before.get(lane, 0)
                before[lane] = found[job_id] + 1
        self._known_places = (time.monotonic(), found)
        return found

    def reconcile(self, job_id: str) -> None:
        """Bring one job up to date."""
        with self.database.autocommit() as connection:
            rows = store.rows(connection, [job_id])
        if sum(self._guarded(row) for row in rows):
            self.after_end()

    def environment(self, job_id: str, kind: str, resources: Resources) -> dict[str, str]:
        """The environment that the job's processes begin with."""
        # Of the server's own variables, those that say "you are my kernel" are not true of a job.
        kept = {
            name: value
            for name, value in self.backend.surroundings().items()
            if not name.startswith(("JPY_", "MPLBACKEND"))
        }
        folder = JobFolder.of(self.config, job_id)
        asked = folder.read("variables.json", dict[str, str]) or {}
        kept |= {"PYTHONUNBUFFERED": "1"} | asked
        if resources.cpu is not None:
            threads = str(max(1, round(resources.cpu)))
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
                kept.setdefault(name, threads)
        if kind == "command":  # if it is a Python, the frameworks that it imports are followed
            paths = [str(SITE), *filter(None, [kept.get("PYTHONPATH")])]
            kept["PYTHONPATH"] = os.pathsep.join(paths)
        kept |= self.given(job_id)
        return kept | {"BLUENO_JOB_ID": job_id, "BLUENO_JOB_FOLDER": str(folder.path)}

    def _guarded(self, row: Any) -> bool:
        try:
            return self._reconcile(row)
        except OSError as error:
            _log.warning("Job %s cannot be looked at now: %s", row.id, error)
            return False

    def _reconcile(self, row: Any) -> bool:
        """Bring a row up to date; True if the job was seen to end."""
        folder = JobFolder.of(self.config, row.id)
        seen = self.backend.observe(row.id, folder, row.handle)
        if seen.phase in ("absent", "unwatched"):
            seen = self._mend(row, folder, seen)
        resources = msgspec.convert(row.spec["resources"], Resources)
        verdict = lifecycle.judge(row.state, row.desired, seen, resources.timeout, row.kind)
        refused = self.delivery.deliver(folder, row)
        values: dict[str, Any] = {"health": self._beats.health(row.id, seen, verdict.state)}
        values |= _reported(folder, row)
        if seen.started_at is not None and row.started_at is None:
            values["started_at"] = clocks.started(seen, row.created_at)
        if verdict.state not in TERMINAL and _tells_why(seen, verdict.state):
            values["reason"] = verdict.reason
        attempt = folder.read("attempt.json", Attempt)
        if attempt is not None:
            values["attempt"] = attempt.number
            if verdict.state == "RUNNING" and verdict.reason is None:
                verdict = msgspec.structs.replace(verdict, reason=attempt.in_words())
                values["reason"] = verdict.reason
        if verdict.state in TERMINAL:
            began = row.started_at or values.get("started_at")
            values["finished_at"] = clocks.finished(verdict, seen, row.created_at, began)
            values |= {"exit_code": verdict.exit_code, "reason": verdict.reason}
            self._revived.pop(row.id, None)
            self.delivery.forget(row.id)
        if verdict.state != row.state:
            values |= {"state": verdict.state, "reason": verdict.reason}
        if verdict.state in TERMINAL:
            spec = msgspec.convert(row.spec, JobSpec)
            values |= failures.as_row(failures.explain(verdict, seen.record, folder, spec))
        if refused is not None and values.get("reason") is None:
            values["reason"] = refused
        new = {name: value for name, value in values.items() if value != getattr(row, name)}
        if new:
            with self.database.autocommit() as connection:
                store.update(connection, row.id, row.state, new)
        return bool(new) and verdict.state in TERMINAL

    def _mend(self, row: Any, folder: JobFolder, seen: lifecycle.Observation) -> lifecycle.Observation:
        """Start what was never started, watch what is not watched: now and then, not at every look."""
        if not folder.has("run.json"):
            return lifecycle.Observation(
                "gone", reason="Its folder is gone, so nothing of it can be run or read."
            )
        if self.gate is not None and seen.phase == "absent" and _is_outside(row):
            return seen
        if seen.phase == "absent" and row.handle.get("launches", 0) >= LAUNCHES:
            said = folder.last_line("supervisor.log") or "it says nothing of why"
            return lifecycle.Observation("gone", reason=f"It could not be started, {LAUNCHES} times: {said}.")
        now = time.monotonic()
        if seen.phase == "absent":  # whoever submits it may be about to start it
            self._revived.setdefault(row.id, now - REVIVE_PERIOD + HESITATION)
        if now - self._revived.get(row.id, -REVIVE_PERIOD) >= REVIVE_PERIOD:
            self._revived[row.id] = now
            environment = self.environment(
                row.id, row.kind, msgspec.convert(row.spec["resources"], Resources)
            )
            try:
                if seen.phase == "absent":
                    handle = self.backend.start(row.id, folder, store.claim_of(row), environment)
                    with self.database.begin() as connection:
                        handle |= {"launches": row.handle.get("launches", 1) + 1}
                        store.update(connection, row.id, row.state, {"handle": row.handle | handle})
                else:
                    self.backend.revive(row.id, folder, row.handle, environment)
            except BluenoError as error:
                _log.warning("Job %s cannot be started now: %s", row.id, error)
        return msgspec.structs.replace(seen, phase="running" if seen.phase == "unwatched" else "unknown")


def _is_outside(row: Any) -> bool:
    """Whether a job waits to be let in by a gate: it is not lost, and nobody but the gate starts it."""
    return bool(row.state == "QUEUED" and row.held is None and row.desired == "run")


def _tells_why(seen: lifecycle.Observation, state: str) -> bool:
    """Whether the reason in the row is to be that of the observation; of those that wait others tell, too."""
    return seen.reason is not None if state == "QUEUED" else seen.phase != "unknown"


def _reported(folder: JobFolder, row: Any) -> dict[str, Any]:
    """What the work says of itself, as columns."""
    values: dict[str, Any] = {"log_size": folder.log_size(), "output_count": folder.output_count()}
    progress = folder.read("progress.json", Progress)
    values["progress"] = (
        None
        if progress is None
        else {"done": progress.done, "total": progress.total, "message": progress.message}
    )
    metrics = folder.read("metrics.json", dict[str, Value])
    if metrics is not None:
        values["metrics"] = metrics
    if not folder.path.exists():  # keep what is known
        values = {"log_size": row.log_size, "output_count": row.output_count}
    return values
