"""Runs when a Python begins in a job: has frameworks followed. Then the one that this one hides."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def _follow() -> None:
    words = getattr(sys, "orig_argv", [])
    if sys.version_info < (3, 11) or not os.environ.get("BLUENO_JOB_FOLDER"):
        return
    if any("multiprocessing" in word for word in words[1:4]):  # a worker of one that is followed
        return
    root = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
    sys.path.insert(0, root)
    try:
        from jupyter_blueno.jobs import listeners

        listeners.install()
    finally:
        sys.path.remove(root)


try:
    _follow()
except Exception as error:  # whatever it is, the program comes first
    sys.stderr.write(f"blueno: frameworks are not followed ({error}).\n")

sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != HERE]
_this = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize  # type: ignore # noqa: F401 - the environment's own
except ImportError:
    if _this is not None:
        sys.modules["sitecustomize"] = _this
