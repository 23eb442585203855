"""An alert's ZIP opens without a network; a stranger's writes nothing outside its folder, and runs nothing."""

import io
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from imagemill.alerting.offline import offline_page, policy
from imagemill.cli import alert_archive
from imagemill.cli.alert_archive import AlertArchive
from imagemill.cli.client import ApiError
from page.conftest import browser, chromium  # noqa: F401 - fixtures
from pictures import photo_jpeg

HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">'\"&"
ALERT: dict[str, Any] = {
    "number": 17, "camera": HOSTILE, "kind": "motion", "description": HOSTILE, "started_at": "2026-11-21T09:15:02Z",
    "rules": [HOSTILE], "reason": HOSTILE, "kept": True, "pinned": False, "url": "/alerts/17",
    "acknowledged": {"by": HOSTILE, "at": "2026-11-21T09:16:02Z", "note": HOSTILE},
    "details": {"started_at": HOSTILE, "ended_at": None, "score": 0.93, "zones": [HOSTILE], "class": "alert",
                "pictures": []},
    "sent": [{"channel": HOSTILE, "result": "sent", "at": "2026-11-21T09:15:04Z", "answer": HOSTILE,
              "attempt": 1, "attached": "", "next_at": None}],
}  # fmt: skip


def packed(path: Path, files: dict[str, bytes], **alert: Any) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("alert-17/alert.json", json.dumps(ALERT | alert))
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_the_page_shows_the_alert_from_a_folder_and_runs_nothing(
    tmp_path: Path,
    browser: Callable[..., Chrome],  # noqa: F811
) -> None:
    names = ("best.jpg", "annotated.jpg", "before.jpg", "strip-00.jpg", "strip-01.jpg")
    files = {f"alert-17/{name}": photo_jpeg(96, 64, place) for place, name in enumerate(names)}
    page = AlertArchive(packed(tmp_path / "17.zip", files)).unpack(tmp_path / "out")
    driver = browser()
    driver.get(page.as_uri())
    assert driver.execute_script("return document.title").startswith("Alert 17: <script>")
    sizes = driver.execute_script("return [...document.images].map((image) => image.naturalWidth)")
    assert sizes == [96] * 5
    assert driver.execute_script("return getComputedStyle(document.querySelector('dl')).display") == "grid"
    assert driver.execute_script("return document.querySelectorAll('script, [onerror]').length") == 0
    # Even if something were in it: it may load nothing, run nothing, send nothing.
    blocked = driver.execute_async_script("""
        const done = arguments[0], found = [];
        document.addEventListener('securitypolicyviolation', (event) => found.push(event.effectiveDirective));
        const script = document.createElement('script');
        script.textContent = "document.title = 'run'";
        document.body.append(script);
        new Image().src = 'http://127.0.0.1:1/x.png';
        fetch('http://127.0.0.1:1/').catch(() => setTimeout(() => done(found), 100));""")
    assert {"script-src-elem", "img-src", "connect-src"} <= set(blocked)
    assert driver.execute_script("return document.title") != "run"


@pytest.mark.parametrize(
    "name",
    ["../../evil.jpg", "/tmp/evil.jpg", "..\\..\\evil.jpg", "alert-17/../../evil.jpg", "C:\\evil.jpg",
     "alert-17/evil.html", "alert-17/EVIL.JPG", "alert-17/.jpg", "alert-17/evil.jpg\x00.html", "alert-17/index.html",
     "evil.jpg/"],
)  # fmt: skip
def test_nothing_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b" / "out"
    AlertArchive(packed(tmp_path / "17.zip", {name: photo_jpeg(8, 8)})).unpack(folder)
    written = {path for path in tmp_path.rglob("*") if path.is_file() and path.name != "17.zip"}
    assert {path.parent for path in written} == {folder}
    assert {path.name for path in written} <= {"alert.json", "index.html", "evil.jpg"}
    assert "evil.html" not in (folder / "index.html").read_text()
    assert not Path("/tmp/evil.jpg").exists()


def test_a_link_in_the_zip_is_no_link_in_the_folder(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("alert-17/alert.json", json.dumps(ALERT))
        link = zipfile.ZipInfo("alert-17/best.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "17.zip").write_bytes(made.getvalue())
    AlertArchive(tmp_path / "17.zip").unpack(tmp_path / "out")
    assert not (tmp_path / "out" / "best.jpg").exists()


def test_what_is_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_archive, "_MOST_BYTES", 1_000_000)
    bomb = packed(tmp_path / "17.zip", {"alert-17/best.jpg": b"\xff\xd8\xff" + bytes(3_000_000)})
    with pytest.raises(ApiError, match="is larger than"):
        AlertArchive(bomb).unpack(tmp_path / "out")
    many = packed(tmp_path / "many.zip", {f"alert-17/{number}.jpg": b"" for number in range(600)})
    with pytest.raises(ApiError, match="it has 601 files"):
        AlertArchive(many)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"no zip", "it is no ZIP"), (b"", "it is no ZIP"), (b"PK\x05\x06" + bytes(18), "it has no alert.json")],
)
def test_what_is_no_alert_is_told_in_a_sentence(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(ApiError, match=why):
        AlertArchive(tmp_path / "x.zip")


@pytest.mark.parametrize("content", ["[", "[]", '{"number": "17"}', "[" * 100_000])
def test_json_that_describes_no_alert_is_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("alert.json", content)
    with pytest.raises(ApiError, match="is not the ZIP of an alert"):
        AlertArchive(tmp_path / "x.zip")


@pytest.mark.parametrize("wrong", [{}, {"details": 7, "sent": [1, None], "rules": {"a": 1}, "acknowledged": "x"}])
def test_a_page_is_made_of_whatever_is_there(wrong: dict[str, Any]) -> None:
    page = offline_page({"number": 1} | wrong, ["best.jpg", "../x.jpg", "y.png"])
    assert page.count("<img") == 1
    assert policy() in page.replace("&#x27;", "'")


def test_the_terminal_opens_a_zip_without_any_service(tmp_path: Path) -> None:
    """`$BROWSER` is what Python opens pages with."""
    zipped = packed(tmp_path / "17.zip", {"alert-17/best.jpg": photo_jpeg(96, 64)})
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    environment = {"BROWSER": str(opener), "TMPDIR": str(tmp_path / "tmp"), "PATH": "/usr/bin:/bin"}
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "imagemill.cli", "alert", str(zipped), "--open"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environment)
    assert shown.stdout.startswith("alert     17 (<script>")
    (folder,) = (tmp_path / "tmp").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (tmp_path / "opened").read_text().strip() == (folder / "index.html").as_uri()
    wrong = subprocess.run([*command[:-2], "seventeen"], capture_output=True, text=True, timeout=60, check=False)
    assert wrong.returncode == 2
    assert "neither a number from 1 nor a file that ends in .zip" in " ".join(wrong.stderr.replace("│", "").split())


def test_half_a_letter_is_told_as_what_is_no_alert(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="is not JSON"):
        AlertArchive(packed(tmp_path / "17.zip", {}, description="\ud800"))
