"""The widget in a page that knows nothing of JupyterLab, as in VS Code and Colab."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import comm
import numpy as np
import pytest
from comm.base_comm import BaseComm
from playwright.sync_api import Browser, Page, Route, expect

import jupyter_blueno as blueno
from jupyter_blueno.widgets.array import ArrayView
from tests.ui.conftest import painted

ORIGIN = "http://bare.test"

# What every host of anywidgets gives: a model, and an element to draw in.
HOST = """<!doctype html><meta charset="utf-8"><body><div id="here" style="width: 700px"></div>
<script type="module">
  import widget from './viewer.js';
  const state = await (await fetch('./state.json')).json();
  const heard = new Map();
  const tell = (event, ...what) => (heard.get(event) ?? []).forEach(one => one(...what));
  const put = (name, value) => {
    if (JSON.stringify(state[name]) !== JSON.stringify(value)) {
      state[name] = value;
      tell(`change:${name}`);
      return true;
    }
  };
  let changed = {};
  const model = {
    get: name => state[name],
    set(name, value) { if (put(name, value)) changed[name] = value; },
    save_changes() { say({ method: 'update', state: changed, buffer_paths: [] }); changed = {}; },
    send(content) { say({ method: 'custom', content }); },
    on(event, one) { heard.set(event, [...(heard.get(event) ?? []), one]); },
    off(event, one) { heard.set(event, heard.get(event).filter(other => other !== one)); }
  };
  const say = async data => hear(await toKernel(data));
  window.hear = messages => {
    for (const { data, buffers } of messages) {
      if (data.method === 'update') {
        Object.entries(data.state).forEach(([name, value]) => put(name, value));
      } else if (data.method === 'custom') {
        // Buffers are parts of a bigger message, at any place in it.
        const views = buffers.map(text => {
          const bytes = Uint8Array.from(atob(text), one => one.charCodeAt(0));
          const message = new Uint8Array(bytes.length + 3);
          message.set(bytes, 3);
          return new DataView(message.buffer, 3);
        });
        tell('msg:custom', data.content, views);
      }
    }
  };
  window.end = await widget.render({ model, el: document.getElementById('here') });
</script>"""


class Wire(BaseComm):  # type: ignore[misc]
    """A comm whose other end is the test."""

    sent: list[dict[str, Any]]

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
    ) -> None:
        """Keep what a kernel would send."""
        if not hasattr(self, "sent"):
            self.sent = []
        encoded = [base64.b64encode(one).decode() for one in buffers or []]
        self.sent.append({"data": data, "buffers": encoded})

    def take(self) -> list[dict[str, Any]]:
        """What was sent since the last time."""
        taken, self.sent = self.sent, []
        return taken


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> ArrayView:
    """A widget on a volume whose voxels tell their slice; its comm is a `Wire`."""
    monkeypatch.setattr(comm, "create_comm", Wire)
    volume = np.repeat(np.arange(11, dtype=np.int16) * 10, 20 * 30).reshape(11, 20, 30)
    return blueno.show(volume, window=100, level=50)  # type: ignore[no-any-return]


@pytest.fixture
def asked() -> list[str]:
    """What the page asked of the network."""
    return []


@pytest.fixture
def page(browser: Browser, view: ArrayView, asked: list[str]) -> Iterator[Page]:
    state = {
        name: value for name, value in view.get_state().items() if name not in ("_esm", "_css", "layout")
    }
    served = {
        "/": ("text/html", HOST),
        "/viewer.js": ("text/javascript", view._esm),
        "/state.json": ("application/json", json.dumps(state)),
    }

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        asked.append(path)
        if path in served:
            kind, body = served[path]
            route.fulfill(content_type=kind, body=str(body))
        else:
            route.abort()

    def to_kernel(data: Any) -> list[dict[str, Any]]:
        view.comm.handle_msg({"content": {"data": data}, "buffers": []})
        return view.comm.take()

    view.comm.take()
    context = browser.new_context(viewport={"width": 800, "height": 600})
    context.route("**/*", answer)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.expose_function("toKernel", to_kernel)
    opened.goto(f"{ORIGIN}/")
    opened.add_style_tag(content=str(view._css))
    yield opened
    context.close()
    assert errors == []


def test_renders_scrolls_and_stays_in_step(page: Page, view: ArrayView, asked: list[str]) -> None:
    pane = page.locator(".blueno-pane[data-plane=axial]")

    def wait_for_slice(index: int) -> None:
        expect(pane.and_(page.locator(f"[data-index='{index}'][data-state=ready]"))).to_be_visible()
        assert abs(int(painted(pane.locator("canvas")).max()) - index * 25.5) <= 1

    wait_for_slice(5)
    pane.hover()
    page.mouse.wheel(0, 100)
    wait_for_slice(6)
    pane.focus()
    page.keyboard.press("Home")
    wait_for_slice(0)
    page.locator("input[type=range]").fill("9")
    wait_for_slice(9)
    while view.index != 9:
        page.wait_for_timeout(1)  # lets Playwright hand on what the page says
    view.index = 3
    page.evaluate("messages => hear(messages)", view.comm.take())
    wait_for_slice(3)
    page.evaluate("() => end()")
    expect(page.locator("#here > *")).to_have_count(0)
    assert sorted(set(asked) - {"/favicon.ico"}) == ["/", "/state.json", "/viewer.js"]
