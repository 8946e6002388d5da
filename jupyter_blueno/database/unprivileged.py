"""Run a program as a user who is not root: ``python unprivileged.py WHO PROGRAM ARG …``.

PostgreSQL refuses to run as root. WHO is ``namespace``: in a user namespace
whose only user is the caller under another number, it does not know that it
is; files keep their owner and no folder has to be opened to others. Or it is
``UID:GID`` of another user, where namespaces are refused. A script of its own,
because a threaded process cannot enter a user namespace.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

CLONE_NEWUSER = 0x10000000
NOBODY = 65534


def enter_user_namespace() -> None:
    """Become the first system user that is not root, in a new user namespace.

    Raises
    ------
    OSError
        If the kernel or a container's seccomp profile does not allow it.
    """
    others = ((entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall() if entry.pw_uid != 0)
    user, group = next(others, (NOBODY, NOBODY))
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {uid} 1"),
        ("gid_map", f"{group} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def become(uid: int, gid: int) -> None:
    """Become another user for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


if __name__ == "__main__":
    if sys.argv[1] == "namespace":
        enter_user_namespace()
    else:
        become(*map(int, sys.argv[1].split(":")))
    os.execv(sys.argv[2], sys.argv[2:])
