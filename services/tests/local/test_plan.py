"""Which processes a run consists of, and the small decisions around them; nothing is started here."""

from pathlib import Path

import pytest

from imagemill.local import plan
from imagemill.local.accounts import couch_accounts
from imagemill.local.child import LONGEST_PAUSE_SECONDS, pause_seconds
from imagemill.local.servers import LocalError
from imagemill.local.settings import LocalSettings, load_local_settings

ADDRESSES = plan.Addresses("amqp://broker/", "http://database", "http://127.0.0.1:1/pools")


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    return LocalSettings(home=tmp_path, port=8099)


def test_every_program_is_told_where_everything_is(settings: LocalSettings) -> None:
    common = ADDRESSES.environment(settings)
    for name in plan.PROGRAMS:
        environment = plan.program(name, {"PATH": "/bin", "AMQP_URL": "another"}, common, 4711).environment
        assert environment["AMQP_URL"] == "amqp://broker/"
        assert environment["COUCHDB_URL"] == "http://database"
        assert environment["IMAGEMILL_HOME"] == str(settings.home)
        assert environment["IMAGEMILL_POOLS_URL"] == "http://127.0.0.1:1/pools"
        assert environment["PATH"] == "/bin"


@pytest.mark.parametrize("name", plan.PROGRAMS)
def test_every_program_says_on_a_port_of_its_own_how_it_is(settings: LocalSettings, name: str) -> None:
    process = plan.program(name, {}, ADDRESSES.environment(settings), 4711)
    assert process.ready_url == "http://127.0.0.1:4711/readyz"
    assert process.environment["IMAGEMILL_HEALTH_PORT"] == "4711"
    assert process.environment["IMAGEMILL_PORT"] == "8099"


def test_worker_knows_its_pool_and_has_a_log_of_its_own(settings: LocalSettings) -> None:
    process = plan.worker("heavy", 2, {}, ADDRESSES.environment(settings), 4711)
    assert (process.name, process.module) == ("worker-heavy-2", "imagemill.worker")
    assert process.environment["IMAGEMILL_POOL"] == "heavy"
    assert plan.log_file(settings.home, process.name) == settings.home / "log" / "worker-heavy-2.log"


def test_passwords_are_not_in_the_representation_of_a_plan(settings: LocalSettings) -> None:
    addresses = plan.Addresses("amqp://user:secret@broker/", "http://user:secret@database", "")
    process = plan.program("api", {}, addresses.environment(settings), 1)
    assert "secret" not in repr(addresses) + repr(process)


def test_pauses_between_restarts_grow_and_are_bounded() -> None:
    pauses = [pause_seconds(crashes) for crashes in range(1, 30)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEMILL_PORT", "eighty")
    with pytest.raises(LocalError, match=r"IMAGEMILL_PORT is 'eighty': .*integer"):
        load_local_settings()


def test_state_lies_in_the_checkout_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGEMILL_HOME", raising=False)
    assert load_local_settings().home.name == ".imagemill"
    monkeypatch.setenv("IMAGEMILL_HOME", "elsewhere")
    assert load_local_settings().home == Path.cwd().resolve() / "elsewhere"


def test_receivers_on_the_same_machine_are_told_unless_the_environment_says_otherwise() -> None:
    name = "IMAGEMILL_CHANNEL_ALLOW_LOOPBACK"
    common = ADDRESSES.environment(LocalSettings())
    assert plan.program("alerter", {}, common, 1).environment[name] == "true"
    assert plan.program("alerter", {name: "false"}, common, 1).environment[name] == "false"


def test_each_program_has_a_user_at_couchdb_and_only_the_writer_is_the_administrator_too(
    tmp_path: Path,
) -> None:
    told = couch_accounts("http://admin:secret@127.0.0.1:5984", "mill", tmp_path / "users")
    assert {*plan.PROGRAMS, plan.WORKER} == set(told)
    assert len({environment["COUCHDB_URL"] for environment in told.values()}) == len(told)
    for program, environment in told.items():
        assert environment["COUCHDB_URL"].startswith(f"http://mill-{program}:")
        assert ("secret" in str(environment)) == (program == "writer") == (environment["IMAGEMILL_PREPARE"] == "true")
    assert couch_accounts("http://admin:secret@127.0.0.1:5984", "mill", tmp_path / "users") == told
    assert (tmp_path / "users" / "api").stat().st_mode & 0o077 == 0
