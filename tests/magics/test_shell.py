"""The magics in a real IPython."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import jupyter_blueno as blueno
from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.client import session
from jupyter_blueno.config import Config
from jupyter_blueno.magics import completion, pages


@pytest.fixture(scope="module")
def platform(module_config: Config) -> Iterator[Platform]:
    made = Platform(module_config)
    yield made
    made.close()


@pytest.fixture
def shell(platform: Platform) -> Iterator[InteractiveShell]:
    session.use(transport=Context(platform, User("alice")))
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "jupyter_blueno")
    completion._names.clear()
    yield made
    InteractiveShell.clear_instance()
    session.use()


@pytest.fixture(scope="module")
def digits(platform: Platform) -> blueno.Dataset:
    session.use(transport=Context(platform, User("alice")))
    return blueno.ingest(np.zeros((20, 8, 8), "uint8"), name="digits", labels=[n % 2 for n in range(20)])


def matches(shell: InteractiveShell, line: str) -> list[str]:
    _, found = shell.complete(None, line, len(line))
    return list(found)


def test_help_shows_every_command(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("blueno", "")
    shown = capsys.readouterr().out
    for word in ("%blueno datasets", "%blueno logs JOB [-f]", "%%blueno run", "blueno.submit"):
        assert word in shown


def test_lines(shell: InteractiveShell, digits: blueno.Dataset) -> None:
    assert [one.name for one in shell.run_line_magic("blueno", "datasets")] == ["digits"]
    assert shell.run_line_magic("blueno", "datasets nothing") == []
    assert shell.run_line_magic("blueno", "jobs") == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("dataset", "Did you mean %blueno datasets?"),
        ("show zzz", "There is no dataset called 'zzz'. There are 'digits'."),
        ("show digits 99", "digits has 20 samples here"),
        ("logs nothing", "nothing"),
    ],
)
def test_errors_are_a_sentence(
    shell: InteractiveShell, digits: blueno.Dataset, line: str, sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        shell.run_line_magic("blueno", line)
    assert sentence in str(caught.value)


def test_a_sentence_has_no_traceback(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    assert not shell.run_cell("%blueno dataset").success
    shown = capsys.readouterr()
    assert "UsageError: %blueno has no 'dataset'" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%blueno da", ["datasets"]),
        ("%blueno show di", ["digits"]),
        ("%blueno logs x --", ["--follow"]),
        ("%%blueno r", ["run"]),
        ("%%blueno run --m", ["--memory"]),
        ("%%blueno run --name ", []),
        ("%blueno nothing x", []),
    ],
)
def test_completion(shell: InteractiveShell, digits: blueno.Dataset, line: str, expected: list[str]) -> None:
    assert completion.matches(line) == expected
    assert [one for one in matches(shell, line) if one in expected] == expected


def test_completion_never_raises(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise OSError("no server")

    monkeypatch.setattr(session, "connect", broken)
    completion._names.clear()
    assert completion.complete(shell, type("Event", (), {"line": "%blueno show "})()) == []


def test_loading_twice_changes_nothing(shell: InteractiveShell) -> None:
    before = shell.magics_manager.registry["BluenoMagics"]
    shell.run_line_magic("reload_ext", "jupyter_blueno")
    assert shell.magics_manager.registry["BluenoMagics"] is before


def test_wrong_amounts_start_nothing(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="not an amount of memory"):
        shell.run_cell_magic("blueno", "run --memory much", "print(1)")
    with pytest.raises(UsageError, match="cell is empty"):
        shell.run_cell_magic("blueno", "run", "\n")


def test_a_cell_takes_its_variables_along(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(
        "import numpy as np\nlr = 0.5\nimages = np.ones((4, 4))\ndef total(a): return lr * a.sum()"
    )
    assert shell.run_cell("%%blueno run --name with-variables\nlr = 2\nprint('total', total(images))").success
    shown = capsys.readouterr().out
    assert "Taken along: total (function" in shown
    assert "images (ndarray float64 (4, 4)" in shown
    job = shell.user_ns["_job"].wait(60)
    assert job.log() == "total 32.0\n"


def test_a_name_that_is_defined_nowhere_starts_nothing(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(blueno.jobs())
    with pytest.raises(UsageError, match="uses imagse, which is defined neither"):
        shell.run_cell_magic("blueno", "run", "print(imagse)")
    shell.run_cell("source = open('/dev/null')")
    with pytest.raises(UsageError, match="Nothing was started"):
        shell.run_cell_magic("blueno", "run", "source.read()")
    assert len(blueno.jobs()) == before
    shell.run_cell_magic("blueno", "run", "def later():\n    return imagse\n1")
    assert "imagse is defined nowhere; should the cell come to that" in capsys.readouterr().out


def test_examples_of_the_help_are_python_or_magics() -> None:
    for _, code in pages.EXAMPLES:
        plain = "\n".join(line for line in code.splitlines() if not line.startswith("%"))
        compile(plain, "<example>", "exec")
