"""The kernel of a notebook that is a job, and who talks to it. Loaded where nbclient is installed."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys
import tempfile
import time
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.inside.capture import Outputs

FAILING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "failing.py")
SAVE_PERIOD = 2.0  # seconds between saves while a cell runs
ASKED = 3  # times; right after an error a kernel turns requests away
PATIENCE = 5.0  # seconds for the kernel to answer


class SameInterpreter(AsyncKernelManager):
    """A kernel of this very Python, whatever is registered on the machine."""

    @property
    def kernel_spec(self) -> Any:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python", display_name="Python")

    async def _async_interrupt_kernel(self) -> None:
        """Before it is shut down; it is idle then, and would complain of it in the log."""


class Client(NotebookClient):
    """Runs the cells; what they say goes into the job's log and outputs, what they are into a file."""

    def __init__(self, notebook: Any, path: str, outputs: Outputs) -> None:
        if os.name == "posix":
            # Its own sockets: the usual ones lie in the working folder, where others' are, too.
            self.sockets = tempfile.mkdtemp(prefix="blueno-")
            manager = SameInterpreter(transport="ipc", ip=os.path.join(self.sockets, "kernel"))
        else:
            manager = SameInterpreter(transport="tcp")
        super().__init__(notebook, km=manager, timeout=None, kernel_name="python3")
        self.path = path
        self.shown = outputs
        self.count = sum(cell.cell_type == "code" for cell in notebook.cells)
        self.done = 0
        self.saved = 0.0
        self.on_cell_executed = lambda cell, cell_index, execute_reply: self.finish(execute_reply)
        self.on_cell_error = lambda cell, cell_index, execute_reply: self.explain()

    def finish(self, reply: Any) -> None:
        if reply["content"]["status"] == "ok":
            self.done += 1
            reporting.progress(self.done, self.count, f"cell {self.done} of {self.count}")
        self.save()

    async def explain(self) -> None:
        """Ask the kernel for the line that failed and what its variables were."""
        with contextlib.suppress(Exception):
            for _ in range(ASKED):
                if found := await self.asked(f"__import__('runpy').run_path({FAILING!r})['of_kernel']()"):
                    reporting.keep_failure(json.loads(found), self.where().split(" of")[0].lower())
                    return

    async def asked(self, expression: str) -> str | None:
        """The text that an expression gives in the kernel."""
        kernel: Any = self.kc
        sent = kernel.execute("", silent=True, user_expressions={"it": expression})
        while True:
            reply = await kernel.shell_channel.get_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == sent:
                found = reply["content"].get("user_expressions", {}).get("it", {})
                text = found.get("data", {}).get("text/plain")
                return None if text is None else str(ast.literal_eval(text))

    def where(self) -> str:
        return f"Cell {min(self.done + 1, self.count)} of {self.count}"

    def save(self) -> None:
        temporary = self.path + ".new"
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(self.nb, file, indent=1, ensure_ascii=False)
            os.replace(temporary, self.path)
        except OSError:  # a full disk: the work goes on
            return
        self.saved = time.monotonic()

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        self.follow(msg["msg_type"], msg["content"])
        found = super().process_message(msg, cell, cell_index)
        if time.monotonic() - self.saved > SAVE_PERIOD:
            self.save()
        return found

    def follow(self, kind: str, content: Any) -> None:
        """What the kernel says also goes to the job's log and outputs."""
        if kind == "stream":
            stream = sys.stderr if content["name"] == "stderr" else sys.stdout
            stream.write(content["text"])
            stream.flush()
        elif kind in ("display_data", "execute_result", "update_display_data"):
            role = "result" if kind == "execute_result" else "display"
            name = content.get("transient", {}).get("display_id")
            update = kind == "update_display_data"
            self.shown.add(role, content["data"], content["metadata"], display_id=name, update=update)
        elif kind == "error":
            text = "\n".join(content["traceback"])
            self.shown.add(
                "error", {"text/plain": text}, {"ename": content["ename"], "evalue": content["evalue"]}
            )
            print(text, file=sys.stderr)
