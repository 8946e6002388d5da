"""Keep a server for as long as somebody holds a lease: ``python keeper.py LEASE PROGRAM ARG …``.

Whoever uses the server holds a shared lock on the file LEASE, which the kernel
drops however the holder dies. So the server also ends when all of them were
killed and nobody was left to stop it. A small process of its own; it inherits
the lock that says that the cluster is in use, and hands it to the server.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys

PERIOD = 5.0  # seconds between two looks at the lease
# "Fast", and when it hangs, as on a full disk, "immediate": the next start recovers.
SIGNALS = [signal.SIGINT] * 3 + [signal.SIGQUIT, signal.SIGKILL]


def keep(lease_path: str, command: list[str]) -> int:
    """Run `command` until it ends by itself or nobody holds the lease; return its exit status."""
    ended, alive = os.pipe()  # the writing end is closed when the last process of the server is gone
    os.set_inheritable(alive, True)
    server = os.fork()
    if server == 0:
        try:
            os.execv(command[0], command)
        finally:
            os._exit(127)
    os.close(alive)
    signals = iter(SIGNALS)
    with open(lease_path) as lease:
        while not select.select([ended], [], [], PERIOD)[0]:
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            os.kill(server, next(signals, signal.SIGKILL))  # not reaped yet: the number is still its own
        return os.waitstatus_to_exitcode(os.waitpid(server, 0)[1])


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1], sys.argv[2:]))
