"""What every camera prints, `rtsp://user:password@…`, may be pasted; the password is kept, and shown nowhere."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from imagemill.api.cameras.pasted import free_name, taken_apart
from imagemill.cameras.credentials import secret_of
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, form_token, wait_for
from mills import running_mill
from page.conftest import browser, chromium  # noqa: F401 - fixtures

PASSWORD = "hunter-2-never-seen"
PASTED = f"rtsp://viewer:{PASSWORD}@10.1.2.3:8554/live?channel=1"
FORM = {"frames_per_second": "1", "sensitivity": "50", "enabled": "on", "loop": "on", "paced": "on", "areas": "",
        "more": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "bare", "user", "password", "host"),
    [
        ("rtsp://a:b@10.0.0.5/x", "rtsp://10.0.0.5/x", "a", "b", "rtsp://10.0.0.5"),
        ("RTSP://a:b@Cam.Example:8554/x?y=1#z", "rtsp://Cam.Example:8554/x?y=1#z", "a", "b", "rtsp://cam.example:8554"),
        ("http://a:p%40%3A%2F@10.0.0.5:8080/", "http://10.0.0.5:8080/", "a", "p@:/", "http://10.0.0.5:8080"),
        ("https://a@cam.example/", "https://cam.example/", "a", "", "https://cam.example"),
        ("rtsp://a:p@ss@10.0.0.5/x", "rtsp://10.0.0.5/x", "a", "p@ss", "rtsp://10.0.0.5"),
        ("rtsp://a:b@[fd00::5]:554/x", "rtsp://[fd00::5]:554/x", "a", "b", "rtsp://[fd00::5]"),
    ],
)
def test_an_address_is_taken_apart(address: str, bare: str, user: str, password: str, host: str) -> None:
    pasted = taken_apart(address)
    assert pasted is not None
    assert pasted.address == bare
    assert pasted.entry == {"user": user, "password": password, "hosts": [host]}
    assert password == "" or password not in repr(pasted)


@pytest.mark.parametrize(
    "address", ["", "rtsp://10.0.0.5/x", "file:a@b", "ftp://a:b@c/", "rtsp://a:b@/x", "rtsp://a:b@*.example/", "rtsp://[",
                "rtsp://a:b@host:99999999/x", "/x@y", "rtsp://a:b@*/"]
)  # fmt: skip
def test_what_is_none_is_left_alone(address: str) -> None:
    assert taken_apart(address) is None


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("yard", ()) == "yard"
    assert free_name("yard", ("yard", "yard-2")) == "yard-3"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "credentials.yaml"
    path.write_text("# mine\nold: {user: x, password: y, hosts: [rtsp://10.9.9.9]}\n")
    return path


@pytest.fixture(scope="module")
def mill(
    rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory, credentials: Path
) -> Iterator[Mill]:
    with running_mill(
        rabbit, couch, tmp_path_factory.mktemp("pasted"), camera_credentials_file=credentials,
        secret_files_writable=True,
    ) as running:  # fmt: skip
        yield running


def said(mill: Mill) -> str:
    """All that somebody could read of it: the API's answers, the audit, the pages, the logs."""
    paths = ("/api/v1/cameras", "/api/v1/audit", "/cameras", "/cameras/yard", "/access/changes")
    pages = [mill.get(path, headers={"Accept": "text/html, application/json"}).text for path in paths]
    return "\n".join([*pages, mill.log("api", 10_000)])


