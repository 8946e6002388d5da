"""What a job says of itself while it runs, and what is seen of it from outside."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from jupyter_blueno.api import jobs as api
from jupyter_blueno.api.logs import list_workers
from jupyter_blueno.api.written import WrittenFile, list_written_files
from jupyter_blueno.client import look, session
from jupyter_blueno.client.curves import Curves, number
from jupyter_blueno.jobs import model, readings

UNITS = {"memory": "B", "gpu_memory": "B", "disk_read": "B/s", "disk_write": "B/s", "cpu": "cores"}


class Observed:
    """The part of a job's handle that reads curves."""

    @property
    def id(self) -> str:
        raise NotImplementedError

    @property
    def name(self) -> str:
        raise NotImplementedError

    @property
    def datasets(self) -> list[model.UsedDataset]:
        """The datasets that it read, with version and filter."""
        return session.call(api.list_used_datasets, api.JobRef(self.id)).datasets

    @property
    def written(self) -> list[WrittenFile]:
        """The files that it wrote, with their sizes (None: gone), as far as a Python program tells."""
        return session.call(list_written_files, api.JobRef(self.id)).files

    @property
    def workers(self) -> list[readings.Worker]:
        """How each of its workers stands, by rank; empty where one process does the work."""
        return session.call(list_workers, api.JobRef(self.id)).workers

    def metrics(self, points: int = 1000) -> Curves:
        """What it logged by `blueno.log_metric`, so far.

        Parameters
        ----------
        points : int
            Of each curve at most, 10 to 100,000; of more, the lowest and the
            highest of each stretch are taken.

        Returns
        -------
        Curves
            By name; shown as a table.

        Examples
        --------
        >>> job.metrics().last
        {'loss': 0.0312}
        >>> plt.plot(job.metrics()["loss"].steps, job.metrics()["loss"].values)
        """
        found = session.call(api.get_metrics, api.CurveRange(self.id, limit=points))
        return Curves(found, f'{self.name} logged no metrics; blueno.log_metric("loss", loss) does.')

    def usage(self, points: int = 1000) -> Curves:
        """What it used, so far.

        Returns
        -------
        Curves
            ``cpu`` (cores), ``memory`` (bytes; resident, what its processes
            share is counted once), ``disk_read`` and ``disk_write`` (bytes per
            second), ``processes``; with GPUs of its own ``gpu`` (how many were
            busy) and ``gpu_memory`` (bytes). Their steps are seconds since the
            start; they are measured each second at first, later ever more rarely.
        """
        found = session.call(api.get_usage, api.CurveRange(self.id, limit=points))
        return Curves(found, f"{self.name} ran too shortly for its usage to be measured.", measure)

    def checkpoints(self) -> Checkpoints:
        """What it kept by `blueno.checkpoint`, the newest first: step, size, path."""
        return Checkpoints(session.call(api.list_checkpoints, api.JobRef(self.id)).checkpoints)


class Checkpoints(list[readings.Checkpoint]):
    """Checkpoints, the newest first; shown as a table."""

    def _cells(self) -> list[list[str]]:
        return [
            [
                "" if one.step is None else number(one.step),
                measure("memory", one.size),
                look.age(datetime.fromtimestamp(one.saved_at, UTC)),
                one.path,
            ]
            for one in self
        ]

    def __repr__(self) -> str:
        return look.table(self._cells(), _HEAD, right=(0, 1)) if self else _NONE

    def _repr_html_(self) -> str:
        if not self:
            return f"<div style='{look.FRAME}'>{escape(_NONE)}</div>"
        return look.html_table([list(map(escape, row)) for row in self._cells()], _HEAD, right=(0, 1))


_HEAD = ["step", "size", "saved", "path"]
_NONE = "No checkpoints. In the job, blueno.checkpoint(path) keeps one."


def measure(name: str, value: float) -> str:
    """A value of a usage curve with its unit: `1.5 GB`, `0.25 cores`."""
    unit = UNITS.get(name, "")
    if unit[:1] != "B" or value != value:
        return f"{number(value)} {unit}".rstrip()
    prefixes = ["", "k", "M", "G", "T"]
    while abs(value) >= 999.5 and len(prefixes) > 1:
        value /= 1000
        prefixes.pop(0)
    return f"{value:.3g} {prefixes[0]}{unit}"
