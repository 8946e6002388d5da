"""Run a program as a user who is not root: ``python unprivileged.py PROGRAM ARG …``.

PostgreSQL refuses to run as root. In a user namespace whose only user is the
caller under another number, it does not know that it is; files keep their
owner and no folder has to be opened to others. A script of its own, because
a threaded process cannot enter a user namespace.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

CLONE_NEWUSER = 0x10000000


def enter_user_namespace() -> None:
    """Become the first system user that is not root, in a new user namespace.

    Raises
    ------
    OSError
        If the kernel or a container's seccomp profile does not allow it.
    """
    user = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{user.pw_uid} {uid} 1"),
        ("gid_map", f"{user.pw_gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


if __name__ == "__main__":
    enter_user_namespace()
    os.execv(sys.argv[1], sys.argv[1:])
