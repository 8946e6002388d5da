"""The kernel of a notebook that is a job, and who talks to it. Loaded where nbclient is installed."""

from __future__ import annotations

import ast
import atexit
import contextlib
import json
import os
import sys
import time
from queue import Empty
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.inside.capture import Outputs
from jupyter_blueno.jobs.inside.early import Kernel
from jupyter_blueno.jobs.inside.unchecked import Unchecked

with Unchecked():
    import nbformat.reader
    import nbformat.v4.nbbase
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

formats: Any = nbformat  # nothing of it has types
formats.v4.nbbase.validate = lambda node, ref=None: None  # of each output

FAILING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "failing.py")
RECONNECT = 10  # ms between attempts to reach the kernel
SAVE_PERIOD = 2.0  # seconds between saves while a cell runs
ASKED = 3  # times; right after an error a kernel turns requests away
PATIENCE = 5.0  # seconds for the kernel to answer


def read(text: str) -> Any:
    """A notebook (format 4), each cell with the id that it must have."""
    notebook = formats.reader.reads(text)
    if notebook.nbformat_minor >= 5:
        for cell in notebook.cells:
            cell.setdefault("id", formats.v4.nbbase.random_cell_id())
    return notebook


class NotStarted(RuntimeError):
    """The kernel ended before it could be asked anything."""


class Talk(AsyncKernelClient):
    """What the kernel is asked and answers."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until it answers and is heard; not, as usual, until it has been silent for a while."""
        while True:
            self.kernel_info()
            with contextlib.suppress(Empty):
                await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)
                return
            if not await self._async_is_alive():
                raise NotStarted("The kernel did not start; the log says why.")

    wait_for_ready = _async_wait_for_ready


class Hold(AsyncKernelManager):
    """Jupyter's manager, of a kernel that was begun already."""

    def __init__(self, kernel: Kernel) -> None:
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT)  # its sockets may not be there yet
        super().__init__(context=context, client_factory=Talk, connection_file=kernel.file)
        connection: Any = kernel.connection
        self.load_connection_info(connection)
        hands: Any = LocalProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        hands.process = kernel.process
        hands.pid = hands.pgid = kernel.process.pid
        self.provisioner = hands
        self._connect_control_socket()

    @property
    def kernel_spec(self) -> Any:
        return KernelSpec(argv=[], language="python", display_name="Python")

    async def _async_interrupt_kernel(self) -> None:
        """Before it is shut down; it is idle then, and would complain of it in the log."""


class Client(NotebookClient):
    """Runs the cells; what they say goes into the job's log and outputs, what they are into a file."""

    def __init__(self, notebook: Any, kernel: Kernel, path: str, outputs: Outputs) -> None:
        super().__init__(notebook, km=Hold(kernel), timeout=None, kernel_name="python3")
        self.path = path
        self.shown = outputs
        self.count = sum(cell.cell_type == "code" for cell in notebook.cells)
        self.done = 0
        self.saved = 0.0
        self.on_cell_executed = lambda cell, cell_index, execute_reply: self.finish(execute_reply)
        self.on_cell_error = lambda cell, cell_index, execute_reply: self.explain()

    def run(self) -> str | None:
        """Run all cells; return what went wrong, in words."""
        try:
            # The kernel is ended by us, and kindly: else it finds itself orphaned, and says so in the log.
            self.execute(cleanup_kc=True)
        except CellExecutionError as error:
            return f"{self.where()}: {error.ename}: {str(error.evalue)[:300]}"
        except DeadKernelError:
            return f"{self.where()}: the kernel died; often the system ends it so when memory runs out."
        except NotStarted as error:
            atexit.unregister(self._cleanup_kernel)  # it was done, and not noted
            return str(error)
        finally:
            self.save()
        return None

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
