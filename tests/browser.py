"""Where Chromium is, and how it is started."""

from __future__ import annotations

import shutil

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_GL = ["--disable-gpu"]
# WebGL without a graphics card; the viewer takes it for one.
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PRETEND_CARD = """
const parameter = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 ? 'pretended card' : parameter.call(this, name);  // UNMASKED_RENDERER_WEBGL
};
"""


def chromium() -> str | None:
    """The system's Chromium; None leaves the choice to Playwright."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
