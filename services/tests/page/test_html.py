"""What the server renders, as a browser without scripts gets it."""

import re
import time
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pika
import pytest

import pictures
from imagemill.api.web.sections import SECTIONS, Section
from imagemill.domain.ids import timestamp
from imagemill.store import activity_log
from imagemill.wire.activity import activity_message
from imagemill.wire.broker import Delivery
from page_site import BATCH, HOSTILE, Site, failed_outcome, of_failure

PAGES = (
    "/", "/pictures", "/pictures?state=stored", "/pictures?state=in_flight", "/pictures?state=rejected",
    "/pictures?state=duplicate", "/failures", "/batches", "/batches/holiday", "/pools", "/live", "/find?q=waiting",
    "/webhooks", "/find?q=nothing-like-it", "/find", "/api/docs",
)  # fmt: skip


class Wellformed(HTMLParser):
    """Every element is closed, in order."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "rect", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert "style" not in names, "the policy forbids inline styles"
        assert not [name for name in names if name.startswith("on")], "the policy forbids inline handlers"
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.VOID


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_wellformed_and_adds_up(site: Site, path: str) -> None:
    html = site.html(path)
    parser = Wellformed()
    parser.feed(html)
    assert not parser.open
    assert len(parser.ids) == len(set(parser.ids))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html[html.index("data-equation") :][:1500]))
    assert "4 accepted = 2 stored + 1 failed (1 open) + 1 in flight 1 rejected at the door" in text


@pytest.mark.parametrize("path", [*PAGES, "/no/such/page"])
def test_every_page_forbids_foreign_and_inline_content(site: Site, path: str) -> None:
    answer = site.client.get(path, headers={"Accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style", answer.text)
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_section_has_a_page_and_a_drawing_in_the_rail(site: Site, section: Section) -> None:
    assert site.client.get(section.path).status_code == 200
    found = rf'<a href="{re.escape(section.path)}" data-key="{section.key}".*?</a>'
    (link,) = re.findall(found, site.html("/"), re.DOTALL)
    assert re.search(r"<svg[^>]*>\s*<(?!/)", link), f"_icons.html lacks the drawing {section.icon!r}"


def test_terms_of_the_equation_link_to_exactly_those_pictures(site: Site) -> None:
    html = site.html("/")
    for count, path in (
        (4, "/pictures"),
        (2, "/pictures?state=stored"),
        (1, "/failures?state=all"),
        (1, "/failures"),
        (1, "/pictures?state=in_flight"),
    ):
        assert re.search(rf'href="{re.escape(path)}"[^>]*><b[^>]*>{count}</b>', html)
        assert len(re.findall(r'<(?:li|tr)[^>]* data-key="[0-9a-f-]{36}"', site.html(path))) == count


def test_names_are_text_wherever_they_stand(site: Site) -> None:
    for path in ("/pictures", f"/pictures/{site.ids['stored']}", f"/batches/{BATCH}", "/find?q=onerror"):
        html = site.html(path)
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html
    assert HOSTILE not in site.html(f"/find?q={HOSTILE}")


def test_rejected_pictures_are_listed_with_code_and_reason(site: Site) -> None:
    html = site.html("/pictures?state=rejected")
    assert "notes.jpg" in html
    assert "not-an-image" in html
    assert "The file is not a picture." in html


def test_a_picture_shows_its_facts_and_its_way(site: Site) -> None:
    html = site.html(f"/pictures/{site.ids['stored']}")
    assert "64 × 48" in html
    assert "32 × 24" in html
    for words in ("waited <b>13 ms", "worked on <b>18 ms", "stored <b>42 ms", "worker-7, attempt 2", "73 ms in all"):
        assert words in html
    assert f"/api/v1/images/{site.ids['stored']}/result?download" in html


def test_a_failed_picture_shows_why_and_what_its_bytes_say(site: Site) -> None:
    html = site.html(f"/pictures/{site.ids['failed']}")
    assert "Its pixel data is damaged." in html
    assert "89 50 4e 47 0d 0a 1a 0a" in html
    assert "400 × 300 px" in html
    assert f'action="/pictures/{site.ids["failed"]}/retry"' in html


def test_a_picture_in_flight_says_what_is_to_come_and_renews_itself_without_scripts(site: Site) -> None:
    html = site.html(f"/pictures/{site.ids['in_flight']}")
    assert html.count('class="to-come"') == 3
    assert 'http-equiv="refresh"' in html


def test_pages_of_pictures_are_joined_by_a_cursor_that_keeps_the_filter(site: Site) -> None:
    first = site.html("/pictures?limit=3&batch=holiday")
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    assert "batch=holiday" in older[1]
    second = site.html(older[1].replace("&amp;", "&"))
    keys = [re.findall(r'data-key="([0-9a-f-]{36})"', html) for html in (first, second)]
    assert sorted(keys[0] + keys[1]) == sorted(site.ids.values())


def test_lists_show_previews_of_results_and_have_those_of_originals_at_hand(site: Site) -> None:
    job = site.services.stores.ledger.image(site.ids["stored"])
    assert job is not None
    for page in ("/pictures", f"/batches/{BATCH}", f"/find?q={job.job.original.sha256[:12]}"):
        html = site.html(page)
        assert f'<img src="/api/v1/images/{site.ids["stored"]}/preview" alt="" loading="lazy"' in html
        assert f'<img class="original" src="/api/v1/images/{site.ids["stored"]}/preview?of=original" alt=""' in html
        # As long as there is no result, a light original stands in for it.
        assert f'<img src="/api/v1/images/{site.ids["in_flight"]}/preview?of=original" alt=""' in html
        assert not re.search(r'<img[^>]+src="[^"]+/(result|original)"', html)
        assert 'aria-keyshortcuts="o"' in html


@pytest.mark.parametrize(
    ("kind", "of", "status", "code"),
    [
        ("stored", "result", 200, None),
        ("in_flight", "result", 404, "no-result-yet"),
        ("in_flight", "original", 200, None),
        ("failed", "result", 422, "undecodable"),
        ("failed", "original", 200, None),
    ],
)
def test_previews_are_there_or_say_why_not(site: Site, kind: str, of: str, status: int, code: str | None) -> None:
    answer = site.client.get(f"/api/v1/images/{site.ids[kind]}/preview?of={of}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == ("application/problem+json" if code else "image/png")
    assert code is None or answer.json["code"] == code


def test_failures_show_light_originals_alone(site: Site) -> None:
    html = site.html("/failures")
    assert f'src="/api/v1/images/{site.ids["failed"]}/preview?of=original"' in html
    assert 'class="original"' not in html


def test_a_batch_shows_its_own_equation(site: Site) -> None:
    html = site.html(f"/batches/{BATCH}")
    assert "/pictures?state=stored&amp;batch=holiday" in html or "/pictures?state=stored&batch=holiday" in html
    assert "notes.jpg" in html


def test_batches_stand_in_a_table_whose_numbers_lead_to_those_pictures(site: Site) -> None:
    html = site.html("/batches")
    for label, count, path in (
        ("Accepted", 4, f"/pictures?batch={BATCH}"),
        ("Stored", 2, f"/pictures?batch={BATCH}&amp;state=stored"),
        ("Failed", 1, f"/failures?batch={BATCH}&amp;state=all"),
        ("In flight", 1, f"/pictures?batch={BATCH}&amp;state=in_flight"),
    ):
        assert f'data-label="{label}"><a href="{path}">{count}</a>' in html
    assert f'<a class="bad" href="/failures?batch={BATCH}">1 open</a>' in html
    assert 'data-label="Erased"><span class="quiet">0</span>' in html
    assert f'<a href="/pictures?batch={BATCH}&amp;state=rejected">1 rejected</a>' in html
    assert "damaged" not in html.partition("<tbody>")[2]
    assert f'src="/api/v1/images/{site.ids["stored"]}/preview"' in html


@pytest.mark.parametrize(("query", "kind"), [("stored", "pictures"), (BATCH, "batches")])
def test_the_finder_goes_straight_to_an_id_and_to_a_batch(site: Site, query: str, kind: str) -> None:
    wanted = site.ids.get(query, query)
    answer = site.client.get("/find", query_string={"q": wanted})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/{kind}/{wanted}"


def test_the_finder_finds_the_beginning_of_a_name(site: Site) -> None:
    html = site.html("/find?q=WAIT")
    assert site.ids["in_flight"] in html
    assert site.ids["stored"] not in html


def test_the_finder_finds_what_a_batch_and_an_id_begin_with(site: Site) -> None:
    assert f'href="/batches/{BATCH}"' in site.html(f"/find?q={BATCH[:4]}")
    assert site.ids["failed"] in site.html(f"/find?q={site.ids['failed'][:-4]}")
    assert f'href="/batches/{BATCH}"' in site.html(f"/batches?prefix={BATCH[:4]}")
    assert f'href="/batches/{BATCH}"' not in site.html("/batches?prefix=zz")


def test_the_finder_goes_on_with_a_cursor(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagemill.api.web.search.PAGE", 1)
    sha256 = site.services.stores.ledger.image(site.ids["stored"]).job.original.sha256  # type: ignore[union-attr]
    found, path, pages = "", f"/find?q={sha256[:10]}", 0
    while path:
        html = site.html(path)
        found, pages = found + html, pages + 1
        link = re.search(r'rel="next" href="([^"]+)"', html)
        path = link[1].replace("&amp;", "&") if link else ""
    assert pages == 3
    assert all(site.ids[kind] in found for kind in ("stored", "duplicate", "in_flight"))
    assert "Nothing matches" in site.html("/find?q=nothing-like-it")


def test_the_log_begins_with_what_the_ledger_knows(site: Site) -> None:
    html = site.html("/live")
    rows = log_lines(html)
    told = {kind for kind, row in rows if site.ids["stored"] in row}
    assert told == {"accepted", "taken", "done", "stored"}
    (failed,) = [row for kind, row in rows if kind == "failed"]
    assert "broken.png" in failed
    assert "undecodable" in failed
    assert "&lt;img src=x" in html
    times = re.findall(r'<td class="when"><time datetime="([^"]+)"', html)
    assert times == sorted(times, reverse=True)


def test_the_log_begins_with_what_was_heard_before_it_was_opened(site: Site) -> None:
    records = [
        {"at": "2026-11-21T09:15:04.000Z", "kind": "taken", "image": site.ids["in_flight"], "by": "worker-7"},
        {"at": "2026-11-21T09:15:05.000Z", "kind": "alert", "number": "17", "camera": "yard", "by": "alerter-1"},
        {"at": "2026-11-21T09:15:06.000Z", "kind": "told", "number": "17", "channel": "desk", "result": "sent"},
        {"at": "2026-11-21T09:15:07.000Z", "kind": "camera-counts", "camera": "yard", "frames": 3600, "missed": 2},
        {"at": "2026-11-21T09:15:08.000Z", "kind": "camera", "camera": "yard", "state": "offline", "problem": "gone"},
    ]
    message = activity_message("test", records)
    properties = pika.BasicProperties(type=message.type)
    delivery = Delivery("", message.body, properties, 1, False, "", None, print)  # type: ignore[arg-type]
    site.services.hub.receive(delivery)
    rows = log_lines(site.html("/live"))
    assert [kind for kind, _ in rows[:4]] == ["camera", "told", "alert", "taken"]
    words = [" ".join(re.sub("<[^>]+>", " ", row).split()) for _, row in rows[:4]]
    assert "yard offline, gone" in words[0]
    assert "alert 17 desk, sent" in words[1]
    assert 'href="/alerts/17"' in rows[2][1]
    assert "waiting.png" in rows[3][1]


def log_lines(html: str) -> list[tuple[str, str]]:
    """The kind of each line of the log, and its HTML."""
    return re.findall(r'<tr data-key="[^"]+" data-kind="([a-z-]+)"[^>]*>(.*?)</tr>', html, re.DOTALL)


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=failed", {"failed"}),
        ("level=trouble", {"failed", "taken"}),
        ("text=BROKEN", {"accepted", "taken", "done", "failed"}),
        ("batch=holiday&by=api-1", {"accepted"}),
        ("text=broken&kind=stored", set()),
        ("pool=heavy", set()),
        ("camera=yard&text=no-such-thing", set()),
        ("level=odd&kind=failed", {"failed"}),
    ],
)
def test_the_log_shows_what_its_address_asks_for(site: Site, query: str, kinds: set[str]) -> None:
    html = site.html(f"/live?{query}")
    about = [site.ids["stored"], site.ids["failed"], site.ids["duplicate"]]
    found = {kind for kind, row in log_lines(html) if any(image in row for image in about)}
    assert found == kinds


def test_the_log_goes_back_in_time_in_the_journal_and_tears_no_moment_apart(site: Site) -> None:
    couch, image, hours = site.services.stores.couch, site.ids["in_flight"], time.time() - 7200
    early = [timestamp(hours + 60 * minute) for minute in range(40)]
    records = [{"at": at, "kind": "taken", "image": image, "by": f"worker-{n}"} for at in early for n in range(15)]
    activity_log.write(couch, [*records, {"at": early[3], "kind": "alert", "number": "9", "camera": "yard"}])
    path, seen, pages = f"/live?before={timestamp(hours + 2341)}", list[str](), 0
    while path:
        html = site.html(path)
        seen += [at for _, row in log_lines(html) for at in re.findall(r'datetime="([^"]+)"', row)]
        assert "waiting.png" in html
        link = re.search(r'rel="next" href="([^"]+)"', html)
        path, pages = link[1].replace("&amp;", "&") if link else "", pages + 1
    assert (len(seen), pages) == (601, 2)
    assert seen == sorted(seen, reverse=True)
    alone = site.html(f"/live?camera=yard&before={timestamp(hours + 3000)}")
    assert [kind for kind, _ in log_lines(alone)] == ["alert"]
    assert re.search(r'class="day"><th[^>]*>\w+day, \d+ \w+ 20', alone)


@pytest.mark.parametrize("before", ["yesterday", "0001-01-01T00:00:00Z", "-1", "2026-13-01", "%00"])
def test_a_time_that_cannot_be_meant_shows_the_newest_lines(site: Site, before: str) -> None:
    html = site.html(f"/live?before={before}")
    assert {"stored", "failed"} <= {kind for kind, _ in log_lines(html)}
    assert 'id="pause"' in html


@pytest.mark.parametrize("path", ["/pictures/no-such-id", "/batches/no-such-batch", "/nowhere"])
def test_what_is_not_there_is_a_page_for_people(site: Site, path: str) -> None:
    html = site.html(path, status=404)
    assert "<h1>Not Found</h1>" in html
    assert "accepted" in html


def test_what_is_not_there_is_a_problem_for_programs(site: Site) -> None:
    for path in ("/api/v1/nothing", "/nowhere"):
        answer = site.client.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 404
        assert answer.get_json()["code"] == "not-found"


def test_the_form_of_a_browser_without_scripts_says_what_is_wrong(site: Site) -> None:
    answer = site.post("/upload", {"recipe": "gray"})
    assert answer.status_code == 400
    assert "There is no file in the request" in answer.text
    answer = site.post("/upload", {"recipe": "nope", "file": (BytesIO(pictures.png()), "a.png")})
    assert answer.status_code == 400
    assert "There is no recipe" in answer.text


def test_without_a_broker_nothing_is_accepted_and_the_page_says_so(site: Site) -> None:
    answer = site.post("/upload", {"file": (BytesIO(pictures.png()), "a.png")})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "Nothing was accepted" in answer.text


def test_forms_of_other_sites_are_refused(site: Site) -> None:
    for path in ("/upload", "/failures/retry", f"/pictures/{site.ids['failed']}/retry"):
        assert site.client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_without_a_scaler_the_pools_page_says_what_to_do(site: Site) -> None:
    assert "IMAGEMILL_POOLS_URL" in site.html("/pools")


def test_the_api_document_has_every_route_with_a_curl_line(site: Site) -> None:
    html = site.html("/api/docs")
    for path in ("/api/v1/images", "/api/v1/batches/{batch}", "/image/{image_id}"):
        assert f"<code>{path}</code>" in html
    assert "curl -F file=@photo.jpg http://localhost/api/v1/images" in html


def test_an_alert_that_is_not_there_is_told_with_the_newest_one(site: Site) -> None:
    answer = site.client.get("/api/v1/alerts/17")
    assert answer.status_code == 404
    assert answer.get_json()["detail"] == "There is no alert 17; there has been none yet."


def test_all_that_match_are_discarded_in_bounded_portions(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagemill.api.images.failure_filter.MAX_AT_ONCE", 2)
    jobs = [of_failure(f"portion-{number}.png") for number in range(5)]
    site.services.stores.ledger.accept(jobs, [failed_outcome(job) for job in jobs], [])
    form: dict[str, Any] = {"all": "1", "batch": jobs[0].batch, "note": "a test"}
    requests = 0
    while True:
        answer = site.post("/failures/discard", form)
        assert answer.status_code == 303, answer.text
        requests += 1
        html = site.html(answer.headers["Location"])
        hidden = dict(re.findall(r'type="hidden" name="(after|done)" value="([^"]+)"', html))
        if not hidden:
            break
        assert f"{2 * requests} pictures done" in html
        form |= hidden
    assert requests == 3
    assert "No failure that is open matches" in html


@pytest.mark.parametrize(
    ("path", "near"),
    [("/alerts/999", "All alerts"), ("/alerts/rules/none", "All rules"), ("/alerts/events/no:1", "All events"),
     ("/cameras/none", "All cameras"), ("/alerts/nowhere", "All alerts"), ("/nowhere", "Upload pictures")],
)  # fmt: skip
def test_what_is_not_found_leads_to_what_is_near(site: Site, path: str, near: str) -> None:
    page = site.html(path, 404)
    assert f">{near}</a>" in page
    assert ("Upload pictures" in page) == (near == "Upload pictures")
