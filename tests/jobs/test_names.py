"""Names that a cell needs from elsewhere."""

from __future__ import annotations

import pytest

from jupyter_blueno.jobs.sending.names import free_names, of_cell, undefined


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("print(x)", ["x"]),
        ("x = 1\nprint(x)", []),
        ("import numpy as np\nnp.zeros(n)", ["n"]),
        ("from a import b as c\nc(b)", ["b"]),
        ("def f(a):\n    return a + lr * g()", ["lr", "g"]),
        ("def f():\n    y = 1\n    return [y * z for z in zs]", ["zs"]),
        ("class A(Base):\n    size = n\n    def m(self):\n        return self.size + k", ["Base", "n", "k"]),
        ("for i in range(n):\n    pass\nprint(i)", ["n"]),
        ("with open(p) as f:\n    f.read()", ["p"]),
        ("try:\n    pass\nexcept E as e:\n    print(e)", ["E"]),
        ("lambda a: a + b", ["b"]),
        ("def f():\n    global g\n    g = 1\nf(); print(g)", []),
        ("(y := x) + y", ["x"]),
        ("f'{a!r:>{w}}'", ["a", "w"]),
        ("del x", []),
        ("b; a; b", ["b", "a"]),
        ("def broken(:", []),
        ("x = 'nul\0'", []),
        ("display(1); get_ipython()", []),
        ("match p:\n    case [q, *r]:\n        print(q, r)", ["p"]),
    ],
)
def test_free_names(source: str, names: list[str]) -> None:
    assert free_names(source) == names


@pytest.mark.parametrize(
    ("source", "surely", "perhaps"),
    [
        ("a = 1\nprnt(a)", ["prnt"], []),
        ("print(x[i], key=y)", ["x", "i", "y"], []),
        ("def f():\n    return x\nif y:\n    z", ["y"], ["x", "z"]),
        ("a = known and other", [], ["other"]),
        ("[x for _ in known]", [], ["x"]),
        ("with a as b:\n    c", ["a", "c"], []),
        ("from os import *\nprint(path)", [], []),
        ("try:\n    x\nexcept NameError:\n    x = 1", [], []),
        ("try:\n    y\nexcept NameError:\n    pass\nx", [], []),
        ("get_ipython().run_line_magic('pylab', '')\nplot(1)", [], []),
        ("get_ipython().system('ls')\nplot(1)", ["plot"], []),
        ("exec('x = 1')\nx", [], []),
    ],
)
def test_undefined(source: str, surely: list[str], perhaps: list[str]) -> None:
    assert undefined(source, {"known"}) == (surely, perhaps)


def test_a_cell_with_magics() -> None:
    assert of_cell("!ls {folder}\nx = fit(data)") == ["fit", "data", "folder"]
    assert of_cell("%%bash\nls") == of_cell("def (") == []


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("%time y = fit(x)\nprint(y, z)", ["fit", "x", "z"]),
        ("%%time\ny = fit(x)\nprint(y)", ["fit", "x"]),
        ("model = %time fit(x)\nmodel.save()", ["fit", "x"]),
        ("t = %timeit -o -n2 -r 1 fit(x)\nt.average", ["fit", "x"]),
        ("%%timeit rows = load(p)\nfit(rows)", ["load", "p", "fit"]),
        ("%%capture kept --no-stderr\n%time fit(x)\n", ["fit", "x"]),
        ("%%capture kept\nfit(x)\nkept.show()", ["fit", "x"]),
        ("%prun -s cumulative -l 5 fit(x)", ["fit", "x"]),
        ("if again:\n    %time fit(x)", ["again", "fit", "x"]),
        ("!cp {folder}/a $target; awk '{print $1}' $$HOME", ["target", "folder"]),
        ("files = !ls {folders[i]}", ["folders", "i"]),
        ("%cd {folder}", ["folder"]),
        ("%%bash -s {lr}\necho $name {no}", ["lr"]),
        ("%matplotlib inline\nplot(x)", ["plot", "x"]),
        ("%time fit(", []),
    ],
)
def test_names_that_magics_use(cell: str, names: list[str]) -> None:
    assert of_cell(cell) == names


def test_what_a_magic_misses_is_known_before() -> None:
    text = "get_ipython().run_line_magic('time', 'fit(known)')"
    assert undefined(text, {"known"}) == (["fit"], [])
