"""A ledger with one picture of each kind behind a test client, and a browser before a running Imagemill."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver

from browsing import headless, look_as
from databases import remove_databases
from imagemill.api.services import build
from imagemill.api.web.app import create_app
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.settings import Settings
from mill import Mill
from mills import running_mill
from page_site import Site, filled


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
    with headless(f"--user-data-dir={tmp_path_factory.mktemp('profile')}") as driver:
        yield driver


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Callable[..., webdriver.Chrome]:
    """Gives the browser an empty window of that many pixels, light unless told otherwise."""

    def prepared(width: int = 1280, height: int = 800, scheme: str = "light") -> webdriver.Chrome:
        chromium.get("about:blank")
        chromium.get_log("browser")
        look_as(chromium, width, height, scheme)
        return chromium

    return prepared
