"""What is compressed, and what never is; static files are asked for once."""

import gzip
import re
from pathlib import Path

import pytest
import requests

import pictures
from imagemill.api.web.compression import betrays_nothing, is_compressible
from imagemill.api.web.static_files import StaticFiles
from mill import Mill

OURS = {"Sec-Fetch-Site": "same-origin"}
ZIPPED = {"Accept-Encoding": "gzip", "Accept": "text/html"}


@pytest.mark.parametrize(
    ("asked_by", "has_form_token", "may"),
    [
        ("same-origin", True, True), ("none", True, True), ("cross-site", True, False),
        ("same-site", False, False), (None, True, False), (None, False, True),
    ],
)  # fmt: skip
def test_no_page_of_another_site_learns_from_lengths(asked_by: str | None, has_form_token: bool, may: bool) -> None:
    assert betrays_nothing(asked_by, has_form_token) is may


@pytest.mark.parametrize(
    ("mimetype", "size", "does"),
    [
        ("text/html", 1024, True), ("text/html", 1023, False), ("application/json", 9000, True),
        ("image/png", 9000, False), ("text/event-stream", 9000, False), ("application/zip", 9000, False),
        (None, 9000, False),
    ],
)  # fmt: skip
def test_only_texts_that_are_long_enough_are_compressed(mimetype: str | None, size: int, does: bool) -> None:
    assert is_compressible(mimetype, size) is does


def asked(mill: Mill, path: str, **headers: str) -> requests.Response:
    return requests.get(mill.url + path, headers={**ZIPPED, **headers}, timeout=60)


def test_a_page_is_a_fraction_of_its_length(mill: Mill) -> None:
    page = asked(mill, "/find?q=nothing", **OURS)
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page.headers["Vary"]
    assert int(page.headers["Content-Length"]) < len(page.content) / 2
    plain = asked(mill, "/find?q=nothing", **OURS, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert len(plain.content) == len(page.content)


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
def test_a_page_with_a_token_is_compressed_for_ours_alone(mill: Mill, site: str) -> None:
    page = asked(mill, "/find?q=form_token", **({"Sec-Fetch-Site": site} if site else {}))
    assert "form_token" in page.text
    assert "Content-Encoding" not in page.headers


def test_json_is_compressed_and_pictures_are_not(mill: Mill) -> None:
    (image,) = mill.accepted(pictures.photo_jpeg(640, 480, 7))
    mill.ended(image)
    document = asked(mill, "/api/v1/openapi.json", Accept="application/json")
    assert document.headers["Content-Encoding"] == "gzip"
    assert document.json()["openapi"]
    result = asked(mill, f"/api/v1/images/{image}/result", **OURS)
    assert result.headers["Content-Type"] == "image/png"
    assert "Content-Encoding" not in result.headers


def test_an_event_stream_is_not_compressed(mill: Mill) -> None:
    with requests.get(f"{mill.url}/api/v1/events", headers=ZIPPED | OURS, stream=True, timeout=60) as stream:
        assert "Content-Encoding" not in stream.headers


def test_static_files_are_never_asked_for_again_and_change_their_address(mill: Mill) -> None:
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', mill.get("/").text))
    assert len(addresses) >= 4
    for address in addresses:
        found = asked(mill, address)
        assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    style = next(address for address in addresses if address.endswith("page.css"))
    assert asked(mill, style).headers["Content-Encoding"] == "gzip"
    other = re.sub(r"/static/\w+/", "/static/0123456789abcdef/", style)
    assert asked(mill, other).headers["Cache-Control"] == "no-cache"
    assert asked(mill, "/static/page.css").headers["Cache-Control"] == "no-cache"
    assert asked(mill, "/static/none.css").status_code == 404


def test_the_version_is_that_of_all_files(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    (folder / "js").mkdir(parents=True)
    (folder / "js" / "main.js").write_text("import './live.js';\n" * 100)
    before = StaticFiles(folder)
    assert StaticFiles(folder).version == before.version
    packed = before.files["js/main.js"].packed
    assert packed is not None
    assert gzip.decompress(packed) == before.files["js/main.js"].data
    (folder / "js" / "live.js").write_text("")
    assert StaticFiles(folder).version != before.version
