"""A picture's story as the journal keeps it."""

from imagemill.domain.ids import timestamp, uuid7
from imagemill.store import activity_log
from imagemill.store.couch import Couch

STEPS = ["accepted", "taken", "done", "stored"]


def test_steps_of_one_millisecond_are_told_in_their_order(couchdb_url: str, couchdb_prefix: str) -> None:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    activity_log.prepare(couch)
    for _ in range(5):  # what they are stored under has no order
        image, at = uuid7(), timestamp()
        activity_log.write(couch, [{"at": at, "kind": kind, "image": image} for kind in STEPS])
        assert [record["kind"] for record in activity_log.story(couch, image)] == STEPS
