"""Runs a job's work in the job's own process: ``python runner.py FOLDER``.

Standard library only until the user's code needs more; also run by other
interpreters, which need not have Blueno installed.
"""

from __future__ import annotations

import faulthandler
import os
import sys

TYPE_CHECKING = False  # importing typing takes as long as the rest
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import Any
else:
    import _signal as signal  # without its enums

ROOT = os.path.abspath(__file__).rsplit(os.sep, 4)[0]  # where Blueno lies


def main(folder: str) -> int:
    """Run what ``spec.json`` asks for; return the exit code."""
    _prepare_process()
    sys.path[0] = ROOT  # was this folder: it must not lend its names to the user's code
    from jupyter_blueno.jobs import lean
    from jupyter_blueno.jobs.inside import capture, listeners, reporting, work, written

    spec = lean.read_json(os.path.join(folder, "spec.json"))["spec"]

    sys.path[:1] = [os.path.join(folder, "code"), os.getcwd()]
    module = type(sys)("__main__")
    sys.modules["__main__"] = module
    outputs = capture.Outputs(folder)
    if "BLUENO_ATTEMPT" in os.environ:  # what the attempt before showed goes when this one shows something
        outputs.clear(wait=True)
    if spec["kind"] != "notebook":  # there it is the kernel that imports
        listeners.install()
        written.install()
    ended = work.run(spec, folder, module, outputs)
    reporting.write_json("ended.json", {"ok": ended.code == 0, "reason": ended.reason})
    return int(ended.code)


def _prepare_process() -> None:
    faulthandler.enable()
    owner = os.getpid()

    def on_term(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a fork of the work: it has nothing to tidy up for us
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, on_term)
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
