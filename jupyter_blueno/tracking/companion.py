"""A web server of somebody else's beside Jupyter's: started when it is needed, ended when nobody does.

It listens on a socket in a folder that only the user can enter. A port would be
open to everybody on the machine, and these servers ask for no password; who may
talk to it is decided by Jupyter, behind whose port it is shown.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import secrets
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Literal

import msgspec

from jupyter_blueno.database import keeper
from jupyter_blueno.database.embedded import SOCKET_PATH_LIMIT
from jupyter_blueno.errors import BluenoError, Unavailable

State = Literal["stopped", "starting", "running", "failed"]
PATIENCE = 120.0  # seconds for a start, on a machine that is busy
IDLE = 1800.0  # seconds without a request after which this process needs it no longer


def _public(environment: Mapping[str, str]) -> dict[str, str]:
    """What such a server may know: a hub's service has the keys of hub and database in its environment."""
    private = ("JUPYTERHUB_", "BLUENO_DATABASE_")
    return {name: value for name, value in environment.items() if not name.startswith(private)}


class _Address(msgspec.Struct, frozen=True):
    socket: str


class Companion:
    """One such server of a data folder, shared by all processes of its user. Thread-safe.

    Who uses it holds a shared lock on the file ``lease``; a small process keeps
    the server for as long as somebody does, however its users end.

    `elsewhere` says that it is no process of this machine, so needs nothing that is installed here.

    Parameters
    ----------
    name : str
        As a person calls it: ``MLflow``.
    folder : Path
        Where lease, log and address of the server are; made if missing.
    command : function
        From the path of the socket to the command that listens there.
    health : str
        A path that it answers with 200 once it is ready.
    """

    elsewhere = False

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Callable[[str], list[str]],
        health: str = "/",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.folder = folder
        self.health = health
        self.on_ready: Callable[[], None] = lambda: None  # called after each start
        self.base_url = ""  # of the Jupyter server, as it was last asked for
        self.released = threading.Event()
        self._command = command
        self._environment = environment or {}
        self._lock = threading.Lock()
        self._lease: IO[str] | None = None
        self._starter: threading.Thread | None = None
        self._begun = 0.0
        self._trouble: BluenoError | None = None
        self._used = time.monotonic()

    # -- asked by whoever shows it ----------------------------------------------

    @property
    def state(self) -> State:
        if self._starter is not None and self._starter.is_alive():
            return "starting"
        if self.held and self.answers():
            return "running"
        return "failed" if self._trouble is not None else "stopped"

    @property
    def held(self) -> bool:
        """Whether this process needs it."""
        return self._lease is not None

    @property
    def trouble(self) -> str | None:
        """Why the last start did not succeed."""
        return None if self._trouble is None else self._trouble.message

    @property
    def waited(self) -> float:
        """Seconds since the start was asked for."""
        return time.monotonic() - self._begun

    def begin(self) -> None:
        """Start it in a thread, unless it runs or is being started."""
        with self._lock:
            self._used = time.monotonic()
            if self._starter is None or not self._starter.is_alive():
                self._trouble, self._begun = None, time.monotonic()
                self._starter = threading.Thread(target=self._start, name=f"start {self.name}", daemon=True)
                self._starter.start()

    def ready(self) -> None:
        """Return when it answers.

        Raises
        ------
        Unavailable
            If it does not start; the message says why.
        """
        if not self.held or not self.answers():
            self.begin()
            assert self._starter is not None
            self._starter.join()
            if self._trouble is not None:
                raise self._trouble
        self._used = time.monotonic()

    def connect(self, timeout: float = 60.0) -> http.client.HTTPConnection:
        """A connection to it; raises `OSError` where it does not run."""
        self._used = time.monotonic()
        return self._connect(timeout)

    def reach(self) -> http.client.HTTPConnection:
        """The same for what is done unasked: it does not count as use."""
        return self._connect(60.0)

    def release_idle(self) -> bool:
        """Let go of it if it was not used for long; True if this process does not hold it now."""
        if time.monotonic() - self._used > IDLE:
            self.release()
        return not self.held

    def close(self) -> None:
        self.release()

    def release(self) -> None:
        """Let go of it: it ends in some seconds if nobody else uses it."""
        with self._lock:
            if self._lease is not None:
                self._lease.close()
                self._lease = None
            self.released.set()

    # -- starting -----------------------------------------------------------------

    def _start(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._lock:
                if self._lease is None:
                    self._lease = open(self.folder / "lease", "w")  # noqa: SIM115 - held until `release`
                    fcntl.flock(self._lease, fcntl.LOCK_SH)
                    self.released.clear()
            with open(self.folder / "lock", "w") as lock:  # one starts it, the others wait
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self.answers():
                    self._spawn()
        except BluenoError as error:
            self._trouble = error
        except OSError as error:
            self._trouble = Unavailable(
                f"{self.name} cannot be started in {self.folder}: {error.strerror or error}.",
                code="companion_failed",
            )
        if self._trouble is not None:
            self.release()
        else:
            self.on_ready()

    def _spawn(self) -> None:
        place = self._socket_folder() / f"{secrets.token_hex(4)}.sock"
        for old in place.parent.glob("*.sock"):
            old.unlink(missing_ok=True)  # nobody answers there
        with open(self.folder / "log", "w") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, str(self.folder / "lease"),
                 *self._command(str(place))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in the terminal is not for it
                env={**_public(os.environ), **self._environment},
            )  # fmt: skip
        (self.folder / "address").write_bytes(msgspec.json.encode(_Address(str(place))))
        threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise self._silent()
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it is there and ready."""
        try:
            connection = self._connect(5.0)
            connection.request("GET", self.health, headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        try:
            address = msgspec.json.decode((self.folder / "address").read_bytes(), type=_Address)
        except msgspec.DecodeError:
            raise ConnectionRefusedError from None
        connection = http.client.HTTPConnection("localhost", timeout=timeout)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(timeout)
        try:
            connection.sock.connect(address.socket)
        except OSError:
            connection.sock.close()
            raise
        return connection

    def _socket_folder(self) -> Path:
        folder = self.folder / "socket"
        if len(os.fsencode(folder)) > SOCKET_PATH_LIMIT - 16:
            folder = Path(tempfile.gettempdir(), f"blueno-{os.getuid()}-{self.folder.stat().st_ino:x}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise Unavailable(
                f"{folder}, where {self.name}'s socket would lie, belongs to somebody else: remove it or set "
                "TMPDIR to a folder of your own.",
                code="companion_failed",
            )
        folder.chmod(0o700)
        return folder

    def _silent(self) -> Unavailable:
        said = (self.folder / "log").read_text(errors="replace").strip().splitlines()
        last = f" and ends with: {said[-1][:300]}" if said else ""
        return Unavailable(
            f"{self.name} did not start; {self.folder / 'log'} says why{last}.", code="companion_failed"
        )
