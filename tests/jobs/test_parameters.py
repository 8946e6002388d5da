"""Parameters as they stand in a notebook, and values that fit them or not."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import JobSpec, Parameter
from jupyter_blueno.jobs.sending.parameters import changed, form_of, of_notebook
from jupyter_blueno.jobs.sending.request import check_spec

CELL = """\
# How fast it learns.
# Between 0 and 1.
lr: float = 1  # not too much
# Rounds
epochs: int = 5

data = "mnist"
deep: bool = False
seconds = 10 * 60  # at most
sizes = [32,
         64]  # of layers
path: str
a = b = 1
print(lr)
"""


def notebook(*sources: str, tagged: bool = True) -> str:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if tagged:
        cells[0].metadata["tags"] = ["parameters"]
    text: str = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    return text


def test_what_the_cell_says() -> None:
    assert of_notebook(notebook(CELL)) == [
        Parameter("lr", "float", 1, "1", "not too much", typed=True),
        Parameter("epochs", "int", 5, "5", "Rounds", typed=True),
        Parameter("data", "str", "mnist", '"mnist"'),
        Parameter("deep", "bool", False, "False", typed=True),
        Parameter("seconds", "json", None, "10 * 60", "at most"),
        Parameter("sizes", "json", [32, 64], "[32,\n         64]", "of layers"),
        Parameter("path", "str", required=True, typed=True),
        Parameter("a", "int", 1, "1"),
        Parameter("b", "int", 1, "1"),
    ]


def test_other_ways_to_write_it() -> None:
    source = notebook("n, word = 1, ''\nif n:\n    m = 2\nx, y = f()")
    assert of_notebook(source) == [
        Parameter("n", "int", 1, "1"),
        Parameter("word", "str", "", "''"),
        Parameter("m"),
        Parameter("x"),
        Parameter("y"),
    ]
    check_spec(JobSpec("notebook", source=source, parameters={"n": 0.5, "m": "any"}))


@pytest.mark.parametrize("source", ["x = (", "%matplotlib inline\nx = 1", "", "1 + 1"])
def test_a_cell_that_says_nothing(source: str) -> None:
    assert of_notebook(notebook(source)) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"lrr": 1}, "The notebook has no parameter 'lrr'. Did you mean 'lr'? It has lr, epochs, data"),
        ({"lr": "fast"}, "lr is 'fast', and takes a number."),
        ({"epochs": 2.5}, "epochs is 2.5, and takes a whole number."),
        ({"deep": 1}, "deep is 1, and takes true or false."),
    ],
)
def test_values_that_do_not_fit(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_spec(JobSpec("notebook", source=notebook(CELL), parameters=given))
    assert sentence in refused.value.message


def test_a_notebook_without_the_tag_takes_names_that_it_uses() -> None:
    check_spec(JobSpec("notebook", source=notebook("print(lr)", tagged=False), parameters={"lr": 1}))
    with pytest.raises(InvalidInput, match=r"No cell of the notebook uses 'rat'\. Did you mean 'rate'"):
        check_spec(JobSpec("notebook", source=notebook("%time rate", tagged=False), parameters={"rat": 1}))


def test_a_form_has_the_values_that_were_given() -> None:
    spec = JobSpec("notebook", source=notebook(CELL), parameters={"lr": 0.5})
    form = form_of("train", spec)
    assert form.parameters[0] == Parameter("lr", "float", 0.5, "1", "not too much", typed=True)
    again = changed(spec, {"epochs": 9}, None)
    assert again.parameters == {"lr": 0.5, "epochs": 9}
    cell = JobSpec("cell", source="print(n)", parameters={"n": 3})
    assert form_of("cell", cell).parameters == [Parameter("n", "int", 3)]
    assert form_of("command", JobSpec("command", command=["echo", "a b"])).command_line == "echo 'a b'"
