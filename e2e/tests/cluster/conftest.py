"""One release for all tests; what failed leaves its traces in a folder."""

import os
import re
import subprocess
import uuid
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from imagemill_e2e.cluster import ROOT, Cluster, from_environment
from imagemill_e2e.forward import Forward
from imagemill_e2e.mill import Mill
from imagemill_e2e.release import Install, make_room

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return from_environment()


@pytest.fixture(scope="session")
def forward(cluster: Cluster) -> Iterator[Forward]:
    cluster.settle()
    with Forward(cluster) as forward:
        yield forward


@pytest.fixture
def mill(cluster: Cluster, forward: Forward) -> Mill:
    """The API, everything being well: a test must not suffer from the one before."""
    cluster.settle()
    return Mill(forward.url, cluster.admin_token())


@pytest.fixture
def batch(request: pytest.FixtureRequest) -> str:
    """A name which no other run has."""
    return f"{re.sub('[^a-z0-9]+', '-', request.node.name.removeprefix('test_'))[:60]}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def install(cluster: Cluster) -> Iterator[Install]:
    """Installs the chart anew, with more values."""
    make_room(cluster)
    with ExitStack() as forwards:

        def installed(*arguments: str) -> Mill:
            cluster.install(*arguments)
            return Mill(forwards.enter_context(Forward(cluster)).url, cluster.admin_token())

        yield installed
    make_room(cluster)


@pytest.fixture
def browser(mill: Mill) -> Iterator[webdriver.Chrome]:
    """Chromium, logged in."""
    if not CHROMIUM.exists() or not DRIVER.exists():
        pytest.skip(
            f"Chromium is not installed: {CHROMIUM} and {DRIVER} are wanted (Debian: chromium, chromium-driver)"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-background-networking"):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    try:
        driver.get(f"{mill.url}/login")
        driver.find_element(By.ID, "token").send_keys(mill.token)
        driver.find_element(By.CSS_SELECTOR, ".login button").click()
        WebDriverWait(driver, 60).until(lambda browser: not browser.current_url.endswith("/login"))
        yield driver
    finally:
        driver.quit()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        folder = Path(os.environ["E2E_LOGS"]) / item.name
        there = from_environment()
        subprocess.run([ROOT / "e2e" / "collect", there.context, there.namespace, folder], check=False, timeout=600)
        report.sections.append(("The cluster", f"Logs and descriptions are in {folder}"))
    return report