def test_a_pasted_password_is_kept_for_its_host_alone_and_shown_nowhere(mill: Mill, credentials: Path) -> None:
    token = form_token(mill.get("/cameras/new", headers={"Accept": "text/html"}).text)
    form = FORM | {"form_token": token, "name": "Yard", "address": PASTED, "keep_credentials": "on"}
    answer = mill.post("/cameras", data=form, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cameras/yard?saved")
    camera = mill.get("/api/v1/cameras/yard").json()
    assert camera["address"] == "rtsp://10.1.2.3:8554/live?channel=1"
    assert camera["credentials"] == "yard"
    secret = secret_of(credentials, "yard")
    assert secret.login is not None
    assert (secret.login.user, secret.login.password) == ("viewer", PASSWORD)
    assert secret.hosts == ("rtsp://10.1.2.3:8554",)
    assert credentials.read_text().startswith("# mine\nold:")
    assert PASSWORD not in said(mill)
    entries = mill.get("/api/v1/audit").json()["entries"]
    (kept,) = [one for one in entries if one["action"] == "camera-credentials.add"]
    assert (kept["subject"], kept["after"]) == ("yard", {"hosts": ["rtsp://10.1.2.3:8554"]})

    # Another password for the same camera is another entry: what is there is never sent elsewhere.
    again = form | {"address": PASTED.replace("10.1.2.3", "10.4.4.4"), "revision": camera["revision"]}
    assert mill.post("/cameras/yard", data=again, allow_redirects=False).status_code == 303
    assert mill.get("/api/v1/cameras/yard").json()["credentials"] == "yard-2"
    assert secret_of(credentials, "yard").hosts == ("rtsp://10.1.2.3:8554",)


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 422), ({"keep_credentials": "on", "frames_per_second": "1000"}, 422),
     ({"keep_credentials": "on", "address": "rtsp://a:b@127.0.0.1/x"}, 422),
     ({"keep_credentials": "on", "id": "yard"}, 409)],
)  # fmt: skip
def test_what_cannot_be_saved_leaves_nothing_behind(
    mill: Mill, credentials: Path, change: dict[str, str], status: int
) -> None:
    mill.post("/api/v1/cameras", json={"name": "Yard"})
    before = credentials.read_text()
    token = form_token(mill.get("/cameras/new", headers={"Accept": "text/html"}).text)
    form = FORM | {"form_token": token, "name": "Gate", "address": PASTED} | change
    answer = mill.post("/cameras", data=form)
    assert answer.status_code == status
    assert PASSWORD not in answer.text
    assert credentials.read_text() == before
    assert PASSWORD not in said(mill)


@pytest.mark.parametrize(("path", "status"), [("/cameras/door", 412), ("/cameras/nowhere", 404)])
def test_what_was_changed_or_removed_meanwhile_leaves_nothing_behind(
    mill: Mill, credentials: Path, path: str, status: int
) -> None:
    mill.post("/api/v1/cameras", json={"name": "Door"})
    before = credentials.read_text()
    token = form_token(mill.get("/cameras/new", headers={"Accept": "text/html"}).text)
    form = FORM | {"form_token": token, "name": "Door", "address": PASTED, "keep_credentials": "on", "revision": "1-a"}
    assert mill.post(path, data=form).status_code == status
    assert credentials.read_text() == before


def test_the_api_itself_refuses_a_password_as_before(mill: Mill) -> None:
    answer = mill.post("/api/v1/cameras", json={"name": "x", "address": PASTED})
    assert (answer.status_code, answer.json()["member"]) == (422, "address")
    assert PASSWORD not in answer.text


def test_the_offer_is_there_when_a_password_is_in_the_address(
    mill: Mill,
    browser: Callable[..., object],  # noqa: F811
) -> None:
    driver = browser(390, 844)
    driver.get(f"{mill.url}/cameras/new")
    offer = driver.find_element(By.ID, "keep")
    wait_for(lambda: not offer.is_displayed(), "the script")
    driver.find_element(By.ID, "address").send_keys(PASTED)
    assert offer.is_displayed()
    driver.find_element(By.ID, "name").send_keys("Drive")
    driver.find_element(By.ID, "name").send_keys(Keys.ENTER)
    wait_for(lambda: "/cameras/drive?saved" in driver.current_url, "it to be saved")
    assert PASSWORD not in driver.page_source
