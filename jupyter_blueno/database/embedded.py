"""A PostgreSQL server of the user's own, without a service.

The binaries come from a wheel; this module only does what `initdb` and the
server leave open: one server a data folder for all processes of the user,
adopted when it already runs, recovered after kill -9, stopped by the last one
who leaves. It listens on a socket in a private folder only, and asks for a
password that only the user can read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from functools import cached_property
from pathlib import Path
from typing import IO
from urllib.parse import quote

from jupyter_blueno.database import binaries, trouble
from jupyter_blueno.database.account import STATE, Account, account_for, digest
from jupyter_blueno.errors import DatabaseUnavailable

SOCKET_PATH_LIMIT = (107 if sys.platform.startswith("linux") else 103) - len("/.s.PGSQL.5432")
CLUSTER_PATH_LIMIT = 900  # bytes; PostgreSQL's own is 1,024 with the names below it
KEEPER = Path(__file__).with_name("keeper.py")
PATIENCE = 30.0  # seconds for a stop, or for whoever else is starting it
# Seconds for a start: after a crash each file goes to the disk first, which a busy one takes long for.
REPAIR = 90.0

# A laptop's database: small memory, few processes, durable.
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "cluster_name": "blueno",
}


class EmbeddedServer:
    """The server of one data folder, shared by all processes of its user.

    Three locks, which the kernel drops when their holder dies, however it dies:
    ``lease`` is shared by all who use the server, and whoever leaves and finds
    nobody else on it stops the server (or its keeper does, if nobody was left
    to leave); ``running`` is held by the server's own processes; ``lock`` by
    whoever is starting it.

    Not thread-safe: one object a process, behind `Database`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.realpath(folder))
        self._lease: IO[str] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    # -- public -----------------------------------------------------------

    def start(self) -> str:
        """Start or adopt the server, take a lease, and return its SQLAlchemy URL.

        Raises
        ------
        DatabaseUnavailable
            If it does not answer within a minute and a half, or its folder cannot
            be used; the message says why.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._lease is None:
                self._lease = self._take("lease", fcntl.LOCK_SH)
            with self._take("lock", fcntl.LOCK_EX, 4 * PATIENCE) as lock:
                if not self._answers():
                    self._settle()
                    if not (self.cluster / "PG_VERSION").exists():
                        self._create_cluster(lock)
                    self._launch()
            return self.url
        except OSError as error:
            raise self._unusable(error) from error

    def release(self) -> bool:
        """Give the lease back; stop the server if nobody else holds one.

        Returns
        -------
        bool
            True if this call stopped the server.
        """
        if self._lease is None or os.getpid() != self._owner:  # a fork shares its parent's lease
            return False
        lease, self._lease = self._lease, None
        with lease:
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            self.stop()
        return True

    def stop(self) -> None:
        """Stop the server at once, whoever uses it; open transactions are rolled back."""
        # The later ones only when it hangs, as it does on a full disk; the next start recovers.
        kindly = 1 if trouble.disk_is_full(self.folder) else 15
        for how, patience in ((signal.SIGINT, kindly), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
            with contextlib.suppress(DatabaseUnavailable):
                self._take("running", fcntl.LOCK_SH, patience).close()
        if self._keeper is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._keeper.wait(5)
            self._keeper = None

    @property
    def url(self) -> str:
        """Where the server answers, with the password."""
        try:
            password = (self.folder / "password").read_text()
        except OSError as error:
            raise DatabaseUnavailable(
                f"The database's password cannot be read from {self.folder / 'password'} "
                f"({error.strerror}): give the file back to yourself, or restore it from a backup of "
                f"{self.folder}."
            ) from error
        folder = quote(str(self._socket_in_use() or self._socket_folder()), safe="")
        return f"postgresql+psycopg2://blueno:{quote(password)}@/postgres?host={folder}&port=5432"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder."""
        return self.place / "cluster"

    def pid(self) -> int | None:
        """The postmaster's process id, or None if it does not run (a zombie does not)."""
        import psutil

        try:
            pid = int(self._pid_file()[0])
            process = psutil.Process(pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        return pid if alive and _works_in(process, self.cluster) else None

    # -- places -------------------------------------------------------------

    @cached_property
    def account(self) -> Account:
        """As whom the server runs."""
        return account_for(self.folder / "cluster", self._elsewhere / "cluster")

    @cached_property
    def place(self) -> Path:
        """What holds cluster and socket: the folder, or one that a system user can reach."""
        return self.folder if self.account.can_reach(self.folder / "cluster") else self._elsewhere

    @property
    def _elsewhere(self) -> Path:
        return STATE / digest(str(self.folder))

    def _settle(self) -> None:
        """Where a system user runs the server: bring what root's folder already holds."""
        if self.account.owner is None:
            return
        self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.place != self.folder:
            self.account.own(self.place)
            if (self.folder / "cluster").exists():
                shutil.move(self.folder / "cluster", self.cluster)
        if self.cluster.exists() and self.cluster.stat().st_uid != self.account.owner[0]:
            self.account.own(self.cluster)

    def _socket_folder(self) -> Path:
        """A private folder for the socket, with a path that PostgreSQL and its clients can take."""
        folder = self.place / "socket"
        # Both sides read lists of folders, with commas and quotes between them.
        odd = not str(folder).isprintable() or set(str(folder)) & set(',"\\')
        if odd or len(os.fsencode(folder)) > SOCKET_PATH_LIMIT:
            name = f"blueno-{os.getuid()}-{digest(str(self.folder))}"
            folder = Path(tempfile.gettempdir(), name)
            if len(os.fsencode(folder)) > SOCKET_PATH_LIMIT:  # TMPDIR may lie deep, too
                folder = Path("/tmp", name)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            self.account.own(folder)
        found = folder.lstat()
        owner = self.account.owner[0] if self.account.owner else os.getuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            raise DatabaseUnavailable(
                f"{folder}, where the database's socket would lie, belongs to somebody else: remove it "
                "or set TMPDIR to a folder of your own."
            )
        folder.chmod(0o700)
        return folder

    def _socket_in_use(self) -> Path | None:
        """Where the running server listens: whoever started it may have another TMPDIR."""
        try:
            return Path(self._pid_file()[4])
        except (OSError, IndexError):
            return None

    def _pid_file(self) -> list[str]:
        return (self.cluster / "postmaster.pid").read_text(errors="surrogateescape").split("\n")

    # -- steps --------------------------------------------------------------

    def _take(self, name: str, kind: int, patience: float = PATIENCE) -> IO[str]:
        """Lock the file `name`, as soon as nobody is in the way; closing it gives the lock back."""
        file = open(self.folder / name, "w")  # noqa: SIM115 - the caller closes it
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                if time.monotonic() > deadline:
                    file.close()
                    raise DatabaseUnavailable(
                        f"Another process has been starting or stopping the database in {self.folder} "
                        f"for {patience:.0f} s: end it, or look into {self.folder / 'log'}."
                    ) from None
            time.sleep(0.02)

    def _create_cluster(self, lock: IO[str]) -> None:
        if len(os.fsencode(self.cluster)) > CLUSTER_PATH_LIMIT:
            raise DatabaseUnavailable(
                f"The path of the data folder is too long for PostgreSQL: set BLUENO_HOME to one under "
                f"{CLUSTER_PATH_LIMIT} characters."
            )
        new = self.place / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)  # left by one that was killed
        password = secrets.token_urlsafe(24)
        password_file = self.folder / "password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        with tempfile.TemporaryDirectory(dir=self.place, prefix="new-") as readable:
            handed = Path(shutil.copy2(password_file, readable))
            self.account.own(handed.parent)
            if self.account.owner is not None:
                new.mkdir(mode=0o700)
                self.account.own(new)
            self._initialise(new, handed, lock)
        with open(new / "postgresql.conf", "a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in SETTINGS.items())
        new.rename(self.cluster)

    def _initialise(self, new: Path, password_file: Path, lock: IO[str]) -> None:
        """Run initdb. It holds the lock, too: if we are killed, the next one waits until it is done."""
        command = self._command(
            binaries.newest(), "initdb", "-D", str(new), "-U", "blueno", "--auth=scram-sha-256",
            f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip
        done = subprocess.run(
            command, cwd=self.place, env=_environment(), capture_output=True, text=True, errors="replace",
            pass_fds=[lock.fileno()],
        )  # fmt: skip
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            if "No space left" in said:
                raise self._unusable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            raise DatabaseUnavailable(
                f"The embedded PostgreSQL could not be prepared in {self.place}: {said[-600:]}"
            )

    def _launch(self) -> None:
        """Start the server, or wait for the one that somebody started."""
        deadline = time.monotonic() + PATIENCE
        with open(self.folder / "running", "w") as running:
            while True:
                try:
                    fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._answers():
                        return
                if self.pid() is None:
                    self._end_orphans()
                if time.monotonic() > deadline:
                    raise self._silent()
                time.sleep(0.05)
            self._spawn(running)
        deadline = time.monotonic() + REPAIR
        while not self._answers():
            if self._keeper is None or self._keeper.poll() is not None or time.monotonic() > deadline:
                raise self._silent()
            time.sleep(0.02)

    def _spawn(self, running: IO[str]) -> None:
        programs = binaries.for_cluster(self.cluster)
        # The lock is ours, so nobody runs: these are left from kill -9, and may name a foreign process.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        socket_folder = self._socket_folder()
        for left in socket_folder.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        server = self._command(
            programs, "postgres", "-D", str(self.cluster), "-k", str(socket_folder), "-p", "5432"
        )
        with open(self.folder / "log", "w") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(KEEPER), str(self.folder / "lease"), *server],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.place,
                pass_fds=[running.fileno()],
                start_new_session=True,  # Ctrl-C in the terminal is not for it
                env=_environment() | {"BLUENO_SHARED": "1"},  # nor the end of the job that needed it first
            )

    def _end_orphans(self) -> None:
        """End what a killed postmaster left: a long query does not notice that it is gone."""
        import psutil

        for process in psutil.process_iter(["name"]):
            if process.info["name"] == "postgres" and _works_in(process, self.cluster):
                with contextlib.suppress(psutil.Error):
                    process.kill()

    def _answers(self) -> bool:
        import psycopg2

        socket_folder = self._socket_in_use()
        if socket_folder is None or not any(socket_folder.glob(".s.PGSQL.*")):
            return False
        try:
            psycopg2.connect(self.url.replace("+psycopg2", ""), connect_timeout=5).close()
        except psycopg2.OperationalError as error:
            if re.search("authentication failed|no password supplied", str(error)):
                raise DatabaseUnavailable(
                    f"The password in {self.folder / 'password'} is not the database's: restore the file "
                    f"from a backup of {self.folder}."
                ) from None
            return bool(re.search("too many clients|remaining connection slots", str(error)))
        return True

    def _command(self, programs: Path, program: str, *arguments: str) -> list[str]:
        programs = self.account.reachable_programs(programs)
        return [*self.account.prefix, str(programs / program), *arguments]

    # -- what went wrong ------------------------------------------------------

    def _silent(self) -> DatabaseUnavailable:
        log = (self.folder / "log").read_text(errors="replace").strip() if self._keeper else ""
        if "No space left" in log:
            return self._unusable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if self._keeper is None and self.pid() is None:
            return DatabaseUnavailable(
                f"The database in {self.folder} is in use on another machine or in another container: "
                "stop Blueno there, or set BLUENO_HOME to another folder."
            )
        return DatabaseUnavailable(
            f"The embedded PostgreSQL did not start; {self.folder / 'log'} says why"
            + (f" and ends with: {log[-600:]}" if log else ".")
        )

    def _unusable(self, error: OSError) -> DatabaseUnavailable:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DatabaseUnavailable(
                f"The disk that holds the database ({self.place}) is full: free 200 MB or more and try again."
            )
        return DatabaseUnavailable(
            f"The folder of the database, {self.folder}, cannot be used ({error.strerror or error}): make "
            "it yours and writable, or set BLUENO_HOME to another folder."
        )


def _works_in(process: object, folder: Path) -> bool:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def _environment() -> dict[str, str]:
    """The environment without what PostgreSQL would take for its settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")}
