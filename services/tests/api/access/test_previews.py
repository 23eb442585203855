"""Who may see previews: of results whoever may see results, of originals whoever may see originals."""

from api.access.conftest import Door
from imagemill.domain.access import Role


def test_a_viewer_sees_no_previews_of_originals(door: Door) -> None:
    path = "/api/v1/images/nothing/preview"
    for who in (Role.VIEWER, Role.UPLOADER):
        assert door.ask("GET", path, who).json["code"] == "unknown-image"
    refused = door.ask("GET", f"{path}?of=original", Role.VIEWER)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert "uploader" in refused.json["detail"]
    assert door.ask("GET", f"{path}?of=original", Role.UPLOADER).json["code"] == "unknown-image"


def test_there_are_previews_of_two_things(door: Door) -> None:
    answer = door.ask("GET", "/api/v1/images/nothing/preview?of=frame", Role.ADMIN)
    assert (answer.status_code, answer.json["code"]) == (400, "bad-of")
