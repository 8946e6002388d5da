"""The variables that a cell uses: found in the kernel, measured, and taken along, or refused by name."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Collection, Mapping
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle

from jupyter_blueno.client.look import size
from jupyter_blueno.client.travelling import advice, described
from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.jobs.sending.amounts import parse_bytes
from jupyter_blueno.jobs.sending.names import used_names

LIMIT = 64 * 10**6  # bytes; larger data belongs in a file or a dataset
MOST = 190 * 10**6  # what a request holds, written as text
PLAIN_LENGTH = 1000  # characters of a text that is shown as a parameter
TOLD = 12  # names in the line that says what goes along


class Taken:
    """What a cell takes along.

    Attributes
    ----------
    parameters : dict
        Plain values by name: numbers and short texts, which can be seen and
        changed.
    payload : str or None
        The others: pairs of name and value, pickled one after another, base64.
    sizes : dict
        Name → (what it is, bytes), also of the plain ones.
    """

    def __init__(
        self, parameters: dict[str, Any], payload: str | None, sizes: dict[str, tuple[str, int]]
    ) -> None:
        self.parameters = parameters
        self.payload = payload
        self.sizes = sizes

    def __repr__(self) -> str:
        if not self.sizes:
            return "The cell takes no variables along."
        words = []
        for name, (what, length) in list(self.sizes.items())[:TOLD]:
            plain = name in self.parameters
            words.append(
                f"{name} = {self.parameters[name]!r:.40}" if plain else f"{name} ({what}, {size(length)})"
            )
        if len(self.sizes) > TOLD:
            words.append(f"and {len(self.sizes) - TOLD} more")
        total = sum(length for _, length in self.sizes.values())
        return f"Taken along: {', '.join(words)}; {size(total)} in all."


def limit_of(text: float | str | None) -> int:
    """Bytes that may be taken along: ``"200M"``, or 0 for nothing.

    Raises
    ------
    InvalidInput
    """
    if text is None:
        return LIMIT
    if str(text).strip() in {"0", "none"}:
        return 0
    found = parse_bytes(text)
    if found is None or found < 0:
        raise InvalidInput(
            f"{text!r} is not an amount. Write how much may be taken along, such as '200M', or 0.",
            code="bad_limit",
        )
    if found > MOST:
        raise InvalidInput(
            f"At most {size(MOST)} of variables can be taken along. Save larger ones to a file, or make them "
            "a dataset, and load them in the cell.",
            code="bad_limit",
        )
    return int(found)


class Survey:
    """What a cell uses of a namespace, measured, with what its functions and classes use.

    Parameters
    ----------
    source : str
        Python; what IPython makes of magics.
    namespace : mapping
        The kernel's; best the very dictionary, so that functions are known
        to be of it.
    limit : int
        Bytes that may travel in all.
    hidden : collection of str
        Names that stay: the kernel's own, and those that are to be left out.

    Attributes
    ----------
    parameters : dict
        Plain values by name.
    sizes : dict
        Name → (what it is, bytes).
    refused : dict
        Name → why it cannot be sent, and what to do.
    """

    def __init__(
        self, source: str, namespace: Mapping[str, Any], limit: int = LIMIT, hidden: Collection[str] = ()
    ) -> None:
        self.namespace = namespace
        self.names = [name for name in used_names(source) if name in namespace and name not in hidden]
        self.parameters: dict[str, Any] = {}
        self.sizes: dict[str, tuple[str, int]] = {}
        self.refused: dict[str, str] = {}
        for name in self.names:  # grows: what they use themselves
            value = namespace[name]
            if _is_plain(value):
                self.parameters[name] = value
                self.sizes[name] = described(value), len(repr(value))
                continue
            found = advice(name, value)
            if found is None:
                length, used, found = _measured(name, value, namespace, limit)
                self.names += [one for one in used if one not in self.names and one not in hidden]
                self.sizes[name] = described(value), length
            if found is not None:
                self.refused[name] = f"{described(value)}{_of(self.sizes.get(name))}: {found}"
        total = sum(length for _, length in self.sizes.values())
        if not self.refused and total > limit:
            self.refused = _largest(self.sizes, limit)

    def taken(self) -> Taken:
        """Pack it.

        Raises
        ------
        InvalidInput
            ``not_picklable``: some cannot be sent. Each is named, with what to do.
        TooLarge
            ``payload_too_large``: some are too large, or all together.
        """
        if self.refused:
            raise _refusal(self.refused, all("larger than" in why for why in self.refused.values()))
        others = [name for name in self.names if name not in self.parameters]
        return Taken(self.parameters, _packed(others, self.namespace) if others else None, self.sizes)


def take(
    source: str, namespace: Mapping[str, Any], limit: int = LIMIT, hidden: Collection[str] = ()
) -> Taken:
    """Find what a cell uses of a namespace, and pack it: see `Survey` and what its `Survey.taken` raises."""
    return Survey(source, namespace, limit, hidden).taken()


def _of(measured: tuple[str, int] | None) -> str:
    return f", {size(measured[1])}" if measured and measured[1] else ""


def _is_plain(value: Any) -> bool:
    """Whether JSON brings it back just as it is."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is int:
        return abs(value) < 2**53
    return value is None or type(value) is bool or (type(value) is str and len(value) <= PLAIN_LENGTH)


