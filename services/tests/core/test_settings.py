import pytest
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
