"""A picture's story as the journal keeps it."""

from imagemill import activity_databases
from imagemill.couch import Couch
from imagemill.ids import timestamp, uuid7

STEPS = ["accepted", "taken", "done", "stored"]


def test_steps_of_one_millisecond_are_told_in_their_order(couchdb_url: str, couchdb_prefix: str) -> None:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    activity_databases.prepare(couch)
    for _ in range(5):  # what they are stored under has no order
        image, at = uuid7(), timestamp()
        activity_databases.write(couch, [{"at": at, "kind": kind, "image": image} for kind in STEPS])
        assert [record["kind"] for record in activity_databases.story(couch, image)] == STEPS
