"""What may stand after ``%blueno``, and the sentences for what may not."""

from __future__ import annotations

import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.magics.arguments import CELL, LINE, parse


def test_a_line_is_taken_apart() -> None:
    found = parse("ingest 'my folder' --name=\"my set\"", LINE, "%blueno")
    assert (found.command, found.words, found.options) == ("ingest", ["my folder"], {"name": "my set"})
    assert parse("logs abc -f", LINE, "%blueno").options == {"follow": True}
    assert parse("", LINE, "%blueno").command == "help"
    assert parse("--help", LINE, "%blueno").command == "help"
    run = parse("run --gpu 1 --memory '8 GB' --follow", CELL, "%%blueno")
    assert run.options == {"gpu": "1", "memory": "8 GB", "follow": True}
    assert parse("run --cpu -1", CELL, "%%blueno").options == {"cpu": "-1"}  # its own check says why not


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("dataset", "Did you mean %blueno datasets?"),
        ("xyz", "There is datasets, show"),
        ("run", "write %%blueno run as the first line"),
        ("show", "takes NAME [ORDINAL]"),
        ("show a b c", "takes NAME [ORDINAL], not 'a b c'"),
        ("logs abc --folow", "Did you mean --follow?"),
        ("jobs --all", "has no options"),
        ("ingest x --name", "--name needs a value: --name NAME"),
        ("logs x --follow=1", "takes no value"),
        ("ingest 'x", "Close the quotation mark"),
    ],
)
def test_a_wrong_line_names_the_right_one(line: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(line, LINE, "%blueno")
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("run --mem 8G", "Did you mean --memory?"),
        (
            "run --xyz",
            "There is --name, --gpu, --cpu, --memory, --timeout, --priority, --retries, --retry-on,",
        ),
        ("run --name --follow", "--name needs a value"),
        ("rnu", "Did you mean %%blueno run?"),
        ("datasets", "write %blueno datasets with one percent sign"),
        ("run now", "takes [--name N]"),
    ],
)
def test_a_wrong_cell_line_names_the_right_one(line: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(line, CELL, "%%blueno")
    assert sentence in caught.value.message
