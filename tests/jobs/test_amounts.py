"""Amounts as people write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.sending.amounts import (
    parse_cpu,
    parse_gpu,
    parse_memory,
    parse_priority,
    parse_resources,
    parse_timeout,
)


class MyError(Exception):
    """One of the user's own."""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8G", 8 * 10**9), ("8 GB", 8 * 10**9), ("512 MB", 512 * 10**6), ("1.5GiB", int(1.5 * 2**30)),
        (" 64Mi ", 64 * 2**20), (2 * 10**9, 2 * 10**9), ("2000000k", 2 * 10**9), (None, None),
    ],
)  # fmt: skip
def test_memory(text: Any, count: int | None) -> None:
    assert parse_memory(text) == count


@pytest.mark.parametrize(
    "text", ["-1", "1e99", "", "G", "8 X", "8GG", "nan", "inf", "0", "8", -5, "1 KB", "8 G B"]
)
def test_wrong_memory_shows_a_right_one(text: Any) -> None:
    with pytest.raises(InvalidInput, match=r"'8G'") as caught:
        parse_memory(text)
    assert caught.value.code == "bad_memory"
    assert repr(text) in caught.value.message


def test_a_small_number_without_unit_is_guessed_at() -> None:
    with pytest.raises(InvalidInput, match=r"Did you mean '8G'\?"):
        parse_memory("8")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (90, 90), ("90", 90), ("2h", 7200), ("30 min", 1800), ("1h30m", 5400), ("1 h 30 m", 5400),
        ("1d", 86400), ("2 hours", 7200), ("45 secs", 45), (timedelta(minutes=5), 300), (0.5, 0.5),
        (None, None),
    ],
)  # fmt: skip
def test_timeout(text: Any, seconds: float | None) -> None:
    assert parse_timeout(text) == seconds


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("memory, connection", ("memory", "connection")),
        (["timeout", OSError, "requests.exceptions.Timeout"], ("timeout", "OSError", "Timeout")),
        (MyError, ("MyError",)),
        (None, ()),
    ],
)
def test_retry_on(asked: Any, words: tuple[str, ...]) -> None:
    assert parse_resources(retries=2, retry_on=asked).retry_on == words


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("conection", "has 'conection', which is no kind of failure. Did you mean 'connection'?"),
        ("ConectionError", "Did you mean 'ConnectionError'?"),
        (["out of memory"], "There is connection, memory, "),
        (5, "'5', which is no kind"),
    ],
)
def test_wrong_retry_on(asked: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_resources(retries=2, retry_on=asked)
    assert sentence in caught.value.message


def test_retry_on_alone_asks_how_often() -> None:
    with pytest.raises(InvalidInput, match="add retries=3"):
        parse_resources(retry_on=["memory"])


@pytest.mark.parametrize("text", ["-1", -1, 0, "soon", "2x", "h", "1e99", "1h30", "inf", "nan", "", "1h, 2m"])
def test_wrong_timeout(text: Any) -> None:
    with pytest.raises(InvalidInput, match="'2h'"):
        parse_timeout(text)


@pytest.mark.parametrize(("value", "cores"), [(2, 2), ("0.5", 0.5), ("500m", 0.5), (None, None)])
def test_cpu(value: Any, cores: float | None) -> None:
    assert parse_cpu(value) == cores


@pytest.mark.parametrize("value", [0, -1, "many", "nan", 1e9, "m"])
def test_wrong_cpu(value: Any) -> None:
    with pytest.raises(InvalidInput, match="cores"):
        parse_cpu(value)


@pytest.mark.parametrize("value", [-1, 1.5, "two", 10**9, True])
def test_wrong_gpu(value: Any) -> None:
    with pytest.raises(InvalidInput, match="whole number"):
        parse_gpu(value)


@pytest.mark.parametrize("value", [-11, 11, 0.5, "high"])
def test_wrong_priority(value: Any) -> None:
    with pytest.raises(InvalidInput, match="from -10 to 10"):
        parse_priority(value)


def test_all_together() -> None:
    found = parse_resources("1", "4", "8G", "2h", "-3")
    assert (found.gpu, found.cpu, found.memory, found.timeout) == (1, 4.0, 8 * 10**9, 7200.0)
    assert found.priority == -3
