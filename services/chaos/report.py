"""What was promised, held against what is there."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chaos.api import Api
from chaos.clients import Clients, Sent
from chaos.erasers import Erasers
from chaos.faults import Site
from chaos.history import History
from imagemill import recipes

BALANCED_WITHIN_SECONDS = 60
_KINDS = ("taken", "outcome", "totals", "bytes")


@dataclass
class Findings:
    """Rows of the table, and everything that must be empty or zero."""

    rows: dict[str, object] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Was every promise kept?"""
        return not (any(self.wrong.values()) or self.sentences)

    def print(self) -> None:
        """The sentences first, then the table."""
        print(*self.sentences[:50], sep="\n")
        for name, value in (self.rows | dict(self.wrong)).items():
            print(f"{name:28} {value:,}" if isinstance(value, int) else f"{name:28} {value}")
        print("Everything that was accepted is stored, once." if self.is_sound else "Not everything is as promised.")


def compare(
    site: Site, clients: Clients, erasers: Erasers, history: History, balanced: float | None, gone: float | None
) -> Findings:
    """Everything that anybody was told against the ledger, and every result against a bare call of the recipe.

    `balanced`: seconds until nothing was in flight; `gone`: until what was erased was gone. None: not in time.
    """
    found, counts = Findings(), site.api.totals()
    _compare_pictures(found, site, clients, erasers)
    found.wrong["double"] = counts["accepted"] - len({sent.id for sent in clients.sent})
    found.sentences += [*clients.wrong, *erasers.wrong, *history.violations(erasers.asked)]
    compared = {kind: len(history.told(kind)) for kind in _KINDS}
    # Where nobody looked on nothing was compared.
    found.sentences += [f"nothing was compared: {kind}" for kind, count in compared.items() if not count]
    if balanced is None or balanced > BALANCED_WITHIN_SECONDS:
        found.sentences.append(f"not balanced within {BALANCED_WITHIN_SECONDS} s after the last fault")
    if gone is None:
        found.sentences.append("what was erased was not gone in time")
    if wrong := site.verify():
        found.sentences.append(f"verify: {wrong}")
    found.rows = {
        **_sent(clients),
        **{name: counts[name] for name in ("accepted", "stored", "failed", "erased")},
        **{f"answers compared: {kind}": count for kind, count in compared.items()},
        "seconds until balanced": "never" if balanced is None else f"{balanced:.1f}",
        "seconds until erased is gone": "never" if gone is None else f"{gone:.0f}",
    }
    return found


def _compare_pictures(found: Findings, site: Site, clients: Clients, erasers: Erasers) -> None:
    """Each picture's outcome and result; then which bytes are there, and which should be."""
    found.wrong.update(dict.fromkeys(("lost", "wrong failures", "results that differ", "erased and served"), 0))
    needed: set[str] = set()
    released: set[str] = set()
    for sent in clients.sent:
        image, is_erased = site.api.image(sent.id), sent.id in erasers.erased
        (released if is_erased else needed).update(_hashes(image))
        if kind := _wrong_with(image, site.api, sent, is_erased):
            found.wrong[kind] += 1
            found.sentences.append(f"{kind}: {image}")
    there = site.bytes_there(sorted(needed | released))
    found.wrong["bytes that are missing"] = len(needed - there)
    found.wrong["bytes that stayed"] = len((released - needed) & there)


def _sent(clients: Clients) -> dict[str, object]:
    sizes = [len(sent.data) for sent in clients.sent]
    return {
        "pictures taken": len(sizes), "bytes sent": sum(sizes), "largest": max(sizes, default=0),
        "taken at a repeat": sum(sent.attempts > 1 for sent in clients.sent),
    }  # fmt: skip


def _wrong_with(image: dict[str, Any], api: Api, sent: Sent, is_erased: bool) -> str | None:
    if image.get("status") != "stored":
        return "wrong failures" if image.get("status") == "failed" else "lost"
    answer = api.result(sent.id)
    if is_erased:
        return None if answer.status_code == 410 else "erased and served"
    return None if answer.content == recipes.load(None)["gray"].apply(sent.data).data else "results that differ"


def _hashes(image: dict[str, Any]) -> set[str]:
    return {image[which]["sha256"] for which in ("original", "result") if image.get(which)}
