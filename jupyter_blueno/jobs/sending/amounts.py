"""What a job may use, as people write it: ``"8G"``, ``"512 MB"``, ``"2h"``.

The rules are here alone: Python, the magic, the command, requests over HTTP and
the forms of Lab are all refused by the same sentence.
"""

from __future__ import annotations

import builtins
import difflib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.engine import retrying
from jupyter_blueno.jobs.engine.entries import LEAST, MOST, MOST_RETRIES
from jupyter_blueno.jobs.model import Resources

_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WORDS = {"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "hr": "h", "day": "d"}

LEAST_MEMORY = 64 * 10**6  # bytes; in less no Python starts
MOST_MEMORY = 100 * 10**12
SHORTEST, LONGEST = 0.1, 365 * 86400.0  # seconds
MOST_CPU = 4096
MOST_GPU = 1024
MOST_WORKERS = 256


def parse_resources(
    gpu: int | str | None = 0,
    cpu: float | str | None = None,
    memory: float | str | None = None,
    timeout: float | str | timedelta | None = None,
    priority: int | str | None = 0,
    retries: int | str | None = 0,
    retry_on: str | type[BaseException] | Iterable[str | type[BaseException]] | None = (),
    workers: int | str | None = 1,
) -> Resources:
    """Check and convert what a job may use, and how soon.

    Raises
    ------
    InvalidInput
        With a sentence that shows a right value.
    """
    return Resources(
        cpu=parse_cpu(cpu),
        memory=parse_memory(memory),
        gpu=parse_gpu(gpu),
        timeout=parse_timeout(timeout),
        priority=parse_priority(priority),
        retries=parse_retries(retries),
        retry_on=_with_retries(parse_retry_on(retry_on), parse_retries(retries)),
        workers=parse_workers(workers),
    )


def check(asked: Resources) -> None:
    """Refuse numbers that cannot be.

    Raises
    ------
    InvalidInput
    """
    parse_resources(**{name: getattr(asked, name) for name in asked.__struct_fields__})


def in_numbers(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with numbers in the place of texts; what has another name stays.

    Raises
    ------
    InvalidInput
    """
    read = {
        "cpu": parse_cpu,
        "memory": parse_memory,
        "gpu": parse_gpu,
        "timeout": parse_timeout,
        "priority": parse_priority,
        "retries": parse_retries,
        "retry_on": parse_retry_on,
        "workers": parse_workers,
    }
    return {
        name: given if given is None or name not in read else read[name](given)
        for name, given in asked.items()
    }


def parse_memory(text: float | str | None) -> int | None:
    """Bytes of ``"8G"``, ``"512 MB"``, ``"1.5GiB"`` or a number; None stays None."""
    if text is None:
        return None
    amount = parse_bytes(text)
    if amount is None:
        raise InvalidInput(
            f"memory={text!r} is not an amount of memory. Write a number and a unit, "
            "such as '8G', '512 MB' or '1.5GiB'.",
            code="bad_memory",
        )
    if not LEAST_MEMORY <= amount <= MOST_MEMORY:
        alone = _number(str(text))
        hint = f" Did you mean '{alone:g}G'?" if alone is not None and 0 < alone <= 4096 else ""
        raise InvalidInput(
            f"memory={text!r} is {written(amount)}; a job takes between 64 MB and 100 TB, "
            f"such as '8G'.{hint}",
            code="bad_memory",
        )
    return int(amount)


def parse_bytes(text: float | str) -> float | None:
    """Bytes of ``"8G"``; None if it is no such amount.

    K, M, G, T are powers of 1000; Ki, Mi, Gi, Ti powers of 1024.
    """
    match = re.fullmatch(r"\s*([+-]?[\d._]+(?:[eE][+-]?\d+)?)\s*([a-zA-Z]*)\s*", str(text))
    unit = match[2].upper().removesuffix("B") if match else ""
    factor = {**_BYTES, **_BINARY}.get(unit)
    number = _number(match[1]) if match else None
    return None if factor is None or number is None else number * factor


def parse_cpu(value: float | str | None) -> float | None:
    """Cores, whole or parts: 2, ``"0.5"``, ``"500m"`` (thousandths)."""
    if value is None:
        return None
    text = str(value).strip()
    number = _number(text[:-1]) if text.endswith("m") else _number(text)
    if number is not None and text.endswith("m"):
        number /= 1000
    if number is None or not 0 < number <= MOST_CPU:
        raise InvalidInput(
            f"cpu={value!r} is not a number of cores. Write how many a job may use, such as 4 or 0.5.",
            code="bad_cpu",
        )
    return number


def parse_gpu(value: int | str | None) -> int:
    """How many GPUs: 0, 1, 2 …"""
    number = 0.0 if value is None or value is False else _number(str(value))
    if number is None or number != int(number) or not 0 <= number <= MOST_GPU:
        raise InvalidInput(
            f"gpu={value!r} is not a number of GPUs. Write a whole number, such as 0 or 1.", code="bad_gpu"
        )
    return int(number)


def parse_workers(value: int | str | None) -> int:
    """In how many processes at a time: 1, 2, 3 …"""
    number = 1.0 if value is None else _number(str(value))
    if number is None or number != int(number) or not 1 <= number <= MOST_WORKERS:
        raise InvalidInput(
            f"workers={value!r} is not a number of workers. Write a whole number from 1 to {MOST_WORKERS}, "
            "such as 4.",
            code="bad_workers",
        )
    return int(number)


def parse_priority(value: int | str | None) -> int:
    """A whole number from -10 (when nobody else wants to) to 10 (before all others)."""
    number = 0.0 if value is None else _number(str(value))
    if number is None or number != int(number) or not LEAST <= number <= MOST:
        raise InvalidInput(
            f"priority={value!r} is not a priority. Write a whole number from {LEAST} to {MOST}; 0 is usual.",
            code="bad_priority",
        )
    return int(number)


def parse_retries(value: int | str | None) -> int:
    """How often to try again: 0, 1, 2 …"""
    number = 0.0 if value is None or value is False else _number(str(value))
    if number is None or number != int(number) or not 0 <= number <= MOST_RETRIES:
        raise InvalidInput(
            f"retries={value!r} is not how often to try again. Write a whole number from 0 to "
            f"{MOST_RETRIES}, such as 2.",
            code="bad_retries",
        )
    return int(number)


def parse_retry_on(value: Any) -> tuple[str, ...]:
    """Kinds of failures and names of exceptions: ``"memory,connection"``, or a sequence, also of classes."""
    many = value.split(",") if isinstance(value, str) else value or ()
    try:
        parts = [value] if isinstance(value, type) else list(many)
    except TypeError:
        parts = [value]
    words = [one.__name__ if isinstance(one, type) else str(one).strip() for one in parts]
    for word in words:
        near = _near_failure(word) if word else None
        if near is not None:
            hint = f"Did you mean {near!r}? " if near else ""
            raise InvalidInput(
                f"retry_on has {word[:80]!r}, which is no kind of failure. {hint}There is "
                f"{', '.join(retrying.KINDS)}; or name an exception, such as ConnectionError.",
                code="bad_retry_on",
            )
    return tuple(dict.fromkeys(word.rpartition(".")[2] for word in words if word))


def _near_failure(word: str) -> str | None:
    """None for a right word, else the nearest one, or an empty text."""
    name = word.rpartition(".")[2]
    if word in retrying.KINDS or hasattr(builtins, name):
        return None
    if not name.isidentifier() or (name == word and not name[0].isupper()):
        return next(iter(difflib.get_close_matches(word.lower(), retrying.KINDS, 1)), "")
    return next(iter(difflib.get_close_matches(name, dir(builtins), 1, 0.93)), None)


def _with_retries(words: tuple[str, ...], retries: int) -> tuple[str, ...]:
    if words and not retries:
        raise InvalidInput(
            f"retry_on={', '.join(words)!r} says after what to try again, and retries how often: add "
            "retries=3.",
            code="bad_retries",
        )
    return words


def parse_timeout(value: float | str | timedelta | None) -> float | None:
    """Seconds of ``"2h"``, ``"90 min"``, ``"1h30m"``, a timedelta or a number; None is no limit."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        seconds: float | None = value.total_seconds()
    else:
        seconds = _seconds(str(value))
    if seconds is None or not SHORTEST <= seconds <= LONGEST:
        raise InvalidInput(
            f"timeout={value!r} is not a length of time. Write seconds, or a number and a unit, "
            "such as 90, '30m', '2h' or '1d' (a year at most).",
            code="bad_timeout",
        )
    return seconds


def _seconds(text: str) -> float | None:
    pieces = re.findall(r"\s*([\d._]+(?:[eE][+]?\d+)?)\s*([a-zA-Z]*)", text)
    if not pieces or "".join(a + b for a, b in pieces) != re.sub(r"\s", "", text):
        return None
    total = 0.0
    for digits, unit in pieces:
        word = unit.lower()
        word = _WORDS.get(word.removesuffix("s") if len(word) > 1 else word, word)
        number = _number(digits)
        if number is None or word not in _SECONDS or (word == "" and len(pieces) > 1):
            return None
        total += number * _SECONDS[word]
    return total


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def written(amount: float) -> str:
    if abs(amount) < 1e6 or abs(amount) > 1e18:
        return f"{amount:.3g} bytes"
    return f"{amount / 1e6:,.3g} MB" if abs(amount) < 1e9 else f"{amount / 1e9:,.3g} GB"
