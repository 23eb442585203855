"""Coming in, and being sent out, in a browser."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import pictures
from browsing import text
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from uploading import choose, ended, files, total

ADMIN_TOKEN = "a-token-of-the-settings-for-the-tests"
_HEADERS = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture(scope="module")
def locked(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    folder = tmp_path_factory.mktemp("locked")
    with running_mill(rabbit, couch, folder, login="true", admin_token=ADMIN_TOKEN) as running:
        yield running


def _log_in(chromium: webdriver.Chrome, token: str) -> None:
    chromium.find_element(By.ID, "token").send_keys(token)
    chromium.find_element(By.CSS_SELECTOR, ".login button").click()


def test_a_person_comes_in_with_a_token_and_is_sent_out_when_it_is_revoked(
    locked: Mill, chromium: webdriver.Chrome
) -> None:
    made = locked.post("/api/v1/tokens", json={"name": "ann", "role": "uploader"}, headers=_HEADERS).json()
    waiting = WebDriverWait(chromium, 60)
    chromium.get(f"{locked.url}/pictures?batch=a")
    assert chromium.title.startswith("Log in")
    assert "Server" not in locked.get("/login").headers
    _log_in(chromium, "wrong")
    waiting.until(lambda page: "was revoked" in page.find_element(By.CSS_SELECTOR, ".notice.bad").text)
    _log_in(chromium, made["token"])
    waiting.until(lambda page: page.current_url == f"{locked.url}/pictures?batch=a")
    rail = chromium.find_element(By.CSS_SELECTOR, ".rail").text
    assert "ann, uploader" in rail
    assert "Access" not in rail
    waiting.until(lambda page: page.find_element(By.CSS_SELECTOR, ".pulse").get_attribute("data-pulse") == "live")
    assert locked.http.delete(f"{locked.url}/api/v1/tokens/{made['id']}", headers=_HEADERS, timeout=60).ok
    waiting.until(lambda page: page.current_url == f"{locked.url}/login?next=%2Fpictures%3Fbatch%3Da")


def test_an_admin_makes_a_token_on_the_page_and_logs_out(locked: Mill, chromium: webdriver.Chrome) -> None:
    waiting = WebDriverWait(chromium, 60)
    chromium.get(f"{locked.url}/access")
    _log_in(chromium, ADMIN_TOKEN)
    waiting.until(lambda page: page.find_elements(By.ID, "name"))[0].send_keys("bob")
    chromium.find_element(By.CSS_SELECTOR, ".new-token button.primary").click()
    text = waiting.until(lambda page: page.find_elements(By.CSS_SELECTOR, ".made code"))[0].text
    who = locked.get("/api/v1/whoami", headers={"Authorization": f"Bearer {text}"}).json()
    assert (who["name"], who["role"]) == ("bob", "uploader")
    chromium.get(f"{locked.url}/access/changes")
    assert "token.create" in chromium.find_element(By.ID, "main").text
    chromium.find_element(By.CSS_SELECTOR, ".rail form button").click()
    waiting.until(lambda page: page.current_url == f"{locked.url}/login")
    chromium.get(f"{locked.url}/access")
    assert chromium.current_url == f"{locked.url}/login?next=%2Faccess"


def _token(locked: Mill, role: str) -> str:
    body = {"name": uuid.uuid4().hex[:8], "role": role}
    return str(locked.post("/api/v1/tokens", json=body, headers=_HEADERS).json()["token"])


def test_an_upload_waits_for_the_next_login_of_the_same_person(
    locked: Mill, chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    ann, viewer, waiting = _token(locked, "uploader"), _token(locked, "viewer"), WebDriverWait(chromium, 60)
    chromium.get(f"{locked.url}/")
    _log_in(chromium, ann)
    waiting.until(lambda page: page.find_elements(By.ID, "files"))
    base = uuid.uuid4().int % 2**31
    choose(chromium, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=base + n) for n in range(300)]))
    wait_for(lambda: "300 offered" in total(chromium), "the panel")
    chromium.execute_script("document.querySelector('#upload-pause').click()")
    wait_for(lambda: "paused" in text(chromium, "#remains"), "the pause")
    chromium.execute_script("document.querySelector('.rail form button').click()")
    waiting.until(lambda page: page.current_url.endswith("/login"))
    wait_for(lambda: "Log in again, and it goes on." in text(chromium, "#upload-waits"), "the sentence")
    _log_in(chromium, ann)
    wait_for(lambda: "paused" in text(chromium, "#remains"), "the same upload")
    chromium.execute_script("document.querySelector('#upload-pause').click()")
    wait_for(lambda: ended(chromium), "all to end")
    assert "300 stored" in total(chromium)
    chromium.execute_script("document.querySelector('.rail form button').click()")
    waiting.until(lambda page: page.current_url.endswith("/login"))
    _log_in(chromium, viewer)
    waiting.until(lambda page: "You can look, but not upload" in page.page_source)
    assert not chromium.find_elements(By.ID, "progress")
    chromium.get(f"{locked.url}/pictures")
    assert not chromium.find_elements(By.ID, "progress")
