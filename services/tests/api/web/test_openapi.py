"""The OpenAPI document is valid, complete, and true of a running Imagemill."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

import imagemill
from imagemill.api.web.app import create_app
from imagemill.api.web.described import described
from imagemill.api.web.openapi import codes, document
from imagemill.settings import Settings
from mill import Mill
from pictures import photo_jpeg, png, truncated_jpeg

SOURCES = Path(imagemill.__file__).parent
OUTSIDE = {"/image", "/image/{image_id}"}
Answer = Any


@pytest.fixture(scope="module")
def app() -> Flask:
    """Not started: no server is asked for anything."""
    return create_app(Settings())


def test_the_document_is_valid_openapi() -> None:
    validate(document())


def test_the_app_serves_the_document(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json == described(app)
    validate(answer.json)


def test_the_document_tells_what_each_route_needs(app: Flask) -> None:
    paths = described(app)["paths"]
    assert paths["/api/v1/tokens"]["post"]["x-permission"] == "administer"
    assert "role `admin`" in paths["/api/v1/tokens"]["post"]["description"]
    assert paths["/api/v1/whoami"]["get"]["security"] == []
    assert all("security" in operation for methods in paths.values() for operation in methods.values())


def test_every_route_is_described_and_every_description_has_its_route(app: Flask) -> None:
    routes = {
        (path, method.lower())
        for rule in app.url_map.iter_rules()
        for path in [re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)]
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if path.startswith("/api/v1/") or path in OUTSIDE
    }
    described = {(path, method) for path, methods in document()["paths"].items() for method in methods}
    assert described == routes


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_examples_fit_their_schemas() -> None:
    found = list(_media(document()))
    assert len(found) > 30
    for media in found:
        if "example" in media:
            _check(media["schema"], media["example"])


def _media(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "schema" in node and "example" in node:
            yield node
        for child in node.values():
            yield from _media(child)
    elif isinstance(node, list):
        for child in node:
            yield from _media(child)


# --- codes ----------------------------------------------------------------------------------------

_RAISING = {
    "Problem", "Refused", "ImageError", "HeaderError",
    "Invalid", "NotFound", "AlreadyExists", "ChangedMeanwhile", "Gone", "Busy", "NoAnswer",
}  # fmt: skip
_CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def _codes_in(source: Path) -> set[str]:
    """First or second argument of what raises, values of `_STATUS`, and whatever is assigned to `code`."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _RAISING:
            found += node.args[:2]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "failed":
            found += node.args[2:3]
        elif isinstance(node, ast.keyword) and node.arg == "code":
            found.append(node.value)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("code", "_STATUS"):
            found += node.value.keys if isinstance(node.value, ast.Dict) else [node.value]
    return {text for expression in found for text in _strings(expression) if _CODE.fullmatch(text)}


def _strings(expression: ast.expr | None) -> set[str]:
    if isinstance(expression, ast.IfExp):
        return _strings(expression.body) | _strings(expression.orelse)
    if isinstance(expression, ast.BoolOp):
        return {text for value in expression.values for text in _strings(value)}
    return {expression.value} if isinstance(expression, ast.Constant) and isinstance(expression.value, str) else set()


def test_every_code_that_is_raised_is_documented() -> None:
    folders = ("api", "admission", "domain", "recipes", "worker", "writer")
    sources = [path for name in folders for path in (SOURCES / name).rglob("*.py")]
    raised = {code for source in sources for code in _codes_in(source)}
    assert {"unknown-image", "all-rejected", "truncated", "crashed", "original-missing", "step-failed"} <= raised
    assert raised <= set(codes.BY_NAME)


def test_documented_codes_exist_in_the_code() -> None:
    written = {
        text
        for source in SOURCES.rglob("*.py")
        if "openapi" not in source.parts
        for text in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', source.read_text())
    }
    from_phrases = {"bad-request", "not-found", "method-not-allowed", "requested-range-not-satisfiable"}
    earlier = {code.name for code in codes.EARLIER_FAILURES}
    assert not set(codes.BY_NAME) - earlier - written - from_phrases


def test_the_document_tells_every_code_with_status_and_meaning() -> None:
    described = document()
    listed = {item["const"]: item["description"] for item in described["components"]["schemas"]["Code"]["oneOf"]}
    assert listed.keys() == codes.BY_NAME.keys()
    for code in codes.ALL:
        assert code.meaning in listed[code.name]
        assert f"`{code.name}`" in described["info"]["description"]


# --- a running Imagemill --------------------------------------------------------------------------


