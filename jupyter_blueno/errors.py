"""The errors of jupyter-blueno.

Each says, in one sentence a person can act on, what happened and what to do
next; `code` is stable and is what programs look at. How a class becomes an
HTTP status is the server's business and is not known here.

::

    BluenoError
    ├── InvalidInput        what was asked for cannot be right, whatever the state
    │   ├── UnreadableData  a file exists but its content cannot be read
    │   └── TooLarge        over a limit on bytes, pixels or length
    ├── NotFound            nothing of that name, or nothing the user may see
    ├── AlreadyExists       the name is taken; nothing was changed
    ├── Conflict            right in itself, but not in the present state
    ├── NotAllowed          the user may see it, but may not do this
    ├── OutsideRoots        a path that leaves the folders the user may see
    ├── MissingDependency   an optional package is not installed
    ├── Unavailable         a part that is needed does not answer; try again
    │   ├── DatabaseUnavailable
    │   └── DecoderFailed   decoding ran out of time or memory, or its process died
    └── PlatformError       what the nine methods of `PlatformClient` raise
"""

from __future__ import annotations


class BluenoError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message : str
        One sentence: what happened, and what to do next.
    code : str, optional
        A stable, machine-readable name, e.g. ``dataset_exists``; each class
        has a default.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class InvalidInput(BluenoError):
    code = "invalid_input"


class UnreadableData(InvalidInput):
    code = "unreadable_data"


class TooLarge(InvalidInput):
    code = "too_large"


class NotFound(BluenoError):
    code = "not_found"


class AlreadyExists(BluenoError):
    code = "already_exists"


class Conflict(BluenoError):
    code = "conflict"


class NotAllowed(BluenoError):
    code = "not_allowed"


class OutsideRoots(BluenoError):
    code = "outside_roots"


class MissingDependency(BluenoError):
    code = "missing_dependency"


class Unavailable(BluenoError):
    code = "unavailable"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"


class DecoderFailed(Unavailable):
    code = "decoder_failed"


class PlatformError(BluenoError):
    code = "platform_error"
