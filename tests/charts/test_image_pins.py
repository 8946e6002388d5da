"""What is installed into the images is pinned, and is what the package asks for."""

from __future__ import annotations

import runpy
from pathlib import Path

IMAGES = Path(__file__).parents[2] / "images"


def test_all_packages_of_the_images_are_pinned_as_they_were_tested_together() -> None:
    wanted = runpy.run_path(str(IMAGES / "pins.py"))["pins"]()
    written = {path.stem: path.read_text() for path in (IMAGES / "requirements").glob("*.txt")}
    assert written == wanted, "scripts/pins writes them"
    assert "jupyterhub==" in written["common"]
    assert not set(written["common"].splitlines()) & set(written["notebook"].splitlines())
