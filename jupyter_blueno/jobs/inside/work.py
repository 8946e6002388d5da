"""The kinds of work that run inside the job's process: a cell, a function, a notebook."""

from __future__ import annotations

import _ast as ast  # the trees only: what reads and prints them takes longer to import
import os
import sys

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.inside import reporting, shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from jupyter_blueno.jobs.inside.capture import Outputs

SHOWN = 1_000_000  # characters of a text, or bytes: of longer ones only the beginning is shown
LONG = 10_000  # the same of items
PLAIN = (str, bytes, bool, int, float, complex, type(None))
LINE = 79  # a container's repr that fits is shown as it is, without IPython's pretty printer


class Ended:
    """The exit code, and what to say of it."""

    def __init__(self, code: int = 0, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason


def run(spec: dict[str, Any], folder: str, module: ModuleType, outputs: Outputs) -> Ended:
    """Do the work of `spec`; never raises."""
    shell.prepare(module, outputs)
    kind = spec["kind"]
    try:
        if kind == "function":
            return run_function(spec, folder, outputs)
        if kind == "notebook":
            from jupyter_blueno.jobs.inside.notebook import run_notebook

            trouble = run_notebook(spec, folder, outputs)
            return Ended(0 if trouble is None else 1, trouble)
        if kind == "command":
            return run_script(folder, module)
        return run_cell(spec, folder, module, outputs)
    except SystemExit as error:
        return _exited(error)
    except BaseException as error:
        show_error(error, outputs)
        return Ended(1, in_words(error))


def run_cell(spec: dict[str, Any], folder: str, module: ModuleType, outputs: Outputs) -> Ended:
    """Run a cell's text; as plain Python where it is that, else by IPython."""
    source = spec["source"]
    if spec.get("payload") and (trouble := load_variables(spec["payload"], module)):
        return Ended(1, trouble)
    module.__dict__.update(spec.get("parameters") or {})
    file_name = os.path.join(folder, "code", "cell.py")
    tree = _parsed(source, file_name)
    if tree is None:
        return _run_in_ipython(source)
    last = None
    end = tree.body[-1] if tree.body else None
    if isinstance(end, ast.Expr) and not source.rstrip().endswith(";"):
        tree.body.pop()
        last = ast.Expression(end.value)
    exec(compile(tree, file_name, "exec"), module.__dict__)
    if last is not None:
        show_value(eval(compile(last, file_name, "eval"), module.__dict__), outputs)
    shell.flush()
    return Ended()


def _parsed(source: str, file_name: str) -> ast.Module | None:
    """The text as plain Python; None where it is not, as with magics."""
    try:
        tree: ast.Module = compile(source, file_name, "exec", ast.PyCF_ONLY_AST)  # type: ignore[assignment]
        compile(tree, file_name, "exec")
    except SyntaxError:
        return None
    return tree


def run_script(folder: str, module: ModuleType) -> Ended:
    """Run the script of the snapshot as ``python script.py`` would run the file that it was."""
    script = lean.read_json(os.path.join(folder, "run.json"))["script"]
    path = script["path"]
    kept = os.path.join(folder, "code", script["name"])
    sys.argv[:] = script["argv"]
    sys.path[1:2] = [os.path.dirname(path)]  # after the snapshot's, in the place of the working folder
    if os.path.dirname(script["name"]):
        sys.path.insert(0, os.path.dirname(kept))
    with open(kept, "rb") as file:
        source = file.read()
    module.__dict__.update(__file__=path, __cached__=None)
    exec(compile(source, path, "exec"), module.__dict__)
    shell.flush()
    return Ended()


def load_variables(payload: str, module: ModuleType) -> str | None:
    """Give the cell what it took along: pairs of name and value; return what went wrong, in words."""
    import base64
    import io
    import pickle

    file = io.BytesIO(base64.b64decode(payload))
    reader = pickle.Unpickler(file)  # one for all: what two of them share is one thing
    last = None
    try:
        while file.tell() < len(file.getbuffer()):
            last, module.__dict__[last] = reader.load()
    except Exception as error:
        after = f" after {last!r}" if last else ""
        reason = f"A variable{after} could not be loaded in the job: {in_words(error)}"
        print(reason, file=sys.stderr)
        return reason
    return None


def _run_in_ipython(source: str) -> Ended:
    try:
        interactive = shell.needed()
    except ImportError:
        reason = (
            "The cell uses notebook syntax, and the job's Python has no IPython; install 'ipython' there."
        )
        print(reason, file=sys.stderr)
        return Ended(1, reason)
    result = interactive.run_cell(source, store_history=False)
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, SystemExit):
        return _exited(error)
    if error is None:
        return Ended()
    reporting.failure(error)
    return Ended(1, in_words(error))


