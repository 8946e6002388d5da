"""What a place where jobs run promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import Observation
from jupyter_blueno.jobs.model import Claim, Resources
from jupyter_blueno.jobs.quotas.model import Amounts, plain
from jupyter_blueno.jobs.sending.outlook import Room

Handle = dict[str, Any]  # what a backend finds its work by again; kept in the job's row


class NotYet(Unavailable):
    """Work cannot be started now, or nobody knows whether it was: whoever looks next tries again."""


class Backend(ABC):
    """Starts, watches and stops the work of jobs.

    Who calls: `JobManager`, and nobody else. From which thread: any, several at
    once, also for the same job, and from several processes that share the
    folder. Every method is idempotent, so that a caller who got no answer calls
    again. No method waits for the work: each returns within a second or so.

    The backend owns processes (or pods) and the files that its supervisor
    writes; the manager owns the database row and never kills anything itself.
    A backend keeps no state in memory that a new process would miss.

    `jobs/testing/` holds the tests that every backend passes.
    """

    name: str
    unmoved = "The job waits no longer; its priority means nothing now."  # why `prioritise` said no
    queues = False  # whether somebody else decides what starts when, by quotas of their own
    here = False  # whether jobs see the files and programs of the machine that submits them

    @abstractmethod
    def start(self, job_id: str, folder: JobFolder, claim: Claim, environment: dict[str, str]) -> Handle:
        """Have the work that ``run.json`` describes started when its turn comes, unless it was before.

        Afterwards the work runs once, whoever else calls, and although nobody
        calls again. If the caller dies before this returns, `observe` says
        ``absent`` or finds the work.

        Raises
        ------
        NotYet
            If it will be started by `start` being called again.
        Unavailable
            If it cannot be started now; nothing was started.
        """

    def start_many(self, work: Sequence[tuple[str, JobFolder, Claim, dict[str, str]]]) -> None:
        """`start` for each of them, where it can be with less to do for all together.

        Raises
        ------
        Unavailable
            If one cannot be started now; whoever looks next tries again.
        """
        for job_id, folder, claim, environment in work:
            self.start(job_id, folder, claim, environment)

    @abstractmethod
    def observe(self, job_id: str, folder: JobFolder, handle: Handle) -> Observation:
        """Say what is true now. Cheap: called several times a second for each active job.

        Never raises, and never says ``gone`` because of its own trouble: then it
        says ``unknown``. ``ended`` and ``gone`` are final: no process of the job
        is left, and nothing more is written into its folder.
        """

    @abstractmethod
    def cancel(self, job_id: str, folder: JobFolder, handle: Handle) -> None:
        """Have the work stopped: kindly, after a grace with force, all its processes.

        Returns at once; `observe` says ``ended`` when they are gone. Holds also
        for work whose start is still under way. Without effect on ended work.
        """

    @abstractmethod
    def pause(self, job_id: str, folder: JobFolder, handle: Handle, stand: bool) -> bool:
        """Have running work stand still, or go on; False where that cannot be done.

        It keeps what it holds. Returns at once. What stands can be cancelled.
        """

    @abstractmethod
    def waiting(self) -> set[str]:
        """Ids of the jobs that wait for their turn. Cheap, also for ten thousand."""

    @abstractmethod
    def prioritise(self, job_id: str, priority: int) -> bool:
        """Give a job that waits another priority; False if it waits no longer."""

    @abstractmethod
    def why(self, claims: Sequence[tuple[Claim, int]]) -> list[str]:
        """Say in words why jobs wait, each with how many are to start earlier. Never raises."""

    def needs(self, claim: Claim) -> Amounts:
        """What a job takes here, also where it does not say."""
        return plain(claim.resources)

    @abstractmethod
    def room(self) -> Room:
        """What there is to hand out, and what is free now."""

    @abstractmethod
    def begin(self) -> None:
        """Called when a server starts to follow the jobs: what there is to hand out may have changed."""

    @abstractmethod
    def tend(self) -> None:
        """Called while there are jobs: mend what moves the queue, if it died. Cheap; never raises."""

    @abstractmethod
    def revive(self, job_id: str, folder: JobFolder, handle: Handle, environment: dict[str, str]) -> None:
        """Bring the watch over running work back, if it was lost."""

    @abstractmethod
    def surroundings(self) -> dict[str, str]:
        """The environment that jobs have before anything is added for them."""

    def close(self) -> None:  # noqa: B027 - most have nothing to stop
        """Stop what this process does for the backend; the jobs go on."""

    @abstractmethod
    def check(self, resources: Resources) -> None:
        """Refuse what can never be had here.

        Raises
        ------
        InvalidInput
            With what there is instead.
        """
