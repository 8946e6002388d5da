"""What a job may be given otherwise: a notebook's parameters, a function's arguments, a command's words."""

from __future__ import annotations

import ast
import difflib
import io
import json
import math
import shlex
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import msgspec

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import Form, JobSpec, Parameter, ParameterType

_NAMED: dict[type, ParameterType] = {bool: "bool", int: "int", float: "float", str: "str"}
_SHOWN = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text"}


def form_of(name: str, spec: JobSpec) -> Form:
    """The values that work was given, as they may be changed to run it again."""
    return Form(
        name,
        spec.kind,
        parameters_of(spec),
        spec.resources,
        shlex.join(spec.command) if spec.kind == "command" else None,
        spec.python,
        spec.requirements,
    )


def parameters_of(spec: JobSpec) -> list[Parameter]:
    """The parameters of some work, with the values that it was given."""
    found: list[Parameter] = []
    if spec.kind == "function":
        found = spec.arguments
    elif spec.kind == "notebook":
        found = of_notebook(spec.source or "")
    known = {one.name for one in found}
    found = [
        msgspec.structs.replace(one, value=spec.parameters[one.name], fixed=False)
        if one.name in spec.parameters
        else one
        for one in found
    ]
    others = [of_value(name, value) for name, value in spec.parameters.items() if name not in known]
    return found + others


def of_value(name: str, value: Any) -> Parameter:
    """A parameter about which nothing is known but its value."""
    return Parameter(name, type_of(value), value)


def type_of(value: Any) -> ParameterType:
    return _NAMED.get(type(value), "json")


def of_notebook(source: str) -> list[Parameter]:
    """What the cell tagged ``parameters`` sets: names, values, types and the comments beside or above.

    A value that is computed has no `value`: its text is the `default`.
    """
    text = _tagged(source)
    tree = None if text is None else _parsed(text)
    if text is None or tree is None:
        return []
    comments = _comments(text)
    found: dict[str, Parameter] = {}
    for node in tree.body:
        said = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else None
        for name, value_node in _assigned(node):
            value, plain = _literal(value_node)
            found[name] = Parameter(
                name,
                _type(said, value, plain),
                value,
                default=None if value_node is None else ast.get_source_segment(text, value_node),
                help=_help(comments, node),
                required=value_node is None,
                typed=said in get_args(ParameterType),
            )
    for inner in ast.walk(tree):  # in an ``if``, a loop
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.id not in found:
            found[inner.id] = Parameter(inner.id)
    return list(found.values())


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that a statement sets, each with its value."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    for target in node.targets if isinstance(node, ast.Assign) else []:
        value = node.value  # type: ignore[attr-defined]
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            same = len(target.elts) == len(value.elts)
            pairs = list(zip(target.elts, value.elts, strict=True)) if same else []
        yield from ((name.id, one) for name, one in pairs if isinstance(name, ast.Name))


def has_parameters_cell(source: str) -> bool:
    """Whether it has one that can be read: without magics."""
    text = _tagged(source)
    return text is not None and _parsed(text) is not None


def _tagged(source: str) -> str | None:
    for cell in json.loads(source)["cells"]:
        tags = (cell.get("metadata") or {}).get("tags") or []
        if cell["cell_type"] == "code" and "parameters" in tags:
            return "".join(cell["source"])
    return None


def _literal(node: ast.expr | None) -> tuple[Any, bool]:
    """A value that JSON can hold, and whether it is one."""
    if node is None:
        return None, False
    try:
        value = ast.literal_eval(node)
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None, False
    return value, True


def _type(said: str | None, value: Any, plain: bool) -> ParameterType:
    if said in get_args(ParameterType):
        return said  # type: ignore[return-value]
    return type_of(value) if plain and said is None else "json"


