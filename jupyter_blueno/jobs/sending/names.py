"""Which names a cell uses that it does not define itself."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Collection, Iterable, Iterator

from jupyter_blueno.jobs.sending.magics import filled_in, readable


def free_names(source: str) -> list[str]:
    """Names that a cell reads and gives no value to, in the order of the text; builtins are left out.

    Parameters
    ----------
    source : str
        Python; what IPython makes of magics.

    Returns
    -------
    list of str
        Empty where the text does not parse: the job will say why.
    """
    source = readable(source)
    try:
        tree = ast.parse(source)
        table = symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return []
    defined = {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
    used: set[str] = set()
    _collect(table, used, defined)
    wanted = used - defined - set(dir(builtins)) - {"get_ipython", "display", "__file__"}
    order: dict[str, tuple[int, int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in wanted:
            place = (node.lineno, node.col_offset)
            order[node.id] = min(place, order.get(node.id, place))
    return sorted(wanted & order.keys(), key=order.__getitem__)


def used_names(source: str) -> list[str]:
    """`free_names`, and after them those that commands and magics fill in: ``!ls {folder}``."""
    names = free_names(source)
    return [*names, *(name for name in filled_in(source) if name not in names)]


def of_cell(source: str) -> list[str]:
    """`used_names` of a cell as it is in a notebook, with magics."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        from IPython.core.inputtransformer2 import TransformerManager

        try:
            source = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        except (SyntaxError, RecursionError, MemoryError):
            return []
    return used_names(source)


def _collect(table: symtable.SymbolTable, used: set[str], defined: set[str]) -> None:
    """Names that refer to the module's namespace, of a table and those inside of it."""
    top = table.get_type() == "module"
    for one in table.get_symbols():
        if one.is_global() and one.is_assigned() and one.is_declared_global():
            defined.add(one.get_name())
        if one.is_referenced() and (top or one.is_global()):
            used.add(one.get_name())
    for inner in table.get_children():
        _collect(inner, used, defined)


def undefined(source: str, known: Collection[str]) -> tuple[list[str], list[str]]:
    """Names that are defined nowhere: neither in the cell nor in `known`.

    Parameters
    ----------
    source : str
        Python; what IPython makes of magics.
    known : collection of str

    Returns
    -------
    surely, perhaps : list of str
        Those that the cell stumbles over whatever happens, and those in
        functions and branches that may never run. Both are empty where names
        may come from what cannot be read here: ``import *``, `exec`, a magic.
    """
    wanted = set(free_names(source)) - set(known)
    if not wanted:
        return [], []
    tree = ast.parse(readable(source))
    if any(_may_define(node) for node in ast.walk(tree)):
        return [], []
    sure = {
        node.id
        for statement in tree.body
        for expression in _always_run(statement)
        for node in _always_read(expression)
        if isinstance(node, ast.Name)
    }
    order = [name for name in free_names(source) if name in wanted]
    return [name for name in order if name in sure], [name for name in order if name not in sure]


def _may_define(node: ast.AST) -> bool:
    """Whether it may give values to names that are not in the text, or means to try."""
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names)
    if isinstance(node, ast.ExceptHandler):
        caught = "" if node.type is None else ast.unparse(node.type)
        return not caught or "NameError" in caught or "Exception" in caught
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        shell = called.startswith("get_ipython().") and called.split(".")[-1] not in {"system", "getoutput"}
        return shell or called in {"exec", "globals", "locals", "vars", "setattr"}
    return False


def _always_run(statement: ast.stmt) -> Iterator[ast.expr]:
    """Expressions of a statement that are reached whenever it is."""
    if isinstance(statement, ast.If | ast.While):
        yield statement.test
    elif isinstance(statement, ast.For):
        yield statement.iter
    elif isinstance(statement, ast.With):
        yield from (item.context_expr for item in statement.items)
        for inner in statement.body:
            yield from _always_run(inner)
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from statement.decorator_list
    elif isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Assert):
        yield from (one for one in ast.iter_child_nodes(statement) if isinstance(one, ast.expr))


def _always_read(expression: ast.expr) -> Iterator[ast.AST]:
    """An expression and the parts of it that are evaluated whenever it is."""
    yield expression
    if isinstance(expression, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return
    parts: Iterable[ast.AST] = ast.iter_child_nodes(expression)
    if isinstance(expression, ast.BoolOp):
        parts = expression.values[:1]
    elif isinstance(expression, ast.IfExp):
        parts = [expression.test]
    for part in parts:
        if isinstance(part, ast.keyword):
            part = part.value
        if isinstance(part, ast.expr):
            yield from _always_read(part)
