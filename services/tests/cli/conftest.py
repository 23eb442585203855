"""The command line in this process, against a running Imagemill or a server that says what a test wants."""

import io
import sys
from collections.abc import Callable, Iterator

import pytest

from fake_api import Ended, FakeApi, served
from imagemill.cli.__main__ import main
from imagemill.cli.client import Client
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill
from mills import running_mill


@pytest.fixture
def imagemill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs `imagemill …` as from a shell."""
    monkeypatch.delenv("IMAGEMILL_API", raising=False)

    def run(*arguments: object, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "argv", ["imagemill", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Ended(int(end.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """One Imagemill for all tests of a module."""
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), max_image_bytes=2_000_000) as running:
        yield running


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    """An API of one's own making, which knows the recipes `gray` and `webp`."""
    with served() as api:
        yield api


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts take no time; the list tells how long they would have been."""
    paused: list[float] = []

    def pause(_client: Client, seconds: float) -> bool:
        paused.append(seconds)
        return True

    monkeypatch.setattr(Client, "pause", pause)
    return paused
