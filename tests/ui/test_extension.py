"""The extension arrives in the browser and the server answers."""

from contextlib import suppress

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from jupyter_blueno.api.catalog import CreateDataset, create_dataset
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.status import get_status
from tests.ui.conftest import Lab


def test_extension_is_loaded_and_server_answers(lab: Lab, page: Page) -> None:
    assert page.evaluate("() => window.jupyterapp.hasPlugin('@jupyterlab/application-extension:main')")
    assert lab.transport.call(get_status, Nothing()).database == "embedded"


def test_changes_are_followed_with_the_panel_closed(lab: Lab, page: Page) -> None:
    expect(page.locator("#jp-blueno-panel")).to_be_hidden()
    for attempt in range(20):  # a page that just opened may not listen yet
        name = f"closed-panel-{attempt}"
        with (
            suppress(PlaywrightTimeoutError),
            page.expect_response(
                lambda one, name=name: "/blueno/api/changes?" in one.url and name in one.text(),
                timeout=3000,
            ),
        ):
            lab.transport.call(create_dataset, CreateDataset(name))
            return
    raise AssertionError("no change was told of")
