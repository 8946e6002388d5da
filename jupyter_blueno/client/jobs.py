"""Jobs in a notebook: find, follow, get back what came out. How they look is in `job_display`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.api import jobs as api
from jupyter_blueno.api import logs as logs_api
from jupyter_blueno.client import job_display, look, session
from jupyter_blueno.client.acting import Acting
from jupyter_blueno.client.job_display import JobList
from jupyter_blueno.client.job_failed import JobFailed as JobFailed
from jupyter_blueno.client.job_failed import RemoteTraceback as RemoteTraceback
from jupyter_blueno.client.observed import Observed
from jupyter_blueno.client.progress import ProgressLine
from jupyter_blueno.jobs import model

MIME = "application/vnd.blueno.job+json"
FIRST_POLL = 0.05  # seconds
LATER_POLL = 1.1  # times the one before: an end is seen a tenth late, up to
SLOWEST_POLL = 1.0  # seconds
LOG_PIECE = 1 << 20  # bytes a request
LOG_SHOWN = 20  # last lines in an error
LOG_IN_REPR = 5


def find(id: str) -> Job:
    """Return a job by its id, the first characters of it, or its name (the newest so called).

    Raises
    ------
    NotFound
        If there is none.
    """
    return of(session.call(api.get_job, api.JobRef(str(id))))


def of(info: model.Job) -> Job:
    """A job as a handle: one that can do what its kind can."""
    if info.kind == "sweep":
        from jupyter_blueno.client.sweeps import Sweep

        return Sweep(info)
    if info.kind == "flow":
        from jupyter_blueno.client.flow_run import FlowRun

        return FlowRun(info)
    return Job(info)


def jobs(search: str = "", *, state: str | list[str] | None = None, limit: int = 100) -> JobList:
    """List jobs, newest first.

    Parameters
    ----------
    search : str
        Only those with this in their name.
    state : str or list of str, optional
        ``"running"``, ``"failed"`` …: only those.
    limit : int
    """
    states = [state] if isinstance(state, str) else list(state or [])
    wanted = [_state_named(one) for one in states]
    found: list[Job] = []
    before: str | None = None
    while len(found) < limit:
        ask = model.JobPage(search=search, state=wanted, before=before, limit=min(100, limit - len(found)))
        page = session.call(api.list_jobs, ask)
        found += map(of, page.jobs)
        before = page.next
        if before is None:
            break
    return JobList(found)


def reading(dataset_id: int, limit: int) -> JobList:
    """The newest jobs that read a dataset."""
    ask = model.JobPage(dataset=dataset_id, limit=limit)
    return JobList(of(one) for one in session.call(api.list_jobs, ask).jobs)


class Job(Acting, Observed):
    """A background job. It goes on when this notebook is closed.

    `blueno.job(id)` finds it again.

    Attributes
    ----------
    id, name : str
    """

    def __init__(self, info: model.Job) -> None:
        self._info = info

    @property
    def id(self) -> str:
        return self._info.id

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def kind(self) -> model.JobKind:
        return self._info.kind

    @property
    def state(self) -> model.State:
        """As it is now: ``QUEUED``, ``RUNNING``, ``SUCCEEDED`` …"""
        return self._now().state

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.state in model.TERMINAL

    @property
    def reason(self) -> str | None:
        """Why it waits, or how it ended, in words."""
        return self._now().reason

    @property
    def failure(self) -> model.Failure | None:
        """Why it did not end well: kind, line, variables, what to do; None if it did, or has not ended."""
        return self._now().failure

    @property
    def progress(self) -> float | None:
        """How much is done, from 0 to 1; None where the job does not say."""
        progress = self._now().progress
        return progress.done / progress.total if progress is not None and progress.total else None

    @property
    def exit_code(self) -> int | None:
        return self._now().exit_code

    @property
    def outputs(self) -> list[model.Output]:
        """What it showed and returned so far, as mime bundles."""
        found: list[model.Output] = []
        while True:
            after = found[-1].index if found else -1
            page = session.call(api.list_outputs, api.OutputRange(self.id, after)).outputs
            if not page:
                return found
            found += page

    def log(self, tail: int | None = None, *, worker: int = 0) -> str:
        """What it printed so far.

        Parameters
        ----------
        tail : int, optional
            Only the last so many lines.
        worker : int
            Of several workers the rank of the one whose log it is.
        """
        if tail is not None:
            ask = logs_api.LogRange(self.id, -64 * 1024, worker=worker)
            text = session.call(logs_api.get_log, ask).body.decode("utf-8", "replace")
            return "\n".join(text.splitlines()[-tail:]) if tail > 0 else ""
        return "".join(self.logs(worker=worker))

    def logs(self, follow: bool = False, *, worker: int = 0) -> Iterator[str]:
        """Yield the log in pieces; with `follow` until the job has ended. `worker` as in `log`."""
        import codecs

        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        offset, pause = 0, FIRST_POLL
        while True:
            ended = not follow or self.done
            piece = session.call(logs_api.get_log, logs_api.LogRange(self.id, offset, LOG_PIECE, worker))
            offset = int(piece.headers.get("X-Blueno-Offset", offset)) + len(piece.body)
            if piece.body:
                pause = FIRST_POLL
                yield decoder.decode(piece.body)
            elif ended:
                yield decoder.decode(b"", final=True)
                return
            else:
                time.sleep(pause)
                pause = min(SLOWEST_POLL, pause * LATER_POLL)

    def wait(self, timeout: float | None = None) -> Job:
        """Wait until it has ended, with progress; returns the job itself.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; the job goes on after them.

        Raises
        ------
        TimeoutError
            If it has not ended by then.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_POLL
        with ProgressLine(self.name) as line:
            while not self.done:
                progress = self._info.progress
                words = look.STATE_WORDS[self._info.state]
                if progress is None:
                    line.update(message=self._info.reason or words)
                else:
                    line.update(progress.done, progress.total, progress.message or words)
                left = pause if deadline is None else min(pause, deadline - time.monotonic())
                if left <= 0:
                    raise TimeoutError(
                        f"{self.name} ({self.id[:8]}) is still {words} after {timeout:g} s. It goes on."
                    )
                time.sleep(left)
                pause = min(SLOWEST_POLL, pause * LATER_POLL)
        return self

    def result(self, timeout: float | None = None) -> Any:
        """Wait, and return what came out.

        Returns
        -------
        object
            Of a function its value; of a cell its last value, as a mime
            bundle; of a notebook the path of the executed notebook; of a
            command its exit code.

        Raises
        ------
        Exception
            What the function raised, with the job's traceback as its cause.
        JobFailed
            If it ended in any other way than well; it says why.
        TimeoutError
            After `timeout` seconds.
        """
        self.wait(timeout)
        if self._info.state != "SUCCEEDED":
            raise self._failure()
        if self.kind == "function":
            return self._unpickled()
        if self.kind == "notebook":
            return self._notebook()
        if self.kind == "cell":
            values = [one.data for one in self.outputs if one.role == "result"]
            return values[-1] if values else None
        return self._info.exit_code

    def show(self) -> None:
        """Show how it stands and everything it showed."""
        look.display(self)
        for one in self.outputs:
            look.display(one.data, metadata=one.metadata, raw=True)

    # ---- how it stands

    def _now(self) -> model.Job:
        """The present state; an ended job never changes."""
        if self._info.state not in model.TERMINAL:
            self._keep(session.call(api.get_job, api.JobRef(self.id)))
        return self._info

    def _keep(self, info: model.Job) -> None:
        self._info = info

    def _unpickled(self) -> Any:
        """What the function returned, or raised."""
        from jupyter_blueno.client import payload

        kept = "error" if self._info.state == "FAILED" else "result"
        try:
            try:  # where the folder is at hand, a large value need not go through the server
                with open(session.home() / "jobs" / self.id / f"{kept}.pickle", "rb") as file:
                    return payload.load(file)
            except OSError:
                return payload.unpack(session.call(api.get_job_file, api.JobFile(self.id, "result")).body)
        except errors.NotFound:
            raise self._not_kept() from None
        except errors.BluenoError:
            raise
        except Exception as error:
            raise errors.UnreadableData(
                f"What {self.name} returned cannot be loaded here ({type(error).__name__}: {error}). Import "
                "the packages that it needs, or let the function return plain values.",
                code="result_unreadable",
            ) from error

    def _not_kept(self) -> errors.NotFound:
        shown = [one.data.get("text/plain", "") for one in self.outputs if one.role == "result"]
        text = f" It was shown as {str(shown[-1])[:200]!r}." if shown else ""
        reason = f" {self._info.reason}" if self._info.reason else ""
        return errors.NotFound(
            f"{self.name} ({self.id[:8]}) kept no value.{reason}{text}", code="job_result_missing"
        )

    def _notebook(self) -> Path:
        """The executed notebook: the job's own file, or a copy where that is on another machine."""
        path = session.home() / "jobs" / self.id / "notebook.ipynb"
        if path.exists():
            return path
        import tempfile

        copy = Path(tempfile.mkdtemp(prefix="blueno-")) / f"{self.name}.ipynb"
        copy.write_bytes(session.call(api.get_job_file, api.JobFile(self.id, "notebook")).body)
        return copy

    def _failure(self) -> Exception:
        state, reason = look.STATE_WORDS[self._info.state], self._info.reason or "see .log()"
        words = f"{self.name} ({self.id[:8]}) {state}: {reason}"
        shown = [one for one in self.outputs if one.role == "error"]
        trace = str(shown[-1].data.get("text/plain", "")) if shown else self.log(tail=LOG_SHOWN)
        remote = RemoteTraceback(trace)
        if self.kind == "function" and self._info.state == "FAILED":
            try:
                raised = self._unpickled()
            except errors.BluenoError:
                raised = None
            if isinstance(raised, Exception):
                raised.__cause__ = remote
                return raised
        failure = JobFailed(words, code="job_failed")
        failure.__cause__ = remote
        return failure

    # ---- looks

    def __repr__(self) -> str:
        return job_display.text(self._seen())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        info = self._seen()
        tail = ""
        with suppress(errors.BluenoError):  # the state is worth having without the log
            tail = self.log(tail=LOG_IN_REPR) if info.log_size else ""
        html = job_display.html(info, tail)
        return {MIME: {"id": self.id}, "text/html": html, "text/plain": job_display.text(info)}

    def _seen(self) -> model.Job:
        """The present state where it can be had, else the last one."""
        try:
            return self._now()
        except errors.BluenoError:
            return self._info


def follow(job: Job, write: Callable[[str], Any] | None = None) -> Job:
    """Print a job's log until it has ended. Interrupting leaves the job running."""
    put = write or sys.stdout.write
    try:
        for piece in job.logs(follow=True):
            put(piece)
            if write is None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        put(f"\n{job.name} goes on in the background. `%blueno logs {job.id[:8]} -f` looks again.\n")
    return job


def _state_named(word: str) -> str:
    """``running`` or ``done`` → the state's name."""
    states = {words: state for state, words in look.STATE_WORDS.items()}
    found = states.get(word.lower(), word.upper().replace(" ", "_"))
    if found not in look.STATE_WORDS:
        raise errors.InvalidInput(
            f"{word!r} is no state of a job. There is {', '.join(look.STATE_WORDS).lower()}.",
            code="unknown_state",
        )
    return found
