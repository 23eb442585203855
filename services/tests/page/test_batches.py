"""The table of batches, and the page of one, as a browser without scripts gets them."""

from imagemill.domain.ids import made_at, timestamp, uuid7
from imagemill.domain.images import Rejection
from page_site import BATCH, Site, failed_outcome, of_failure


def test_a_batch_without_a_name_is_called_by_what_is_in_it(site: Site) -> None:
    ledger = site.services.stores.ledger
    one, several, folder, refused = uuid7(), uuid7(), uuid7(), uuid7()
    jobs = [of_failure("kite.jpg", one), *(of_failure(f"{n}.jpg", several) for n in range(3))]
    jobs += [of_failure(f"Kyoto/day {n}/gate.jpg", folder) for n in range(2)]
    lone = Rejection(id=uuid7(), batch=refused, name="n", code="empty", detail="", at=timestamp())
    ledger.accept(jobs, [failed_outcome(jobs[0])], [lone])
    html = site.html("/batches")
    titles = {
        one: "kite.jpg", several: "3 pictures: 0.jpg, …", folder: "2 pictures from Kyoto", refused: "1 file rejected",
    }  # fmt: skip
    for batch, title in titles.items():
        assert f'<a class="title" href="/batches/{batch}" title="{title} ({batch})">{title}</a>' in html
        assert f"<title>{title} · Imagemill</title>" in site.html(f"/batches/{batch}")
    # The newest first, the ones that began in the same moment in the order of their names.
    assert html.index(f"/batches/{refused}") < html.index(f"/batches/{several}") < html.index(f"/batches/{one}")
    assert html.index(f"/batches/{one}") < html.index(f'href="/batches/{BATCH}"')
    assert '<span class="quiet">not yet</span>' in html


def test_a_batch_tells_when_it_began_and_ended_and_with_which_recipes(site: Site) -> None:
    job = of_failure("b.jpg", "timed")
    end = failed_outcome(job)
    late = end.trace[-1].model_copy(update={"at": timestamp(made_at(job.id) + 2.5)})
    site.services.stores.ledger.accept([job], [end.model_copy(update={"trace": [*end.trace, late]})], [])
    told = site.client.get("/api/v1/batches/timed").json
    assert told == next(one for one in site.client.get("/api/v1/batches").json["batches"] if one["id"] == "timed")
    assert told["began_at"] == timestamp(made_at(job.id))
    assert (told["ended_at"], told["recipes"]) == (late.at, {"gray": 1})
    html = site.html("/batches/timed")
    assert "<dd>2.5 s</dd>" in html
    assert '<a href="/pictures?batch=timed&amp;recipe=gray">gray</a>' in html
