"""What a function returned, or raised, as a file of the job's folder."""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

LIMIT = "BLUENO_RESULT_GB"  # in the job's environment: how much of a value is kept
USUAL = 4.0


class TooLargeToKeep(Exception):
    """The value is over the limit."""


class _Bounded:
    """A file that takes so many bytes and no more: a pickle says its size only when it is written."""

    def __init__(self, file: IO[bytes], limit: float) -> None:
        self.file = file
        self.left = limit

    def write(self, content: Any) -> int:
        self.left -= memoryview(content).nbytes
        if self.left < 0:
            raise TooLargeToKeep
        return self.file.write(content)


def keep(path: str, value: Any, cloudpickle: Any) -> str | None:
    """Pickle `value` into a file, whole or not at all; return why not, in words."""
    temporary = os.path.join(os.path.dirname(path), "." + os.path.basename(path))
    try:
        limit = float(os.environ.get(LIMIT) or USUAL)
    except ValueError:
        limit = USUAL
    try:
        with open(temporary, "wb") as file:
            cloudpickle.dump(value, _Bounded(file, limit * 1e9))
        os.replace(temporary, path)
        return None
    except TooLargeToKeep:
        trouble = (
            f"it is over {limit:g} GB. Save it to a file in the job and return the file's path, or let more "
            f"be kept: environment={{'{LIMIT}': '{2 * limit:g}'}}."
        )
    except OSError as error:
        trouble = f"{error.strerror or error}. Free some space, or save it elsewhere and return its path."
    except Exception as error:
        said = str(error).strip().splitlines()[:1] or [type(error).__name__]
        trouble = f"{said[0][:300]}. Return what it is made of, or save it to a file and return its path."
    with lean.suppress(OSError):
        os.unlink(temporary)
    return trouble
