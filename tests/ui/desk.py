"""One page with Lab for the tests of a process: cleared between them, opened anew where it has to be."""

from __future__ import annotations

import json
import urllib.request
from contextlib import suppress

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from tests.servers import TOKEN, Lab

# As a page is that was opened with ``?reset``: nothing in the main area but the launcher, the file
# browser at the left, the light theme, nothing that lies over it, nothing measured.
CLEAR = """
async () => {
  const { shell, commands } = window.jupyterapp;
  const until = condition => new Promise(done => {
    const look = () => condition() ? done() : requestAnimationFrame(look);
    look();
  });
  const press = (node, key) => node.dispatchEvent(
    new KeyboardEvent('keydown', { key, keyCode: key === 'Escape' ? 27 : 0, bubbles: true }));
  document.querySelectorAll('.lm-Menu').forEach(menu => press(menu, 'Escape'));
  document.querySelectorAll('.jp-Dialog').forEach(dialog => press(dialog, 'Escape'));
  await until(() => !document.querySelector('.jp-Dialog'));
  document.querySelectorAll('.jp-blueno-section-search').forEach(box => press(box, 'Escape'));
  for (const area of ['main', 'down']) {
    for (const widget of [...shell.widgets(area)]) {
      if (area === 'main' || widget.isVisible) { widget.dispose(); }
    }
  }
  document.querySelectorAll('.jp-Notification-Toast-Close').forEach(button => button.click());
  if (document.body.dataset.jpThemeLight !== 'true') {
    await commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' });
  }
  await until(() => document.querySelector('#jp-main-dock-panel .jp-Launcher'));
  shell.collapseRight();
  await commands.execute('filebrowser:go-to-path', { path: '/', dontShowBrowser: true });
  shell.activateById('filebrowser');
  document.activeElement?.blur();
  for (const kind of ['Marks', 'Measures', 'ResourceTimings']) { performance[`clear${kind}`](); }
  localStorage.clear();
  sessionStorage.clear();
}
"""
TOO_LONG = "new Promise((_, fail) => setTimeout(() => fail(new Error('it is not cleared')), 15_000))"


class Desk:
    """Hands out the page, and clears it away."""

    def __init__(self, lab: Lab, context: BrowserContext) -> None:
        self.lab = lab
        self.context = context
        self.page: Page | None = None
        self.process = lab.process

    def fresh(self) -> Page:
        """The page, just opened: signed in, with Lab."""
        self.close()
        self.page = opened = self.context.new_page()
        self.process = self.lab.process
        opened.set_default_timeout(20_000)
        opened.goto(f"{self.lab.url}/lab?token={TOKEN}&reset", timeout=60_000)
        opened.wait_for_selector("#jp-main-dock-panel", timeout=90_000)
        opened.wait_for_function("() => window.jupyterapp !== undefined")
        opened.evaluate("() => window.jupyterapp.restored.then(() => { window.sameDocument = true; })")
        opened.wait_for_selector("#jp-main-dock-panel .jp-Launcher")
        return opened

    def cleared(self) -> Page:
        """The page as if just opened, and so it is where the last test left Lab or restarted the server."""
        page = self.page
        if page is None or self.process is not self.lab.process:
            return self.fresh()
        try:
            if not page.evaluate("() => window.sameDocument"):
                return self.fresh()
            page.mouse.move(0, 0)
            page.evaluate(f"() => Promise.race([({CLEAR})(), {TOO_LONG}])")
        except PlaywrightError:  # it crashed, or something in it does not go away
            return self.fresh()
        return page

    def give_back(self, whole: bool) -> None:
        """After a test; without `whole` the next one gets a fresh page."""
        if self.lab.process is None or self.lab.process.poll() is not None:  # it died
            self.lab.start()
        for one in self.context.pages:
            if one is not self.page:
                one.close()
        if not whole:
            self.close()
        stop_kernels(self.lab)
        self.context.set_offline(False)
        self.context.unroute_all(behavior="ignoreErrors")
        self.context.clear_permissions()
        if self.page is not None:
            self.page.unroute_all(behavior="ignoreErrors")

    def close(self) -> None:
        """Close all pages and forget who was signed in."""
        for one in self.context.pages:
            with suppress(PlaywrightError):
                one.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            one.close()
        self.context.clear_cookies()
        self.page = None


def stop_kernels(lab: Lab) -> None:
    """End what a test's notebooks started; a kernel that nobody uses costs the next test its speed."""
    sign = {"Authorization": f"token {TOKEN}"}
    sessions = urllib.request.Request(f"{lab.url}/api/sessions", headers=sign)
    for session in json.load(urllib.request.urlopen(sessions)):
        one = urllib.request.Request(f"{sessions.full_url}/{session['id']}", headers=sign, method="DELETE")
        urllib.request.urlopen(one).close()
