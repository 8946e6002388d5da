"""An IPython in the job's process, whose displays become the job's outputs.

IPython takes 0.3 s to import: it is made on first need, which is a magic, a rich
value, or the user's own import of IPython (matplotlib's inline backend does).
"""

from __future__ import annotations

import builtins
import importlib.machinery
import os
import sys

from jupyter_blueno.jobs.inside.afterimport import AfterImport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from jupyter_blueno.jobs.inside.capture import Outputs

_shell: Any = None
_maker: Callable[[], Any]


def prepare(module: ModuleType, outputs: Outputs) -> None:
    """Let `display`, `get_ipython` and any import of IPython make the shell."""

    global _maker

    def make() -> Any:
        global _shell
        import IPython  # noqa: F401 - its first import comes back here

        if _shell is None:
            _shell = _make(module, outputs)
        return _shell

    def display(*values: Any, **options: Any) -> Any:
        make()
        from IPython.display import display as show

        return show(*values, **options)  # type: ignore[no-untyped-call]

    builtins.display = display  # type: ignore[attr-defined]
    _maker = make
    if _exists("IPython"):  # without it, libraries that find this name would call it and fail
        builtins.get_ipython = make  # type: ignore[attr-defined]
    AfterImport({"IPython": lambda _: make()}).install()
    os.environ.setdefault("PLOTLY_RENDERER", "plotly_mimetype")
    if "MPLBACKEND" not in os.environ and _exists("matplotlib_inline"):
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"


def existing() -> Any:
    """The shell, if it was made."""
    return _shell


def needed() -> Any:
    """The shell, made now if it was not.

    Raises
    ------
    ImportError
        If this environment has no IPython.
    """
    return _maker()


def flush() -> None:
    """Show the figures that are open, as after a cell of a notebook."""
    if _shell is not None:
        _shell.events.trigger("post_execute")


def _make(module: ModuleType, outputs: Outputs) -> Any:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Publisher(DisplayPublisher):
        def publish(
            self,
            data: Any,
            metadata: Any = None,
            source: Any = None,
            *,
            transient: Any = None,
            update: Any = False,
            **_: Any,
        ) -> None:
            name = (transient or {}).get("display_id")
            outputs.add("display", data, metadata, display_id=name, update=update)

        def clear_output(self, wait: bool = False) -> None:
            outputs.clear(wait)

    class Hook(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            if format_dict:
                outputs.add("result", format_dict, md_dict)

        def finish_displayhook(self) -> None:
            self._is_active = False

    class Shell(InteractiveShell):
        display_pub_class = Publisher
        displayhook_class = Hook

        def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
            text = self.InteractiveTB.stb2text(stb)
            outputs.add("error", {"text/plain": text}, {"ename": etype.__name__, "evalue": str(evalue)})
            print(text, file=sys.stderr)

        def init_sys_modules(self) -> None:
            self._main_mod_cache = {}  # the user's module is already where it belongs

        def enable_gui(self, gui: Any = None) -> None:
            pass

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "neutral"  # readable on light and on dark
    private = os.path.join(os.path.dirname(outputs.folder), ".ipython")
    made = Shell.instance(config=settings, user_module=module, user_ns=module.__dict__, ipython_dir=private)
    formatter: Any = made.display_formatter
    formatter.active_types = list(formatter.formatters)
    return made


def _exists(name: str) -> bool:
    return importlib.machinery.PathFinder.find_spec(name) is not None
