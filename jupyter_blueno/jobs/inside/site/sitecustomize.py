"""Runs when a Python begins in a job: has frameworks and files followed. Then the one that this one hides.

Until there is one of them this is all there is, so that a program starts as quickly as ever.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FRAMEWORKS = (
    *("tqdm", "keras", "tf_keras", "lightning", "pytorch_lightning", "transformers", "mlflow"),
    *("tensorflow", "torch", "tensorboard", "tensorboardX", "safetensors", "h5py", "SimpleITK"),
)


class Finder:
    """Has frameworks followed from the first import of one on; finds Blueno where it is not installed."""

    def __init__(self) -> None:
        self.root = HERE.rsplit(os.sep, 4)[0]
        self.waiting = True

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if self.waiting and name in FRAMEWORKS:
            self.waiting = False
            try:
                from jupyter_blueno.jobs.inside import listeners

                listeners.install()
            except Exception as error:  # whatever it is, the program comes first
                sys.stderr.write(f"blueno: frameworks are not followed ({error}).\n")
        elif name == "jupyter_blueno":
            from _frozen_importlib_external import PathFinder

            return PathFinder.find_spec(name) or PathFinder.find_spec(name, [self.root])
        return None


class Ear:
    """Hears of the first file that is opened to be written; from then on `written.py` listens."""

    def __init__(self) -> None:
        self.waiting = True

    def __call__(self, event, args):  # type: ignore[no-untyped-def]
        if not self.waiting or event != "open":
            return
        path, _, flags = args
        if not (isinstance(path, str) and isinstance(flags, int) and flags & 3) or "__pycache__" in path:
            return
        self.waiting = False
        try:
            from jupyter_blueno.jobs.inside import written

            written.install()
            written.heard(event, args)
        except Exception as error:  # whatever it is, the program comes first
            sys.stderr.write(f"blueno: written files are not followed ({error}).\n")


if (
    sys.version_info >= (3, 11)
    and os.environ.get("BLUENO_JOB_FOLDER")
    # A worker of one that is followed:
    and not any("multiprocessing" in word for word in sys.orig_argv[1:4])
):
    sys.meta_path.insert(0, Finder())
    sys.addaudithook(Ear())

sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != HERE]
_this = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize  # type: ignore # noqa: F401 - the environment's own
except ImportError:
    if _this is not None:
        sys.modules["sitecustomize"] = _this
