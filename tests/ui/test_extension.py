"""The extension arrives in the browser and the server answers."""

from playwright.sync_api import Page

from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.status import get_status
from tests.ui.conftest import Lab


def test_extension_is_loaded_and_server_answers(lab: Lab, page: Page) -> None:
    assert page.evaluate("() => window.jupyterapp.hasPlugin('@jupyterlab/application-extension:main')")
    assert lab.transport.call(get_status, Nothing()).database == "embedded"
