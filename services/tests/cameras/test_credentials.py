"""What a camera needs to be opened: the settings' yes, and secrets that are its host's."""

from pathlib import Path

import pytest

from imagemill.cameras.credentials import names_of, problem_of, secret_of
from imagemill.cameras.feeds import Credentials, FeedError
from imagemill.cameras.specs import spec_of
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings

REPOSITORY = Path(__file__).parents[3]
FILE = """
cam-1: {user: viewer, password: hunter2, hosts: cam}
old-cam: {query: user=viewer&pwd=hunter2, hosts: ["http://10.1.0.0/16", "http://*.cams.example"]}
silent: {user: viewer, password: hunter2}
typo: {user: viewer, password: hunter2, hosts: ["rtps://cam"]}
wrong: hunter2
"""
NAMES = ["cam-1", "old-cam", "silent", "typo", "wrong"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "credentials.yaml"
    file.write_text(FILE)
    return Settings(camera_credentials_file=file, camera_folder=tmp_path)


def camera(address: str, credentials: str | None = None) -> Camera:
    return Camera(id="cam", name="Cam", address=address, credentials=credentials)


def test_a_login_goes_beside_the_address(settings: Settings) -> None:
    spec = spec_of(camera("rtsp://cam/stream", "cam-1"), settings)
    assert (spec.address, spec.credentials) == ("rtsp://cam/stream", Credentials("viewer", "hunter2"))
    assert "hunter2" not in repr(secret_of(settings.camera_credentials_file, "cam-1"))
    assert "hunter2" not in repr(secret_of(settings.camera_credentials_file, "old-cam"))


@pytest.mark.parametrize("address", ["http://10.1.2.3/snap?size=big", "http://yard.cams.example/snap"])
def test_a_query_is_added_for_its_own_hosts(settings: Settings, address: str) -> None:
    assert spec_of(camera(address, "old-cam"), settings).address.endswith("user=viewer&pwd=hunter2")


@pytest.mark.parametrize(
    ("address", "credentials", "words"),
    [
        ("http://10.2.0.1/", "old-cam", "are not for http://10.2.0.1; they are for http://10.1.0.0/16"),
        ("http://evil.example/", "old-cam", "are not for http://evil.example"),
        ("http://10.1.2.3:8000/", "old-cam", "are not for http://10.1.2.3:8000"),
        ("rtsp://10.1.2.3/", "old-cam", "are not for rtsp://10.1.2.3"),
        ("http://cam/", "cam-1", "are not for http://cam"),
        ("http://cam/", "silent", "do not say where they may be sent; write the addresses of their cameras"),
        ("http://cam/", "typo", "'rtps://cam' is no address of cameras; write rtsp://10.0.0.5"),
        ("http://cam/", "unknown", "not in the credentials file"),
        ("http://cam/", "wrong", "must have user and password"),
    ],
)
def test_why_there_are_none_is_said_without_them(
    settings: Settings, address: str, credentials: str, words: str
) -> None:
    with pytest.raises(FeedError, match=words) as error:
        spec_of(camera(address, credentials), settings)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("content", ["- hunter2", "hunter2: [", "\x00"])
def test_a_file_that_cannot_be_read_is_not_shown(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(content)
    with pytest.raises(FeedError, match="the credentials file") as error:
        secret_of(file, "cam-1")
    assert "hunter2" not in str(error.value)
    assert names_of(file) == []


def test_where_there_is_no_file_it_is_said_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"there is no credentials file yet: docs/cameras\.md, Passwords"):
        secret_of(tmp_path / "none.yaml", "cam-1")


def test_a_changed_password_is_used_and_names_are_told(settings: Settings) -> None:
    file = settings.camera_credentials_file
    assert file is not None
    assert names_of(file) == NAMES
    file.write_text(FILE.replace("hunter2", "hunter3"))
    assert spec_of(camera("rtsp://cam/", "cam-1"), settings).credentials == Credentials("viewer", "hunter3")


def test_credentials_without_hosts_are_refused_unless_a_setting_takes_them(settings: Settings) -> None:
    file = settings.camera_credentials_file
    problem = problem_of(file, anywhere=False)
    assert problem is not None
    for words in ("'silent' in", 'hosts: ["rtsp://10.0.0.5"]', "IMAGEMILL_CAMERA_CREDENTIALS_ANYWHERE=true"):
        assert words in problem
    assert "hunter2" not in problem
    assert "'cam-1'" not in problem
    assert problem_of(file, anywhere=True) is None
    anywhere = settings.model_copy(update={"camera_credentials_anywhere": True})
    assert spec_of(camera("http://cam/", "silent"), anywhere).credentials == Credentials("viewer", "hunter2")
    with pytest.raises(FeedError, match="are not for"):
        spec_of(camera("http://evil.example/", "old-cam"), anywhere)


def test_the_login_of_the_cluster_tests_is_for_their_camera() -> None:
    file = REPOSITORY / "e2e" / "camera" / "credentials.yaml"
    assert problem_of(file, anywhere=False) is None
    secret_of(file, "yard").check("yard", "rtsp://yard-camera:8554/yard")


def test_without_a_file_there_is_nothing_to_refuse(tmp_path: Path) -> None:
    assert problem_of(None, anywhere=False) is None
    assert problem_of(tmp_path / "none.yaml", anywhere=False) is None


def test_paths_are_below_the_folder(settings: Settings, tmp_path: Path) -> None:
    assert spec_of(camera("clip.mp4"), settings).address == str(tmp_path / "clip.mp4")
    assert spec_of(camera("file:clip.mp4"), settings).kind == "video"
    (tmp_path / "pictures").mkdir()
    assert spec_of(camera("pictures"), settings).kind == "folder"
