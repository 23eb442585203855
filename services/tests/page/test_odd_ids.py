"""Whatever stands where an id belongs is answered with a reason, and never with 500."""

import re

import pytest
from werkzeug.routing import Rule

from page_site import Site

ODD = (
    "_anything", "_design/x", "..", "a%2Fb", "%00", "a%0Ab", "%ff", "%ED%A0%80", "x" * 3000, "-1", "9" * 40, "a:b",
    "motion:" + "9" * 40,
)  # fmt: skip
QUERIES = (
    f"after={'9' * 40}&before={'9' * 40}&since={'9' * 40}", "after=%ff&limit=-1&batch=_x&source=%00&state=%ff",
    "limit=9999999999999999999&camera=%00&size=x", "limit=x&kind=%0a&until=-1", "after=_x",
)  # fmt: skip
# What the servers behind may say when they are away, as the broker is here.
AWAY = (503, 504)
_STREAM = "/api/v1/events"


def answers(site: Site, path: str, method: str) -> list[tuple[str, int]]:
    found = []
    for more in ({},) if method in ("GET", "DELETE") else ({"json": {}}, {"data": {"a": "b"}}):
        answer = site.client.open(path, method=method, headers={"If-Match": '"1-abc"'}, **more)
        found.append((f"{method} {path[:200]} {more}", answer.status_code))
        answer.close()
    return found


def failed(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(what, status) for what, status in found if status >= 500 and status not in AWAY]


def rules(site: Site) -> list[Rule]:
    return [rule for rule in site.client.application.url_map.iter_rules() if rule.endpoint != "static"]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_id_is_never_an_internal_error(site: Site, odd: str) -> None:
    found = []
    for rule in rules(site):
        if not rule.arguments:
            continue
        path = re.sub("<[^>]+>", lambda _: odd, rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found += answers(site, path, method)
    assert found
    assert failed(found) == []


@pytest.mark.parametrize("query", QUERIES)
def test_an_odd_query_is_never_an_internal_error(site: Site, query: str) -> None:
    paths = [rule.rule for rule in rules(site) if not rule.arguments and "GET" in (rule.methods or ())]
    found = [
        each
        for path in paths
        if "events" not in path.split("/")[-1:]
        for each in answers(site, f"{path}?{query}", "GET")
    ]
    assert failed(found) == []
