"""What is raised where a job did not end well."""

from __future__ import annotations

from jupyter_blueno import errors
from jupyter_blueno.client import job_display


class JobFailed(errors.BluenoError):
    """A job ended in another way than well; the message says why."""

    code = "job_failed"


class RemoteTraceback(Exception):
    """The traceback of the job, as it was printed there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)

    def __str__(self) -> str:
        return f"\n\n{job_display.plain(self.args[0])}"
