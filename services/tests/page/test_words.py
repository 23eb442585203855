"""Words for numbers: on the server, in the browser, and both the same."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import imagemill.api
from imagemill.api.images import view_models
from imagemill.api.web import docs, formatting
from imagemill.domain.ids import is_uuid
from imagemill.domain.images import TraceStep
from node_scripts import needs_node, node

STATIC = Path(imagemill.api.__file__).parent / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
SIZES = {0: "0 B", 999: "999 B", 1000: "1.00 kB", 65_949: "65.9 kB", 275_748: "276 kB", 33_554_432: "33.6 MB"}
TIMES = {18.4: "18 ms", 1250: "1.25 s", 59_000: "59 s", 184_000: "3 min 4 s"}
NOW = "2026-11-21T12:00:00.000Z"
AGO = {
    "2026-11-21T11:59:59.500Z": "now",
    "2026-11-21T11:59:15.000Z": "45 s ago",
    "2026-11-21T11:01:00.000Z": "59 min ago",
    "2026-11-20T14:00:00.000Z": "22 h ago",
    "2026-11-20T11:00:00.000Z": "1 day ago",
    "2026-10-01T00:00:00.000Z": "2026-10-01",
}


def test_sizes_times_and_moments_in_words() -> None:
    assert {value: formatting.size(value) for value in SIZES} == SIZES
    assert {value: formatting.milliseconds(value) for value in TIMES} == TIMES
    assert {text: formatting.ago(text, datetime.fromisoformat(NOW)) for text in AGO} == AGO
    assert formatting.exact("2026-11-21T09:15:03.302Z") == "2026-11-21 09:15:03.302 UTC"


@needs_node
def test_the_browser_says_the_same() -> None:
    given = json.dumps({"sizes": list(SIZES), "times": list(TIMES), "ago": list(AGO)})
    script = f"""
    import {{ size, milliseconds, ago }} from "{(STATIC / "js/format.js").as_uri()}";
    const given = {given};
    const moments = given.ago.map((text) => ago(text, Date.parse("{NOW}")));
    console.log(JSON.stringify([given.sizes.map(size), given.times.map(milliseconds), moments]));
    """
    said = json.loads(node("--input-type=module", "-", script=script))
    assert said == [list(SIZES.values()), list(TIMES.values()), list(AGO.values())]


@needs_node
def test_batches_named_by_the_browser_are_ids_of_their_time() -> None:
    script = f"""
    import {{ uuid7 }} from "{(STATIC / "js/ids.js").as_uri()}";
    console.log(uuid7(Date.parse("2026-11-21T09:15:03.302Z")));
    """
    batch = node("--input-type=module", "-", script=script).strip()
    assert is_uuid(batch)
    assert batch.startswith("01a1fd63-4306-7")


@needs_node
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(STATIC)))
def test_every_script_is_read_without_error(path: Path) -> None:
    node("--check", "--input-type=module", "-", script=path.read_text())


@pytest.mark.parametrize(
    ("original", "result", "words"),
    [
        (1000, 250, "75 %"),
        (1000, 1000, "nothing"),
        (1000, 2840, "nothing, it is 184 % larger"),
        (0, 5, "nothing"),
        (4_370_000, 5_450, "99.9 %"),
        (1000, 4, "99.6 %"),
        (10**9, 1, "99.9 %"),
    ],
)
def test_what_was_saved(original: int, result: int, words: str) -> None:
    assert formatting.saved(original, result) == words


def test_a_trace_is_told_as_waits_and_work() -> None:
    began = datetime.fromisoformat("2026-11-21T09:15:03+00:00")
    marks = {"accepted": 0, "taken": 30, "done": 90, "stored": 100}
    trace = [
        TraceStep(step=step, at=(began + timedelta(milliseconds=ms)).isoformat(), by="x") for step, ms in marks.items()
    ]
    hops = view_models.hops(trace)
    assert [(hop.word, round(hop.milliseconds)) for hop in hops[1:]] == [
        ("waited", 30),
        ("worked on", 60),
        ("stored", 10),
    ]
    assert [round(hop.start) for hop in hops[1:]] == [0, 30, 90]
    assert view_models.hops([trace[0], trace[3]])[1].word == "looked up"
    assert view_models.hops([trace[0], trace[2]])[1].word == "waited"
    assert view_models.hops([]) == []


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"hello", bytes(5000)])
def test_an_autopsy_survives_any_bytes(data: bytes) -> None:
    found = view_models.autopsy(data)
    assert found.facts
    assert len(found.rows) <= 16


def test_descriptions_become_blocks_and_code() -> None:
    found = docs.blocks(
        "One\nline.\n\n- `a`: first,\n  wrapped\n- second\n\n    curl x\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    assert [block.kind for block in found] == ["text", "list", "code", "table"]
    assert len(found[1].lines) == 2
    assert found[3].cells == [["a", "b"], ["1", "2"]]
    assert list(docs.spans("see `code` here")) == [(False, "see "), (True, "code"), (False, " here")]


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_contrast_as_wcag_aa_demands(scheme: int) -> None:
    blocks = re.findall(r":root \{([^}]*--ground[^}]*)\}", (STATIC / "page.css").read_text())
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", blocks[scheme]))
    for ground in ("ground", "raised", "tint"):
        for ink in ("text", "quiet", "accent", "bad"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["edge"], colours["ground"]) >= 3
