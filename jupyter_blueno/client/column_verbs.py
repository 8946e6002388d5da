"""What a dataset in a notebook does with jobs, and with values that they computed of its samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast

from jupyter_blueno.catalog import model
from jupyter_blueno.client import columns

if TYPE_CHECKING:
    import numpy as np

    from jupyter_blueno.client.datasets import Dataset
    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import Job
    from jupyter_blueno.client.options import Options


class ColumnVerbs:
    """A part of `Dataset`."""

    if TYPE_CHECKING:

        @property
        def id(self) -> int: ...

        @property
        def ordinals(self) -> np.ndarray: ...

    @property
    def columns(self) -> list[model.ColumnInfo]:
        """Values that somebody computed of the dataset's samples."""
        return columns.list_of(self.id)

    def record(self, **values: Sequence[float | str | None] | np.ndarray) -> None:
        """Write values of these samples into columns: shown in the gallery, filtered and sorted by.

        Parameters
        ----------
        **values
            By column, a number or text for each of these samples, in order; None takes
            a value away. ``tests.record(confidence=scores, seen=names)``

        Raises
        ------
        InvalidInput
            If there is not one value for each sample, or they are of another kind
            than those that the column has.
        """
        columns.record(self.id, self.ordinals, values)  # type: ignore[arg-type]

    def apply(
        self, function: Callable[..., Any], *, batch_size: int | None = None, **options: Unpack[Options]
    ) -> Job:
        """Compute something of each of these samples in a background job; it becomes columns.

        Parameters
        ----------
        function : callable
            Of one `Sample`: returns a number or text, for a column of the function's name,
            or a dict of them by column. With a `batch_size` it takes an array of images,
            (N, *shape), and returns N values.
        batch_size : int, optional
        **options
            As in `blueno.submit`.

        Returns
        -------
        Job
            A sample that fails is named in its log; the rest goes on. Tried again, it
            leaves out what is there.

        Examples
        --------
        >>> def brightness(sample):
        ...     return sample.numpy().mean()
        >>> digits.where(split="test").apply(brightness)
        """
        return columns.apply(cast("Dataset", self), function, batch_size, options)

    def jobs(self, limit: int = 20) -> JobList:
        """The jobs that read this dataset, in any version; the newest first."""
        from jupyter_blueno.client.jobs import reading

        return reading(self.id, limit)

    def drop_column(self, name: str) -> bool:
        """Remove a column of the dataset, with its values; False if there is none."""
        return columns.drop(self.id, name)
