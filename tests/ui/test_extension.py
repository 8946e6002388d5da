"""The extension arrives in the browser and the server answers."""

from playwright.sync_api import Page, expect

from jupyter_blueno.api.catalog import CreateDataset, create_dataset
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.status import get_status
from tests.ui.conftest import Lab


def test_extension_is_loaded_and_server_answers(lab: Lab, page: Page) -> None:
    assert page.evaluate("() => window.jupyterapp.hasPlugin('@jupyterlab/application-extension:main')")
    assert lab.transport.call(get_status, Nothing()).database == "embedded"


def test_changes_are_followed_with_the_panel_closed(lab: Lab, page: Page) -> None:
    expect(page.locator("#jp-blueno-panel")).to_be_hidden()
    with page.expect_request(lambda one: "/blueno/api/changes?" in one.url and "wait=" in one.url):
        pass
    with page.expect_response(lambda one: "/blueno/api/changes?" in one.url and "closed-panel" in one.text()):
        lab.transport.call(create_dataset, CreateDataset("closed-panel"))