def _strict(node: Any) -> Any:
    """Objects may have no properties but those described: what is answered is documented."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    strict = {key: _strict(value) for key, value in node.items()}
    if strict.get("type") == "object" and strict.get("properties"):
        strict.setdefault("additionalProperties", False)
    return strict


@functools.cache
def _document() -> dict[str, Any]:
    """For reading only: to make it takes longer than most requests."""
    return document()


@functools.cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = _strict(_document()["components"])
    for open_shape in ("Activity", "Story"):
        activity = components["schemas"][open_shape]
        activity = activity["properties"]["activity"]["items"] if open_shape == "Story" else activity
        activity.pop("additionalProperties")
    return components


def _check(schema: dict[str, Any], value: Any) -> None:
    validator = Draft202012Validator(schema | {"components": _components()}, format_checker=FormatChecker())
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    assert not errors, errors


def check(path: str, method: str, answer: Answer) -> Answer:
    """The answer's status, type and shape are those of the document."""
    responses = _document()["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, f"{method} {path} answered {answer.status_code}: {answer.text[:500]}"
    content = responses[str(answer.status_code)].get("content", {})
    media_type = answer.headers.get("Content-Type", "").split(";")[0]
    if content:
        assert media_type in content
    if media_type in ("application/json", "application/problem+json"):
        _check(content[media_type]["schema"], answer.json())
        if "code" in answer.json() and media_type == "application/problem+json":
            assert f"`{answer.json()['code']}`" in responses[str(answer.status_code)]["description"]
    return answer


@pytest.fixture(scope="module")
def uploaded(mill: Mill) -> dict[str, Any]:
    """A batch with a stored, a duplicate, a failed and a rejected picture."""
    files = [("file", ("a.jpg", photo_jpeg())), ("file", ("notes.jpg", b"no picture")), ("file", ("b.jpg", damaged()))]
    fields = {"recipe": ["gray", "thumbnail"], "batch": "all"}
    answer = check("/api/v1/images", "post", mill.post("/api/v1/images", files=files, data=fields))
    mill.all_ended()
    again = check("/api/v1/images", "post", mill.upload(photo_jpeg(), batch="all", source="gate", priority="3"))
    assert [item["duplicate"] for item in again.json()["accepted"]] == [True]
    states: dict[str, str] = {mill.image(item["id"])["status"]: item["id"] for item in answer.json()["accepted"]}
    assert states.keys() == {"stored", "failed"}
    return states


def damaged() -> bytes:
    """A PNG whose header is in order and whose pixels are not."""
    data = bytearray(png(256, 256))
    at = data.index(b"IDAT") + 20
    data[at : at + 40] = bytes(40)
    return bytes(data)


def test_pictures_answer_as_described(mill: Mill, uploaded: dict[str, Any]) -> None:
    for image_id in uploaded.values():
        check("/api/v1/images/{image_id}", "get", mill.get(f"/api/v1/images/{image_id}"))
        check("/api/v1/images/{image_id}/story", "get", mill.get(f"/api/v1/images/{image_id}/story"))
        check("/api/v1/images/{image_id}/original", "get", mill.get(f"/api/v1/images/{image_id}/original"))
        check("/api/v1/images/{image_id}/result", "get", mill.get(f"/api/v1/images/{image_id}/result"))
        check("/image/{image_id}", "get", mill.get(f"/image/{image_id}"))


def test_parts_and_known_bytes_answer_as_described(mill: Mill, uploaded: dict[str, Any]) -> None:
    path = f"/api/v1/images/{uploaded['stored']}/result"
    described = "/api/v1/images/{image_id}/result"
    whole = mill.get(path)
    known = {"If-None-Match": whole.headers["ETag"]}
    assert check(described, "get", mill.get(path, headers=known)).status_code == 304
    assert check(described, "get", mill.get(path, headers={"Range": "bytes=0-9"})).status_code == 206
    beyond = {"Range": f"bytes={len(whole.content)}-"}
    assert check(described, "get", mill.get(path, headers=beyond)).status_code == 416


def test_lists_answer_as_described(mill: Mill, uploaded: dict[str, Any]) -> None:
    for state in ("accepted", "in_flight", "stored", "failed", "duplicate"):
        answer = mill.get("/api/v1/images", params={"state": state, "batch": "all", "limit": 1})
        check("/api/v1/images", "get", answer)
    for path in ("images", "rejections", "batches", "totals", "recipes", "pools", "openapi.json"):
        check(f"/api/v1/{path}", "get", mill.get(f"/api/v1/{path}"))
    check("/api/v1/batches/{batch}", "get", mill.get("/api/v1/batches/all"))


@pytest.mark.parametrize("query", ["batch=%20", "state=lost", "after=yesterday", "limit=501"])
def test_bad_queries_answer_as_described(mill: Mill, query: str) -> None:
    assert check("/api/v1/images", "get", mill.get(f"/api/v1/images?{query}")).status_code == 400


def test_unknown_things_answer_as_described(mill: Mill) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    for suffix in ("", "/result", "/original", "/story"):
        answer = check(f"/api/v1/images/{{image_id}}{suffix}", "get", mill.get(f"/api/v1/images/{nobody}{suffix}"))
        assert answer.status_code == 404
    check("/api/v1/images/{image_id}/retry", "post", mill.post(f"/api/v1/images/{nobody}/retry"))
    check("/api/v1/images/{image_id}/again", "post", mill.post(f"/api/v1/images/{nobody}/again?recipe=gray"))
    check("/api/v1/images/{image_id}/trial", "post", mill.post(f"/api/v1/images/{nobody}/trial?recipe=gray"))
    check("/api/v1/batches/{batch}", "get", mill.get("/api/v1/batches/nobody"))
    check("/image/{image_id}", "get", mill.get(f"/image/{nobody}"))


def test_pictures_once_more_answer_as_described(mill: Mill, uploaded: dict[str, Any]) -> None:
    retry, again = "/api/v1/images/{image_id}/retry", "/api/v1/images/{image_id}/again"
    for image_id in uploaded.values():
        check(retry, "post", mill.post(retry.format(image_id=image_id)))
    check(again, "post", mill.post(again.format(image_id=uploaded["stored"]), params={"recipe": "edges"}))
    check(again, "post", mill.post(again.format(image_id=uploaded["stored"]), params={"recipe": "none"}))


def test_trials_answer_as_described(mill: Mill, uploaded: dict[str, Any]) -> None:
    described = "/api/v1/images/{image_id}/trial"
    for image_id in uploaded.values():
        for recipe in ("edges", "none"):
            check(described, "post", mill.post(described.format(image_id=image_id), params={"recipe": recipe}))


def test_rules_answer_as_described(mill: Mill) -> None:
    path = "/api/v1/rules/{name}"

    def put(body: Any, **headers: str) -> Answer:
        address = f"{mill.url}/api/v1/rules/dusk"
        return check(path, "put", mill.http.put(address, json=body, headers=headers, timeout=30))

    made = put({"hours": ["17:00-22:00"]}, **{"If-None-Match": "*"})
    assert put({}, **{"If-None-Match": "*"}).status_code == 412
    assert put({}, **{"If-Match": '"1-0"'}).status_code == 412
    assert put({"hours": ["late"]}).status_code == 422
    assert put([]).status_code == 400
    found = check(path, "get", mill.get("/api/v1/rules/dusk"))
    assert found.headers["ETag"] == made.headers["ETag"]
    check("/api/v1/rules", "get", mill.get("/api/v1/rules"))
    for headers, status in (({"If-Match": '"1-0"'}, 412), ({"If-Match": found.headers["ETag"]}, 204), ({}, 404)):
        gone = mill.http.delete(f"{mill.url}/api/v1/rules/dusk", headers=headers, timeout=30)
        assert check(path, "delete", gone).status_code == status


@pytest.mark.parametrize(
    "form",
    [
        {"recipe": "none"}, {"batch": " / "}, {"priority": "high"}, {"wait": "long"}, {"source": "s" * 101},
        {"wait": "1", "recipe": ["gray", "edges"]}, {"recipe": [str(n) for n in range(99)]},
    ],
)  # fmt: skip
def test_refused_uploads_answer_as_described(mill: Mill, form: dict[str, Any]) -> None:
    files = [("file", ("a.jpg", photo_jpeg()))]
    answer = check("/api/v1/images", "post", mill.post("/api/v1/images", files=files, data=form))
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("data", [b"", b"no picture", truncated_jpeg(), b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_refused_pictures_answer_as_described(mill: Mill, data: bytes) -> None:
    raw = {"Content-Type": "application/octet-stream"}
    answer = check("/api/v1/images", "post", mill.post("/api/v1/images?name=a.jpg", data=data, headers=raw))
    assert answer.json()["rejected"][0]["name"] == "a.jpg"
    check("/image", "post", mill.post("/image", data=data, headers=raw))


def test_plain_uploads_and_waiting_ones_answer_as_described(mill: Mill) -> None:
    raw = {"Content-Type": "image/jpeg"}
    plain = check("/image", "post", mill.post("/image?recipe=gray", data=photo_jpeg(seed=7), headers=raw))
    check("/image/{image_id}", "get", mill.get(plain.headers["Location"]))
    address = "/api/v1/images?wait=30&recipe=gray"
    waited = check("/api/v1/images", "post", mill.post(address, data=photo_jpeg(seed=8), headers=raw))
    assert waited.status_code == 200
    check("/api/v1/images", "post", mill.post(address, data=damaged(), headers=raw))


def test_events_are_as_described(mill: Mill) -> None:
    shapes = document()["paths"]["/api/v1/events"]["get"]["responses"]["200"]["x-events"]
    wanted = {"totals", "outcome", "activity"}
    with mill.get("/api/v1/events", stream=True) as stream:
        check("/api/v1/events", "get", _Head(stream))
    events = mill.events()
    kind, data = next(events)
    assert kind == "totals"
    mill.upload(photo_jpeg(seed=9))
    _check(shapes[kind], data)
    while wanted := wanted - {kind}:
        kind, data = next(events)
        _check(shapes[kind], data)
    events.close()  # type: ignore[attr-defined]


class _Head:
    """An answer whose body never ends."""

    def __init__(self, answer: Answer) -> None:
        self.status_code, self.headers, self.text = answer.status_code, answer.headers, ""
