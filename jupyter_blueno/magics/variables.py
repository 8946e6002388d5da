"""Which names a cell uses that it does not define itself."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Collection


def free_names(source: str) -> list[str]:
    """Names that a cell reads and gives no value to, in the order of the text; builtins are left out.

    Parameters
    ----------
    source : str
        Python, without magics.

    Returns
    -------
    list of str
        Empty where the text does not parse: the job will say why.
    """
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


def missing(source: str, kernel_names: Collection[str]) -> list[str]:
    """Names that a cell uses, that the kernel has, and that a job will not have."""
    return [name for name in free_names(source) if name in kernel_names]
