"""What IPython's magics read: Python that some of them run, and names that others fill in."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator

# Those that run Python in the cell's own namespace, with the options that have a value.
_CODE = {"time": "", "timeit": "nrp", "prun": "DlsT", "memit": "rti", "lprun": "fmDTsu", "capture": ""}
_FILLED_IN = {"run_line_magic", "run_cell_magic", "system", "getoutput"}
_DOLLAR = re.compile(r"(?<!\$)\$([A-Za-z_]\w*)")


def readable(source: str) -> str:
    """A cell as Python that gives and takes the names that it does when its magics are run.

    Parameters
    ----------
    source : str
        What IPython makes of a cell: ``get_ipython().run_line_magic('time', 'fit(x)')``.

    Returns
    -------
    str
        With ``fit(x)`` in the place of such a call; as it was where there is none.
    """
    if "get_ipython()" not in source:
        return source
    try:
        tree = ast.parse(source)
        return ast.unparse(ast.fix_missing_locations(_Unfolded().visit(tree)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def filled_in(source: str) -> list[str]:
    """Names that stand as ``{name}`` or ``$name`` in commands and magics of a cell that IPython read."""
    if "get_ipython()" not in source:
        return []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        called = _called(node)
        if called is None:
            continue
        method, texts = called
        # A cell magic's line is filled in, its body is not.
        for text in texts[:1] if method in {"system", "getoutput"} else texts[1:2]:
            found.update(dict.fromkeys(_DOLLAR.findall(text)))
            for expression in _braced(text):
                names = (one.id for one in ast.walk(expression) if isinstance(one, ast.Name))
                found.update(dict.fromkeys(names))
    return list(found)


def _braced(text: str) -> Iterator[ast.expr]:
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(text) if field]
    except ValueError:  # braces that mean something else: IPython leaves them as they are, too
        return
    for field in fields:
        try:
            yield ast.parse(field.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            continue


def _called(node: ast.AST) -> tuple[str, list[str]] | None:
    """Method and texts of a call ``get_ipython().run_line_magic('time', '…')``."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    shell = node.func.value
    if not (
        isinstance(shell, ast.Call) and isinstance(shell.func, ast.Name) and shell.func.id == "get_ipython"
    ):
        return None
    texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return (node.func.attr, texts) if node.func.attr in _FILLED_IN and texts else None


def _code(node: ast.AST) -> list[ast.stmt] | None:
    """What a magic runs as Python; None where it is another, or its text cannot be read."""
    called = _called(node)
    if called is None or called[1][0] not in _CODE or len(called[1]) < 2:
        return None
    method, (name, line, *rest) = called
    body = rest[0] if method == "run_cell_magic" and rest else ""
    options, line = _split(line, _CODE[name])
    if name == "capture":  # its line names what gets the output
        line = "".join(f"{word} = None\n" for word in line.split() if word.isidentifier())
    wanted = [value for letter, value in options if name == "lprun" and letter in "fm"]
    try:
        statements = ast.parse("\n".join([*wanted, line])).body
        inner: ast.Module = _Unfolded().visit(ast.parse(_plain(body)))
    except (SyntaxError, ValueError):
        return None
    return [*statements, *inner.body] or [ast.Pass()]


def _plain(body: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        ast.parse(body)
    except SyntaxError:  # magics in it
        return TransformerManager().transform_cell(body)  # type: ignore[no-untyped-call]
    return body


def _split(line: str, valued: str) -> tuple[list[tuple[str, str]], str]:
    """Options at the beginning of a magic's line, and what follows them."""
    options = []
    while found := re.match(r"\s*(?:--(\w[\w-]*)|-(\w)([^\s]*))(?:\s+|$)", line):
        long, letter, value = found.groups()
        line = line[found.end() :]
        if long is None and letter in valued and not value:
            value, _, line = line.lstrip().partition(" ")
        options.append((long or letter, value or ""))
    return options, line.strip()


class _Unfolded(ast.NodeTransformer):
    """Puts what a magic runs in the place of its call."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        code = _code(node.value)
        return node if code is None else code

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        code = _code(node.value)
        if code is None:
            return node
        node.value = ast.Constant(None)
        return [*code, node]
