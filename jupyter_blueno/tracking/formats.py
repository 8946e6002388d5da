"""In what form a model's files are, and what loading them runs. No I/O beyond a look at names."""

from __future__ import annotations

PICKLE = "pickle"
SKOPS = "scikit-learn (skops)"
KERAS = "Keras"
FILES = "files"

_LOADING = {
    SKOPS: "Loading it runs no code of the files: they hold numbers and types of scikit-learn; "
    "anything else is refused.",
    KERAS: "Loading it builds layers that Keras knows; Keras refuses code in the file.",
    FILES: "Loading it gives the path of the files: nothing of them is run.",
    PICKLE: "Loading it runs whatever the file says: do so if you trust who registered it.",
}


def loading(form: str | None) -> str:
    """What `Model.load` runs, as a sentence."""
    other = "MLflow loads it, and may run code of its files: do so if you trust who registered it."
    return _LOADING.get(form or "", other)