def run_function(spec: dict[str, Any], folder: str, outputs: Outputs) -> Ended:
    """Call the function of the payload; keep its value, or what it raised."""
    import base64
    import pickle

    try:
        import cloudpickle
    except ImportError:
        reason = "The job's Python has no 'cloudpickle', which carries functions; install it there."
        print(reason, file=sys.stderr)
        return Ended(1, reason)
    try:
        function, args, kwargs = pickle.loads(base64.b64decode(spec["payload"]))
    except Exception as error:
        show_error(error, outputs)
        return Ended(1, f"The function could not be loaded in the job: {in_words(error)}")
    if given := sys.modules.get("jupyter_blueno.jobs.inside.given"):
        given.forget()  # what was given belongs to the function alone now
    if spec.get("parameters"):
        args, kwargs = with_values(function, args, kwargs, spec["parameters"])
    try:
        value = function(*args, **kwargs)
        if hasattr(value, "__await__"):
            import asyncio

            value = asyncio.run(_awaited(value))
    except Exception as error:
        _lend_source(function, spec.get("source"))
        show_error(error, outputs)
        from jupyter_blueno.jobs.inside.keeping import keep

        keep(os.path.join(folder, "error.pickle"), error.with_traceback(None), cloudpickle)
        return Ended(1, in_words(error))
    from jupyter_blueno.jobs.inside.keeping import keep

    if "BLUENO_TRIAL" in os.environ:
        measure(value)
    trouble = keep(os.path.join(folder, "result.pickle"), value, cloudpickle)
    if value is not None:
        show_value(value, outputs)
    shell.flush()
    if trouble:
        return Ended(0, f"The value could not be kept, only its text: {trouble}")
    return Ended()


def measure(value: Any) -> None:
    """Log what a trial of a sweep returned: a number as ``value``, of a dictionary its numbers by name."""
    from jupyter_blueno.jobs.inside import metrics

    named = value if isinstance(value, dict) else {"value": value}
    numbers = {
        name: one for name, one in named.items() if isinstance(one, int | float) or hasattr(one, "item")
    }
    metrics.log_metrics(numbers)


def with_values(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], values: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call's arguments, with some values changed by name."""
    import inspect

    call = inspect.signature(function).bind(*args, **kwargs)
    parameters = call.signature.parameters
    others = next((one.name for one in parameters.values() if one.kind is one.VAR_KEYWORD), None)
    for name, value in values.items():
        if name in parameters and name != others:
            call.arguments[name] = value
        elif others is not None:
            call.arguments.setdefault(others, {})[name] = value
    return call.args, call.kwargs


def show_value(value: Any, outputs: Outputs) -> None:
    """Keep a value as a cell's last line shows it."""
    if value is None:
        return
    if isinstance(value, str | bytes | bytearray) and len(value) > SHOWN:
        kind = type(value).__name__
        outputs.add("result", {"text/plain": f"{value[:LINE]!r}… ({kind} of {len(value):,} in all)"})
        return
    rich = not isinstance(value, PLAIN) and (
        shell.existing() is not None
        or any(
            hasattr(value, name)
            for name in ("_repr_html_", "_repr_mimebundle_", "_ipython_display_", "_repr_png_")
        )
    )
    if isinstance(value, list | tuple | set | dict) and len(value) > LONG:
        rich = True  # IPython shows the beginning, and says that there is more
    text = None if rich else repr(value)
    if rich or (text is not None and len(text) > LINE and not isinstance(value, PLAIN)):
        try:
            shell.needed().displayhook(value)
            return
        except ImportError:
            import reprlib

            text = reprlib.repr(value)
    outputs.add("result", {"text/plain": text})


def show_error(error: BaseException, outputs: Outputs) -> None:
    """Keep a traceback, and print it to the log; frames of ours are left out."""
    reporting.failure(error)
    trace = error.__traceback__
    here = os.path.dirname(os.path.abspath(__file__))
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(here):
        trace = trace.tb_next
    try:
        from IPython.core.ultratb import FormattedTB

        formatter = FormattedTB(mode="Context", theme_name="neutral")  # type: ignore[no-untyped-call]
        text = formatter.stb2text(formatter.structured_traceback(type(error), error, trace))
    except Exception:  # no IPython here, an older one, or no memory left
        import traceback

        text = "".join(traceback.format_exception(type(error), error, trace))
    outputs.add("error", {"text/plain": text}, {"ename": type(error).__name__, "evalue": str(error)[:2000]})
    print(text, file=sys.stderr)


def in_words(error: BaseException) -> str:
    """One line about an exception."""
    if isinstance(error, MemoryError):
        return "It ran out of memory; run it again with a higher memory limit, or with smaller batches."
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted."
    if isinstance(error, EOFError) and "reading a line" in str(error):
        return "It asked for input, and a background job has nobody to ask."
    message = str(error).strip().splitlines()
    return f"{type(error).__name__}: {message[0][:300]}" if message else type(error).__name__


def _lend_source(function: Any, source: str | None) -> None:
    """Let tracebacks show a function's lines, although its notebook is not here."""
    import linecache

    code = getattr(getattr(function, "func", function), "__code__", None)
    if code is None or not source or linecache.getlines(code.co_filename):
        return
    lines = [""] * (code.co_firstlineno - 1) + source.splitlines()
    linecache.cache[code.co_filename] = (len(source), None, [line + "\n" for line in lines], code.co_filename)


def _exited(error: SystemExit) -> Ended:
    if error.code is None or error.code == 0:
        return Ended()
    if isinstance(error.code, int):
        return Ended(error.code & 0xFF or 1)
    print(error.code, file=sys.stderr)
    return Ended(1, f"It left by sys.exit: {str(error.code)[:300]}")


async def _awaited(value: Any) -> Any:
    return await value
