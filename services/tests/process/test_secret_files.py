"""What people wrote into a file of secrets stays; an entry is added whole or not at all, for its owner alone."""

import stat
import threading
from pathlib import Path

import pytest
import yaml

from imagemill.domain.errors import AlreadyExists, Invalid
from imagemill.process.secret_files import SecretFile

ENTRY = {"user": "ann", "password": "pa\"ss: #{'\n\u2028é😀", "hosts": ["rtsp://10.0.0.5:8554"]}
WRITTEN = """# The cameras of the yard.
front-door: {user: viewer, password: "…", hosts: ["rtsp://10.0.0.5"]}   # the old one
gate:
  user: eve
  password: secret-of-eve"""


def test_comments_and_entries_stay_and_the_new_one_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text(WRITTEN)
    path.chmod(0o644)
    SecretFile(path).add("yard: #", ENTRY)
    assert path.read_text().startswith(WRITTEN + "\n")
    assert yaml.safe_load(path.read_text())["yard: #"] == ENTRY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["credentials.yaml"]


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    SecretFile(tmp_path / "new.yaml").add("yard", ENTRY)
    assert yaml.safe_load((tmp_path / "new.yaml").read_text()) == {"yard": ENTRY}
    assert stat.S_IMODE((tmp_path / "new.yaml").stat().st_mode) == 0o600


def test_an_entry_is_never_changed(tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text(WRITTEN)
    with pytest.raises(AlreadyExists, match="'gate' already"):
        SecretFile(path).add("gate", ENTRY)
    assert path.read_text() == WRITTEN


@pytest.mark.parametrize(
    "text", ['{"gate": {"user": "eve"}}\n', "- a\n", "gate: {user: [eve\n", "gate: 1\n...\n", "a: 1\n---\nb: 2\n",
             "\t", "eve"]
)  # fmt: skip
def test_what_nothing_can_be_added_to_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text(text)
    with pytest.raises(Invalid) as refused:
        SecretFile(path).add("yard", ENTRY)
    assert refused.value.code == "unwritable-file"
    assert "eve" not in str(refused.value)
    assert path.read_text() == text


def test_a_link_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    with pytest.raises(Invalid, match="is a link"):
        SecretFile(tmp_path / "link.yaml").add("yard", ENTRY)
    with pytest.raises(Invalid, match="No such file"):
        SecretFile(tmp_path / "none" / "x.yaml").add("yard", ENTRY)


def test_many_add_at_once_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    threads = [threading.Thread(target=SecretFile(path).add, args=(f"camera-{n}", ENTRY)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(yaml.safe_load(path.read_text())) == 24
