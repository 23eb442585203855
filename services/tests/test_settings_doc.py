"""docs/settings.md tells every setting, and nothing secret."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from imagemill.process import settings_doc
from imagemill.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_document_is_what_the_program_says() -> None:
    assert DOCUMENT.read_text("utf-8") == settings_doc.text(), (
        "docs/settings.md is out of date: run `python -m imagemill.process.settings_doc docs/settings.md`"
    )


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_description_that_is_a_sentence(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert description[:1].isupper() or not description[:1].isalpha()
    assert description.endswith((".", ")"))


def test_every_setting_has_a_row_with_its_variable() -> None:
    for name in Settings.model_fields:
        (row,) = [line for line in settings_doc.text().splitlines() if line.startswith(f"| `{name}` |")]
        assert f"`IMAGEMILL_{name.upper()}`" in row
    assert "`AMQP_URL`" in settings_doc.text()


def test_passwords_of_defaults_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Field(SecretStr("amqp://user:hunter2@host:5672/"), description="The broker.")
    monkeypatch.setitem(Settings.model_fields, "amqp_url", secret)
    assert "`amqp://host:5672/` (secret)" in settings_doc.text()
    assert "hunter2" not in settings_doc.text()


def test_the_document_is_written_where_one_says(tmp_path: Path) -> None:
    settings_doc.main([str(tmp_path / "settings.md")])
    assert (tmp_path / "settings.md").read_text("utf-8") == settings_doc.text()
