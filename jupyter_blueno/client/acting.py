"""What one can do to a job: stop it, run it again, step into its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jupyter_blueno.api import jobs as api
from jupyter_blueno.client import again, session
from jupyter_blueno.client.preview import Preview
from jupyter_blueno.jobs import model
from jupyter_blueno.jobs.sending.amounts import parse_priority

if TYPE_CHECKING:
    from typing import Self


class Acting:
    """The verbs of `Job`."""

    if TYPE_CHECKING:  # what a job is beside them

        def __init__(self, info: model.Job) -> None: ...

        @property
        def id(self) -> str: ...

        def _now(self) -> model.Job: ...

        def _keep(self, info: model.Job) -> None: ...

    @property
    def priority(self) -> int:
        """From -10 to 10; may be set while it waits: the higher one starts first.

        Raises
        ------
        Conflict
            When it is set and the job waits no longer.
        """
        return self._now().resources.priority

    @priority.setter
    def priority(self, value: int) -> None:
        self._keep(session.call(api.change_job, api.ChangeJob(self.id, parse_priority(value))))

    def cancel(self) -> Self:
        """Ask it to stop: first kindly, then with force; returns the job itself."""
        self._keep(session.call(api.cancel_job, api.JobRef(self.id)))
        return self

    def pause(self) -> Self:
        """Have it stand still; returns the job itself.

        It keeps its place, its memory and that of its GPUs; `unpause` lets it go on.
        """
        self._keep(session.call(api.change_job, api.ChangeJob(self.id, paused=True)))
        return self

    def unpause(self) -> Self:
        """Let it go on after `pause`; returns the job itself."""
        self._keep(session.call(api.change_job, api.ChangeJob(self.id, paused=False)))
        return self

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._now().desired == "pause"

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that it was given by name; `rerun` takes others."""
        return {one.name: one.value for one in again.form(self.id).parameters}

    def rerun(self, *, values: dict[str, Any] | None = None, **changes: Any) -> Self:
        """Run the same code again, as a new job; with other values where some are given.

        Parameters
        ----------
        **changes
            Parameters by name, and options of `blueno.submit`, also mixed:
            ``job.rerun(lr=0.01, memory="16G")``. Of a command:
            ``command="python train.py --lr 0.01"``. With ``dry_run=True``
            nothing is started: what would be is returned.
        values : dict, optional
            Parameters that are called like an option.

        Raises
        ------
        InvalidInput
            If there is no such parameter, or it takes no such value.
        """
        told = bool(changes.get("dry_run"))
        ask = again.request(self.id, values or {}, changes)
        if told:
            # Who asks for a dry run knows what it returns.
            return cast("Self", Preview(session.call(api.preview_rerun, ask)))
        return self._again(ask)

    def resume(self, *, values: dict[str, Any] | None = None, **changes: Any) -> Self:
        """Run the same code again, as a new job that goes on from the newest checkpoint of this one.

        In it, `blueno.latest_checkpoint` finds what `blueno.checkpoint` kept here.

        Parameters
        ----------
        values, **changes
            As in `rerun`.
        """
        return self._again(again.request(self.id, values or {}, changes, resume=True))

    def enter(self) -> dict[str, Any]:
        """Get this kernel what the job had: working folder, environment, modules.

        Returns
        -------
        dict
            What its code began with, by name; of a function also ``args`` and
            ``kwargs``. ``globals().update(job.enter())`` makes variables of them.
        """
        from jupyter_blueno.client.entering import enter

        return enter(self.id)

    def code(self) -> model.Code:
        """What ran: text, local modules, packages, commit."""
        return session.call(api.get_code, api.JobRef(self.id))

    def delete(self) -> bool:
        """Take it off the list, with its files; it must have ended."""
        return session.call(api.delete_job, api.JobRef(self.id)).done

    def _again(self, ask: api.RerunJob) -> Self:
        return type(self)(session.call(api.rerun_job, ask))
