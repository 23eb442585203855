"""The ledger that `make bench-pages` fills is one that the programs could have written."""

from bench.pages.filling import Filling
from imagemill.domain.ids import is_batch_name, is_uuid
from imagemill.domain.images import Job, Outcome, Rejection

KINDS = {"job": Job, "outcome": Outcome, "rejection": Rejection}


def test_its_documents_are_jobs_outcomes_and_rejections_and_some_are_in_flight() -> None:
    filling = Filling(700)
    found = list(filling.ledger())
    models = [KINDS[document["type"]].model_validate(document) for document in found]
    assert all(document["_id"] == f"{document['type']}:{document['id']}" for document in found)
    assert all(is_uuid(item.id) and is_batch_name(item.batch) for item in models)
    jobs = [item.id for item in models if isinstance(item, Job)]
    outcomes = [item for item in models if isinstance(item, Outcome)]
    assert jobs == sorted(jobs) == filling.ids
    assert len(jobs) - len(outcomes) == 20
    failed = {item.id for item in outcomes if item.status == "failed"}
    assert failed
    assert {document["_id"] for document in filling.resolutions()} < failed
