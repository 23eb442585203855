"""A ledger with one picture of each kind behind a test client, and a browser before a running Imagemill."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from databases import remove_databases
from imagemill.api.services import build
from imagemill.api.web.app import create_app
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.settings import Settings
from mill import Mill
from mills import running_mill
from page_site import Site, filled

_OPTIONS = (
    "--headless=new", "--window-size=1280,900", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-sync", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(couch: CouchServer) -> Iterator[Site]:
    """Not connected to any broker: what is shown comes from the ledger alone."""
    prefix = f"page-{uuid.uuid4().hex[:8]}"
    settings = Settings(couchdb_url=couch.url, couchdb_prefix=prefix, instance="api-1")
    services = build(settings)
    services.stores.prepare(services.settings)
    client = create_app(settings, services).test_client()
    yield Site(client, services, filled(services))
    remove_databases(couch.url, prefix)


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """One Imagemill for all tests of a module; they must not stop its programs."""
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Headless, with a profile of its own, for all tests of a module."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in (*_OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Callable[..., webdriver.Chrome]:
    """Gives the browser an empty window of that many pixels, light unless told otherwise."""

    def prepared(width: int = 1280, height: int = 800, scheme: str = "light") -> webdriver.Chrome:
        chromium.get("about:blank")
        chromium.get_log("browser")
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 720}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        return chromium

    return prepared
