"""The viewer with a graphics card: drawn by WebGL, it is what it is without one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from tests.browser import CHROMIUM_FLAGS, PRETEND_CARD, SOFTWARE_GL, chromium
from tests.ui.conftest import FAILED, Lab
from tests.ui.desk import Desk
from tests.ui.viewing import FRONT, open_file, pane, pixels, save_known, wait_for_slice


@pytest.fixture(scope="module")
def gl_desk(lab: Lab, playwright: Playwright) -> Iterator[Desk]:
    """Lab in a browser that says it has a graphics card; `lose` of its window takes the card away."""
    started = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS + SOFTWARE_GL)
    context = started.new_context(viewport={"width": 1400, "height": 900})
    context.add_init_script(PRETEND_CARD)
    context.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  const made = get.call(this, kind, ...rest);"
        "  if (kind === 'webgl2') { window.lose = made.getExtension('WEBGL_lose_context'); }"
        "  return made; };"
    )
    yield Desk(lab, context)
    started.close()


@pytest.fixture
def carded(lab: Lab, gl_desk: Desk, request: pytest.FixtureRequest) -> Iterator[Page]:
    save_known(lab.root / "known.nii")
    yield gl_desk.cleared()
    gl_desk.give_back(whole=FAILED not in request.node.stash)


@pytest.mark.parametrize("smooth", [True, False])
def test_without_a_graphics_card_the_picture_is_the_same(page: Page, carded: Page, smooth: bool) -> None:
    painted = []
    for one, painter in [(page, "canvas2d"), (carded, "webgl2")]:
        open_file(one, "known.nii")
        pane(one, "axial").focus()
        one.keyboard.press("+")
        one.keyboard.press("ArrowDown")
        wait_for_slice(one, "axial", 16)
        if not smooth:
            one.keyboard.press("s")
            one.wait_for_selector(f"{FRONT}[aria-label='Smooth pixels (S)'][aria-pressed=false]")
        while pane(one, "axial").get_attribute("data-painter") != painter:
            one.keyboard.press("i")  # WebGL takes over after the first pictures
        inverted = f"{FRONT}[aria-label='Invert (I)'][aria-pressed=true]"
        if one.locator(inverted).count():
            one.keyboard.press("i")
            one.wait_for_selector(inverted, state="detached")
        painted.append(pixels(one, "axial").astype(int))
    assert painted[0].shape == painted[1].shape
    assert np.abs(painted[0] - painted[1]).max() <= 2
    assert painted[0][..., 0].max() > 100


def test_a_lost_graphics_context_comes_back(carded: Page) -> None:
    open_file(carded, "known.nii")
    pane(carded, "axial").focus()
    carded.wait_for_function("() => window.lose")
    for act, painter in [
        ("", "webgl2"),
        ("lose.loseContext()", "canvas2d"),
        ("lose.restoreContext()", "webgl2"),
    ]:
        carded.evaluate(act)
        carded.wait_for_function(
            """painter => { const pane = document.querySelector('.blueno-pane[data-plane=axial]');
            pane.dispatchEvent(new KeyboardEvent('keydown', {key: 'i', bubbles: true}));
            return pane.dataset.painter === painter; }""",
            arg=painter,
        )
        assert pixels(carded, "axial")[..., 0].max() > 100
