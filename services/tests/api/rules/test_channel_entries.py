"""Channels are added from the page to the alerter's file; what they hold is shown nowhere, and spoils no file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill.alerter.channels import parse
from imagemill.api.rules.channel_entries import add_channel, entry_of
from imagemill.domain.addresses import AddressPolicy
from imagemill.domain.errors import Invalid
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.process.secret_files import SecretFile
from mill import Mill, form_token
from mills import running_mill

SECRET = "sixteen-bytes-never-seen"
ADDRESS = "https://office.example/never-seen"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("channels") / "channels.yaml"
    path.write_text("# ours\nmail: {apprise: 'mailtos://a:b@mail.example'}\n")
    return path


@pytest.fixture(scope="module")
def mill(
    rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory, file: Path
) -> Iterator[Mill]:
    folder = tmp_path_factory.mktemp("mill")
    with running_mill(rabbit, couch, folder, channels_file=file, secret_files_writable=True) as running:
        yield running


def posted(mill: Mill, **form: str) -> tuple[int, str, str]:
    token = form_token(mill.get("/alerts/rules", headers={"Accept": "text/html"}).text)
    answer = mill.post("/alerts/channels", data={"form_token": token, **form}, allow_redirects=False)
    return answer.status_code, answer.text, answer.headers.get("Location", "")


def test_a_channel_is_kept_and_shown_nowhere(mill: Mill, file: Path) -> None:
    status, _, location = posted(mill, name="office", kind="webhook", address=ADDRESS, secret=SECRET)
    assert (status, location) == (303, "/alerts/rules?channel=office")
    known = parse(file.read_text(), AddressPolicy())
    assert (known["office"].address, known["office"].secret) == (ADDRESS, SECRET.encode())
    assert file.read_text().startswith("# ours\nmail:")
    said = [mill.get(path).text for path in ("/alerts/rules?channel=office", "/api/v1/channels", "/api/v1/audit")]
    assert "The channel <b>office</b> is kept." in said[0]
    assert all("never-seen" not in text for text in [*said, mill.log("api", 10_000)])
    again = posted(mill, name="office", kind="apprise", address="slack://other")
    assert again[0] == 409
    assert parse(file.read_text(), AddressPolicy())["office"].kind == "webhook"


@pytest.mark.parametrize(
    ("member", "form"),
    [
        ("name", {"name": "The Desk"}), ("kind", {"kind": "pigeon"}), ("address", {"address": "never-seen"}),
        ("address", {"address": "ftp://never-seen.example"}), ("secret", {"secret": "short"}),
        ("address", {"kind": "apprise", "address": "never-seen"}), ("address", {"address": "https://never-seen x/"}),
        ("address", {"kind": "apprise", "address": "tgram://[never-seen"}),
    ],
)  # fmt: skip
def test_what_the_alerter_would_not_take_is_told_beside_its_field(
    mill: Mill, file: Path, member: str, form: dict[str, str]
) -> None:
    before = file.read_text()
    whole = {"name": "desk", "kind": "webhook", "address": ADDRESS, "secret": SECRET} | form
    status, page, _ = posted(mill, **whole)
    assert status == 422
    assert f'id="wrong-{member}"' in page or member == "kind"
    assert "never-seen" not in page
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("kind", "address"),
    [("webhook", "http://10.0.0.5:8080/x?y=1"), ("apprise", "ntfy://topic"), ("apprise", "mailtos://a:b@c?to=d#{e:f")],
)
def test_the_alerter_reads_every_entry_that_is_made(tmp_path: Path, kind: str, address: str) -> None:
    SecretFile(tmp_path / "x.yaml").add("one", entry_of("one", kind, address, SECRET))
    assert parse((tmp_path / "x.yaml").read_text(), AddressPolicy())["one"].address == address


def test_where_the_file_may_not_be_written_nothing_is_kept() -> None:
    with pytest.raises(Invalid, match="may not be written"):
        add_channel(None, lambda *_: None, {"name": "x"})
