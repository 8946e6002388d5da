"""The process of a notebook's kernel, begun before what talks to it is imported. Standard library only.

Both take about as long as each other, so a notebook's first output comes in
little more than half the time. As a program, this is what the process runs.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Any

PORTS = ("shell", "iopub", "stdin", "control", "hb")
HISTORY = "--HistoryManager.hist_file=:memory:"  # the user's is not ours to fill
LONGEST = 90  # bytes of a folder's path in which sockets may lie


class Kernel:
    """A kernel of this very Python, whatever is registered on the machine.

    Attributes
    ----------
    sockets : str
        A folder of its own, for this user only; the usual places are shared.
    connection : dict
        As in Jupyter's connection files.
    file : str
        The same as a file.
    process : subprocess.Popen
    """

    def __init__(self) -> None:
        import subprocess
        import tempfile

        within = tempfile.gettempdir()
        self.sockets = tempfile.mkdtemp(prefix="blueno-", dir=within if len(within) <= LONGEST else "/tmp")
        self.connection: dict[str, Any] = {
            "transport": "ipc",
            "ip": os.path.join(self.sockets, "kernel"),
            **{f"{name}_port": number for number, name in enumerate(PORTS, 1)},
            "key": os.urandom(16).hex(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "python3",
        }
        self.file = os.path.join(self.sockets, "kernel.json")
        self._write()
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "-f", self.file, HISTORY],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "JPY_PARENT_PID": str(os.getpid())},  # it ends when we do
            start_new_session=True,
        )

    def _write(self) -> None:
        from jupyter_blueno.jobs import lean

        with open(self.file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(lean.to_json(self.connection))

    def close(self) -> None:
        """End it, if it still runs."""
        import shutil

        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)


def main() -> None:
    """Be the kernel."""
    del sys.path[0]  # the folder of this file: it must not lend its names to the user's code
    # Nobody could reach a debugger in here, and loading it is a fifth of the start.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    from ipykernel import debugger, kernelapp  # noqa: F401 - it looks once

    del sys.modules["debugpy"]
    kernelapp.launch_new_instance()


if __name__ == "__main__":
    main()
