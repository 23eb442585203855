"""Who comes in and who is refused is written down; a flood of it is only counted."""

from structlog.testing import capture_logs

from api.access.conftest import ADMIN_TOKEN, Door
from imagemill.domain.access import Role


def test_who_comes_in_and_who_is_refused_is_in_the_log(door: Door) -> None:
    viewer = door.tokens[Role.VIEWER]
    with capture_logs() as lines:
        door.client.post("/login", data={"token": ADMIN_TOKEN})
        door.client.post("/login", data={"token": "wrong"})
        door.ask("GET", "/api/v1/tokens?secret=1", viewer)
        door.ask("GET", "/api/v1/totals", None)
    entry, *refused = [line for line in lines if line["event"] in ("logged in", "refused")]
    assert (entry["event"], entry["who"], entry["role"], entry["how"]) == ("logged in", "admin", "admin", "token")
    assert [(line["code"], line["who"], line["path"]) for line in refused] == [
        ("unauthorized", None, "/login"),
        ("forbidden", "the viewer", "/api/v1/tokens"),
        ("unauthorized", None, "/api/v1/totals"),
    ]
    assert not any(secret in str(lines) for secret in (ADMIN_TOKEN, viewer, "secret=1"))


def test_a_flood_of_refusals_does_not_fill_the_log(door: Door) -> None:
    with capture_logs() as lines:
        for _ in range(150):
            door.ask("GET", "/api/v1/totals", None)
    assert sum(line["event"] == "refused" for line in lines) < 140
