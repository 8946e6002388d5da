"""Where the values of secrets lie."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Protocol

from jupyter_blueno.errors import Unavailable


class Keeper(Protocol):
    """Keeps values of one team; thread-safe. What reads them is the work, not this."""

    def put(self, name: str, value: str) -> None:
        """Keep a value, in place of the one before."""

    def delete(self, name: str) -> None:
        """Forget a value; one that is not there is no error."""


class Files:
    """Files of a folder that nobody but their owner reads, one for each secret.

    Parameters
    ----------
    folder : path
        It is made, with mode 0700, when the first value comes.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def put(self, name: str, value: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self.folder / f".{name}.{secrets.token_hex(4)}"
            try:
                with open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                    file.write(value.encode())
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self.folder / name)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Unavailable(
                f"The secret cannot be kept: {error.strerror or error}. Mend that, then set it again.",
                code="secret_not_kept",
            ) from error

    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).unlink()
