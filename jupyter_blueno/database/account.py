"""As whom PostgreSQL runs: it refuses to be root."""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jupyter_blueno.errors import DatabaseUnavailable

STATE = Path("/var/lib/blueno")  # of system users, who cannot look into root's home
SYSTEM_USERS = ("nobody", "daemon")
SCRIPT = Path(__file__).with_name("unprivileged.py")


@dataclass(frozen=True)
class Account:
    """Who runs the programs.

    Parameters
    ----------
    prefix : tuple of str
        What is put before a command.
    owner : tuple of int, optional
        User and group of a system user, when it is not the caller.
    """

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def own(self, path: Path) -> None:
        """Give a file, or a folder with all that is in it, to this account."""
        if self.owner is None:
            return
        os.chown(path, *self.owner, follow_symlinks=False)
        for folder, names, files in os.walk(path):
            for name in names + files:
                os.chown(os.path.join(folder, name), *self.owner, follow_symlinks=False)

    def can_reach(self, path: Path) -> bool:
        """Whether every folder above `path` lets this account through."""
        return self.owner is None or all(folder.stat().st_mode & 0o001 for folder in path.parents)

    def reachable_programs(self, binaries: Path) -> Path:
        """The folder of PostgreSQL's programs: `binaries`, or a copy that this account can read."""
        if self.can_reach(binaries / "postgres"):
            return binaries
        made = (binaries / "postgres").stat()
        name = f"{binaries}\n{made.st_size}\n{made.st_mtime_ns}"
        copy = STATE / f"postgresql-{digest(name)}"
        if not copy.exists():
            STATE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=STATE) as new:
                shutil.copytree(binaries.parent, Path(new, "programs"), symlinks=True)
                if not copy.exists():
                    Path(new, "programs").rename(copy)
        return copy / binaries.name


def digest(text: str) -> str:
    """A short name that stands for `text`."""
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def account_for(*made: Path) -> Account:
    """The account that owns the first of these clusters that exists, or the best for a new one."""
    if os.geteuid() != 0:
        return Account()
    for cluster in made:
        if cluster.exists() and cluster.stat().st_uid != 0:
            of = cluster.stat()
            return _system_account(of.st_uid, of.st_gid)
    if namespaces_allowed():
        return Account((sys.executable, "-I", "-S", str(SCRIPT), "namespace"))
    for name in SYSTEM_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _system_account(entry.pw_uid, entry.pw_gid)
    raise DatabaseUnavailable(
        "PostgreSQL does not run as root, and there is no user 'nobody' to run it as. Start Blueno as "
        "another user, or set BLUENO_DATABASE_URL to a PostgreSQL 14 or newer."
    )


@functools.cache
def namespaces_allowed() -> bool:
    """Whether root may enter a user namespace; many containers refuse it."""
    if not sys.platform.startswith("linux"):
        return False
    probe = [sys.executable, "-I", "-S", str(SCRIPT), "namespace", sys.executable, "-I", "-S", "-c", ""]
    return subprocess.run(probe, capture_output=True).returncode == 0


def _system_account(uid: int, gid: int) -> Account:
    return Account((sys.executable, "-I", "-S", str(SCRIPT), f"{uid}:{gid}"), (uid, gid))
