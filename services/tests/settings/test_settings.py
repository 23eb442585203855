from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from imagemill.settings import Settings


def test_addresses_are_read_from_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "amqp://u:hush-hush@h/")
    monkeypatch.setenv("COUCHDB_URL", "http://u:hush-hush@h")
    settings = Settings()
    assert settings.amqp_url.get_secret_value() == "amqp://u:hush-hush@h/"
    assert "hush-hush" not in repr(settings)


def test_pools_are_read_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEMILL_POOLS", '{"a": ["gray"], "b": ["*"]}')
    assert Settings().pools == {"a": ["gray"], "b": ["*"]}


@pytest.mark.parametrize("pools", [{}, {"a": ["gray"]}, {"a": ["*"], "b": ["*"]}, {"A b": ["*"]}])
def test_pools_which_cannot_route_everything_are_refused(pools: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        Settings(pools=pools)


def test_prefetch_is_three_per_thread_unless_set() -> None:
    assert Settings(worker_threads=4).prefetch == 12
    assert Settings(worker_threads=4, worker_prefetch=5).prefetch == 5


def test_the_space_of_the_chart_holds_the_files_of_all_forms() -> None:
    chart = yaml.safe_load((Path(__file__).parents[3] / "charts" / "imagemill" / "values.yaml").read_text("utf-8"))
    settings = Settings()
    assert chart["api"]["uploadSpace"] == "2Gi"
    # The largest request is taken when it is alone, and room is left for what else lies there.
    assert settings.max_request_bytes <= settings.max_spooled_bytes <= 0.75 * 2 * 1024**3