def _measured(
    name: str, value: Any, namespace: Mapping[str, Any], limit: int
) -> tuple[int, list[str], str | None]:
    """Bytes of its pickle, the names that its functions use, and why it cannot be sent."""
    file = _Counter(limit)
    pickler = _Pickler(file, namespace)
    large = getattr(value, "nbytes", 0)
    try:
        if isinstance(large, int) and large > limit:
            raise _Full
        pickler.dump((name, value))
    except _Full:
        length = large if isinstance(large, int) and large > limit else 0
        return length, [], f"larger than the {size(limit)} that go along. {_elsewhere(name, value)}"
    except Exception as error:  # whatever __reduce__ of a stranger's class raises
        why = str(error).strip().splitlines()
        reason = f" ({why[0][:120]})" if why else ""
        return (
            0,
            [],
            f"it cannot be copied{reason}. Make it in the cell, from a path, a name or plain values.",
        )
    return file.count, pickler.names, None


def _elsewhere(name: str, value: Any) -> str:
    """How data that is too large gets into a job."""
    kind = type(value).__module__.partition(".")[0] + "." + type(value).__name__
    if kind == "numpy.ndarray":
        save, load = f"np.save('{name}.npy', {name})", f"{name} = np.load('{name}.npy')"
    elif kind == "pandas.DataFrame":
        save = f"{name}.to_parquet('{name}.parquet')"
        load = f"{name} = pd.read_parquet('{name}.parquet')"
    elif kind.startswith("torch."):
        save, load = f"torch.save({name}, '{name}.pt')", f"{name} = torch.load('{name}.pt')"
    else:
        return "Save it to a file and load that in the cell, or make it in the cell."
    pixels = (
        " Pixels may become a dataset: blueno.ingest." if kind == "numpy.ndarray" and value.ndim > 2 else ""
    )
    return f"Save it here, {save}, and load it in the cell: {load}.{pixels}"


def _largest(sizes: dict[str, tuple[str, int]], limit: int) -> dict[str, str]:
    """The few that make it too much."""
    left = sum(length for _, length in sizes.values())
    found = {}
    for name, (what, length) in sorted(sizes.items(), key=lambda one: -one[1][1]):
        if left <= limit:
            break
        left -= length
        found[name] = f"{what}, {size(length)}: all together are larger than the {size(limit)} that go along."
    return found


def _refusal(refused: dict[str, str], only_size: bool) -> InvalidInput | TooLarge:
    count = "a variable that the cell uses" if len(refused) == 1 else f"{len(refused)} variables that it uses"
    lines = [f"Nothing was started: the job cannot take along {count}."]
    lines += [f"  {name} – {why}" for name, why in refused.items()]
    if any("larger than" in why for why in refused.values()):
        lines.append(f"More may go along when it is asked for, up to {size(MOST)}: --variables 150M.")
    lines.append(f"To leave them out: --without {','.join(refused)}.")
    text = "\n".join(lines)
    return TooLarge(text, code="payload_too_large") if only_size else InvalidInput(text, code="not_picklable")


def _packed(names: list[str], namespace: Mapping[str, Any]) -> str:
    """All in one pickler, so that what two of them share is still one thing."""
    file = io.BytesIO()
    pickler = _Pickler(file, namespace)
    for name in names:
        pickler.dump((name, namespace[name]))
    return base64.b64encode(file.getbuffer()).decode("ascii")


class _Full(Exception):
    """More was written than may travel."""


class _Counter(io.RawIOBase):
    """Counts what is written, and stops where it is too much: nothing large is copied to be measured."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    def write(self, data: Any) -> int:
        length = memoryview(data).nbytes
        self.count += length
        if self.count > self.limit:
            raise _Full
        return length


class _JobGlobals:
    """Pickled, it is the job's own namespace: its functions see what the cell there does to a variable."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return eval, ("__import__('__main__').__dict__",)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles functions of a namespace without the variables that they use, and notes their names."""

    def __init__(self, file: Any, namespace: Mapping[str, Any]) -> None:
        super().__init__(file)
        self.namespace = namespace
        self.names: list[str] = []
        self.globals_ref[id(namespace)] = _JobGlobals()

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, ModuleType) and value.__name__ == "__main__":
            return eval, ("__import__('__main__')",)
        reduced = super().reducer_override(value)
        if (
            isinstance(value, FunctionType)
            and value.__globals__ is self.namespace
            and reduced is not NotImplemented
        ):
            slots = reduced[2][1]
            self.names += slots["__globals__"]
            slots["__globals__"] = {}
        return reduced
