"""Work is laid out where the files are that it takes along: what follows is told by intents alone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from jupyter_blueno.errors import NotAllowed
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import CONDUCTORS, JobSpec
from jupyter_blueno.jobs.sending import environments, interpreters, plan, request, runnable, snapshot
from jupyter_blueno.jobs.sending.objects import Objects

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

PLACE = "place.json"  # of a snapshot that is kept: where its work stands


class Staging:
    """Lays folders of jobs out, of what work names: texts, modules, files, interpreters. Thread-safe.

    It needs no database. In a hub's service, which serves many people, nothing
    that somebody names is looked at (`looks`): jobs are made there only of
    snapshots that were taken elsewhere.

    Parameters
    ----------
    config : Config
    here : bool, optional
        Whether jobs see the files and programs of this machine.
    looks : bool
    """

    def __init__(self, config: Config, here: bool | None = None, looks: bool = True) -> None:
        self.config = config
        self.here = config.jobs_backend == "local" if here is None else here
        self.looks = looks
        self.recorder = snapshot.Recorder(config)
        self.objects = Objects(config.home_path / "objects")

    def close(self) -> None:
        """Wait for what is being written."""
        self.recorder.close()

    def check(self, spec: JobSpec) -> None:
        """Refuse what is asked for wrongly, and what is sure to fail.

        Raises
        ------
        InvalidInput
            It says which part, and what to write instead.
        TooLarge
        """
        self.check_spec(spec)
        if self.here and self.looks:
            runnable.check_here(self.config, spec)

    def check_spec(self, spec: JobSpec) -> None:
        """Refuse what cannot run; here only what can be told without a look at anything."""
        (request.check_spec if self.looks else request.check_said)(spec)

    def lay_out(self, job_id: str, name: str, spec: JobSpec, digest: str, durable: bool = True) -> bool:
        """Make the folder of a job that was checked; False if it was made before.

        Without `durable` it may be lost with the power.

        Raises
        ------
        Conflict
            If it is that of another request.
        Unavailable
            If it cannot be kept now, as on a full disk; nothing was.
        """
        place = self._place(spec)
        content = plan.of(self.config, job_id, spec, place)
        folder = JobFolder.of(self.config, job_id)
        with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
            if fresh is not None:
                snapshot.write_down(JobFolder(fresh), name, digest, spec, content, durable)
                self.take_code(spec, JobFolder(fresh), place)
        return fresh is not None

    def lay_out_kept(self, old: JobFolder, job_id: str, name: str, spec: JobSpec, digest: str) -> bool:
        """The same with the snapshot that lies in `old`; `spec` was checked by whoever changed it."""
        place = self._place(spec) if self.looks else old.read(PLACE, plan.Place)
        if place is None:
            raise _not_here()
        content = plan.of(self.config, job_id, spec, place)
        folder = JobFolder.of(self.config, job_id)
        with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
            if fresh is not None:
                snapshot.copy(old, JobFolder(fresh))
                snapshot.write_down(JobFolder(fresh), name, digest, spec, content)
        return fresh is not None

    def is_laid_out(self, job_id: str, digest: str) -> bool:
        """Whether the same request was laid out before.

        Raises
        ------
        Conflict
            If another one was under this id.
        """
        return snapshot.is_of(JobFolder.of(self.config, job_id), digest)

    def take(self, folder: JobFolder, name: str, spec: JobSpec) -> None:
        """Keep work in a folder of its own: its text, modules and files as they are now.

        Raises
        ------
        InvalidInput
            If it cannot run.
        """
        digest = request.digest(name, spec)
        if self.here:
            runnable.check_here(self.config, spec)
        place = self._place(spec)
        with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
            if fresh is not None:
                snapshot.write_down(JobFolder(fresh), name, digest, spec, {})
                JobFolder(fresh).write(PLACE, place)
                self.take_code(spec, JobFolder(fresh), place)

    def take_over(self, old: JobFolder, folder: JobFolder, name: str, spec: JobSpec) -> None:
        """Keep the snapshot of a job in a folder of its own: it stays when the job is deleted."""
        digest = request.digest(name, spec)
        place = self._place(spec) if self.looks else old.read(PLACE, plan.Place)
        with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
            if fresh is not None:
                snapshot.copy(old, JobFolder(fresh))
                snapshot.write_down(JobFolder(fresh), name, digest, spec, {})
                JobFolder(fresh).write(PLACE, place)

    def take_code(self, spec: JobSpec, folder: JobFolder, place: plan.Place) -> None:
        """Put what the work takes along into a folder."""
        if not self.looks:
            folder.write("code.json", {})
            return
        base = place.build["base"] if place.build else interpreters.place(spec.python)
        snapshot.take(spec, folder, place.cwd, base, self.objects)

    def forget(self, job_id: str) -> None:
        """Remove what was laid out for a job that is none."""
        shutil.rmtree(JobFolder.of(self.config, job_id).path, ignore_errors=True)

    def remember(self, job_ids: list[str], spec: JobSpec) -> None:
        """Have packages and commit written down for jobs of one environment and folder."""
        if not self.looks:
            return
        python = None if environments.is_built(spec) else interpreters.place(spec.python)
        folders = [JobFolder.of(self.config, job_id) for job_id in job_ids]
        self.recorder.record(folders, python, request.working_folder(self.config, spec))

    def _place(self, spec: JobSpec) -> plan.Place:
        """Where work stands: looked for, but of our own programs."""
        if self.looks:
            return plan.look(self.config, spec)
        if spec.kind not in CONDUCTORS:
            raise _not_here()
        return plan.Place(spec.folder or str(self.config.home_path), spec.command[0])


def _not_here() -> NotAllowed:
    return NotAllowed(
        "A hub's service reads no files that somebody names. Ask it through your notebook server.",
        code="files_elsewhere",
    )
