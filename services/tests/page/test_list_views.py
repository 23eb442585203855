"""Pictures as a grid or in rows, and the counts of their states, as a browser without scripts gets them."""

import re

import pytest

from page_site import BATCH, Site


def tabs(html: str) -> dict[str, tuple[str, str]]:
    """By their words: where they lead, and their counts."""
    (states,) = re.findall(r'<nav class="states" id="states".*?</nav>', html, re.DOTALL)
    found = re.findall(r'<a href="([^"]+)"[^>]*>([a-z ]+?)(?: <small>([\d,]+)</small>)?</a>', states)
    return {word: (address.replace("&amp;", "&"), count) for address, word, count in found}


@pytest.mark.parametrize("address", ["/pictures", "/pictures?state=rejected", "/pictures?state=failed"])
@pytest.mark.parametrize("batch", ["", BATCH])
def test_each_state_tells_how_many_there_are(site: Site, address: str, batch: str) -> None:
    found = tabs(site.html(f"{address}{'&' if '?' in address else '?'}batch={batch}"))
    counts = {word: count for word, (_, count) in found.items()}
    assert counts == {
        "all": "4", "stored": "2", "in flight": "1", "failed": "1", "duplicates": "1", "damaged": "0", "erased": "0",
        "rejected": "1",
    }  # fmt: skip


def test_with_a_filter_they_keep_it_and_tell_no_counts(site: Site) -> None:
    found = tabs(site.html(f"/pictures?batch={BATCH}&name=again&recipe=gray&view=rows"))
    assert {count for _, count in found.values()} == {""}
    assert found["stored"][0] == f"/pictures?batch={BATCH}&view=rows&recipe=gray&name=again&state=stored"


def test_rows_are_what_the_address_or_the_last_one_says(site: Site) -> None:
    client = site.client.application.test_client()
    rows = client.get("/pictures?view=rows")
    assert '<table class="rows pictures">' in rows.text
    assert "HttpOnly" in rows.headers["Set-Cookie"]
    assert "<img src=x" not in rows.text
    for name, value in (("Original", "Result"), ("Took", "73 ms")):
        assert name in rows.text
        assert value in rows.text
    again = client.get(f"/pictures?batch={BATCH}")
    assert '<table class="rows pictures">' in again.text
    assert "Set-Cookie" not in again.headers
    assert '<ul class="cards"' in client.get("/pictures?view=grid").text
    assert '<ul class="cards"' in client.get("/pictures?view=circle").text