def _comments(text: str) -> dict[int, tuple[str, bool]]:
    """Line → its comment, and whether the line holds nothing else."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                alone = not token.line[: token.start[1]].strip()
                found[token.start[0]] = (token.string.lstrip("# ").strip(), alone)
    except (tokenize.TokenError, IndentationError):
        pass
    return found


def _help(comments: Mapping[int, tuple[str, bool]], node: ast.stmt) -> str | None:
    """The comment at the end of an assignment, else those in the lines just above it."""
    beside, alone = comments.get(node.end_lineno or node.lineno, ("", True))
    if beside and not alone:
        return beside
    above: list[str] = []
    line = node.lineno - 1
    while comments.get(line, ("", False))[1]:
        above.insert(0, comments[line][0])
        line -= 1
    return " ".join(above) or None


# -- checking ---------------------------------------------------------------------


def check_notebook(source: str, given: Mapping[str, Any]) -> None:
    """Refuse values for parameters that the notebook does not have, or of another type.

    Raises
    ------
    InvalidInput
        ``unknown_parameter`` with the nearest name, or ``bad_parameter``.
    """
    if not given:
        return
    declared = of_notebook(source)
    if has_parameters_cell(source):
        check_values(declared, given, "the notebook")
        return
    cells = json.loads(source)["cells"]
    words = {
        token for cell in cells if cell["cell_type"] == "code" for token in _names("".join(cell["source"]))
    }
    for name in given:
        if name not in words:
            raise InvalidInput(
                f"No cell of the notebook uses {name!r}.{_nearest(name, words)} Tag the cell that sets its "
                "parameters 'parameters', and they are known.",
                code="unknown_parameter",
            )


def check_values(declared: Iterable[Parameter], given: Mapping[str, Any], whose: str) -> None:
    """Refuse values that none of the parameters takes.

    Raises
    ------
    InvalidInput
    """
    known = {one.name: one for one in declared}
    for name, value in given.items():
        if name not in known:
            there = f"It has {', '.join(known)}." if known else "It has none."
            raise InvalidInput(
                f"{whose[0].upper()}{whose[1:]} has no parameter {name!r}.{_nearest(name, known)} {there}",
                code="unknown_parameter",
            )
        _check_value(known[name], value)


def _check_value(parameter: Parameter, value: Any) -> None:
    kind = parameter.type if parameter.typed else "json"
    if parameter.fixed:
        raise InvalidInput(
            f"{parameter.name} was sent as it was ({parameter.value}) and cannot be changed here. Submit it "
            "anew from Python.",
            code="bad_parameter",
        )
    if parameter.choices and value not in parameter.choices:
        raise InvalidInput(
            f"{parameter.name} is {value!r}; it can be {', '.join(map(repr, parameter.choices))}.",
            code="bad_parameter",
        )
    fits = {
        "int": type(value) is int or (type(value) is float and value.is_integer()),
        "float": type(value) in (int, float) and math.isfinite(value),
        "bool": type(value) is bool,
        "str": type(value) is str,
    }.get(kind, True)
    if not fits and value is not None:
        raise InvalidInput(f"{parameter.name} is {value!r}, and takes {_SHOWN[kind]}.", code="bad_parameter")


def _names(text: str) -> set[str]:
    """Words of a cell that may be names, also where it has magics."""
    try:
        return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    except (SyntaxError, ValueError, RecursionError):
        import re

        return set(re.findall(r"[A-Za-z_]\w*", text))


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def changed(spec: JobSpec, values: Mapping[str, Any], command_line: str | None) -> JobSpec:
    """The same work with other values.

    Raises
    ------
    InvalidInput
        If it does not take them.
    """
    if command_line is not None:
        if spec.kind != "command":
            raise InvalidInput("Only a command has a command line; give values by name.", code="job_spec")
        try:
            words = shlex.split(command_line)
        except ValueError as error:
            raise InvalidInput(f"The command line is not complete: {error}.", code="job_spec") from None
        spec = msgspec.structs.replace(spec, command=words)
    if values:
        if spec.command:
            raise InvalidInput("A command has no parameters; change its words.", code="unknown_parameter")
        declared = parameters_of(spec)
        if spec.kind != "notebook" or has_parameters_cell(spec.source or ""):
            whose = {"function": "the function", "notebook": "the notebook"}.get(spec.kind, "the cell")
            check_values(declared, values, whose)
        spec = msgspec.structs.replace(spec, parameters={**spec.parameters, **values})
    return spec
