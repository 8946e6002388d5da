"""What ``%blueno`` alone shows."""

from __future__ import annotations

from html import escape

from jupyter_blueno.client import look
from jupyter_blueno.magics.arguments import CELL, LINE, Command

_CODE = "margin:2px 0;padding:6px;background:var(--jp-layout-color2,#f5f5f5)"

EXAMPLES = [
    ("Make a public dataset ready and look at it", "%blueno prepare mnist\n%blueno show mnist"),
    (
        "Use it in Python",
        "import jupyter_blueno as blueno\n"
        'sevens = blueno.dataset("mnist").where(label=7, split="test")\n'
        "images, labels = sevens.numpy()",
    ),
    (
        "Make a dataset of your own pixels",
        'import numpy as np\nblueno.ingest(np.random.randint(0, 255, (20, 64, 64), "uint8"), name="noise")',
    ),
    (
        "Run a cell in the background",
        "%%blueno run --name count --follow\n"
        "import time\n"
        "import jupyter_blueno as blueno\n"
        "for step in range(5):\n"
        "    time.sleep(0.5)\n"
        "    blueno.progress(step + 1, 5)\n"
        '    print("step", step + 1)',
    ),
    (
        "Run a function in the background and get its value",
        "job = blueno.submit(lambda a, b: a * b, 6, 7)\njob.result()",
    ),
    ("See what runs, what it printed, stop it", "%blueno jobs\n%blueno logs count"),
]


class Help:
    """The page, as text and HTML."""

    def __repr__(self) -> str:
        rows = [[f"{sign}blueno {name} {one.words}".rstrip(), one.summary] for sign, name, one in _commands()]
        lines = [look.table(rows, ["command", ""]), "", "Examples (each runs as it is):"]
        for title, code in EXAMPLES:
            lines += ["", f"# {title}", code]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            [f"<code>{escape(f'{sign}blueno {name} {one.words}'.rstrip())}</code>", escape(one.summary)]
            for sign, name, one in _commands()
        ]
        examples = "".join(
            f"<div style='margin-top:8px'>{escape(title)}</div><pre style='{_CODE}'>{escape(code)}</pre>"
            for title, code in EXAMPLES
        )
        return (
            f"<div style='{look.FRAME}'>{look.html_table(rows, ['command', ''])}"
            f"<div style='margin-top:8px'><b>Examples</b> "
            f"<span style='{look.FAINT}'>(each runs as it is)</span></div>{examples}</div>"
        )


def _commands() -> list[tuple[str, str, Command]]:
    return [("%", name, one) for name, one in LINE.items()] + [
        ("%%", name, one) for name, one in CELL.items()
    ]
