import contextlib
import re
from pathlib import Path

import pika
import pytest
import yaml

from imagemill.settings import Settings
from imagemill.wire import declaring, topology

DEFINITIONS = Path(__file__).parents[3] / "charts/imagemill/templates/rabbitmq/_definitions.tpl"
RECIPES = ["gray", "denoise", "edges"]


def queues(settings: Settings) -> dict[str, topology.Queue]:
    return {queue.name: queue for queue in topology.shared(settings, RECIPES).queues}


def test_every_queue_has_a_bound() -> None:
    for queue in [*queues(Settings()).values(), topology.replica("pod-1"), topology.reader()]:
        assert "x-max-length-bytes" in queue.arguments or "x-max-length" in queue.arguments


def test_each_recipe_goes_to_exactly_one_pool_and_is_unbound_from_the_others() -> None:
    found = queues(Settings(pools={"default": ["*"], "heavy": ["denoise"]}))
    default, heavy = found["work.default"], found["work.heavy"]
    # By its own name comes what is published again although its recipe is gone.
    assert {key for _, key in default.bindings} == {"image.gray", "image.edges", "work.default"}
    assert {key for _, key in heavy.bindings} == {"image.denoise", "work.heavy"}
    assert default.unbindings == (("images", "image.denoise"),)


def test_work_queues_have_a_delivery_limit_and_a_dead_letter_queue() -> None:
    found = queues(Settings(delivery_limit=4))
    arguments = found["work.default"].arguments
    assert (arguments["x-delivery-limit"], arguments["x-dead-letter-exchange"]) == (4, "dead")
    assert ("dead", arguments["x-dead-letter-routing-key"]) in found["dead.default"].bindings
    # At-least-once dead-lettering needs it.
    assert arguments["x-overflow"] == "reject-publish"


@pytest.mark.parametrize(("recipe", "pool"), [("denoise", "heavy"), ("gray", "default"), ("unknown", "default")])
def test_a_pool_is_found_by_name_else_by_star(recipe: str, pool: str) -> None:
    assert topology.pool_of(recipe, {"default": ["*"], "heavy": ["denoise"]}) == pool


def test_a_queue_with_other_arguments_is_used_as_it_is(amqp_url: str) -> None:
    parameters = pika.URLParameters(amqp_url)
    declaring.declare_at(parameters, topology.shared(Settings(work_max_bytes=2**20), RECIPES))
    declaring.declare_at(parameters, topology.shared(Settings(work_max_bytes=2**21), [*RECIPES, "new"]))
    assert declaring.ready_at(parameters, ["work.default"]) == 0


def chart_permissions() -> dict[str, dict[str, str]]:
    """Each program's permissions at the broker, as the chart gives them: configure, write and read."""
    text = DEFINITIONS.read_text("utf-8")
    (shared,) = re.findall(r'\$shared := "(.*?)" -', text)
    users = text.partition('define "imagemill.rabbitmq.users"')[2].partition("{{- end -}}")[0].partition("\n")[2]
    lines = users.replace("{{ $shared }}", shared.replace("\\\\", "\\")).splitlines()
    given = yaml.safe_load("\n".join(line for line in lines if not line.startswith("{{")))
    kinds = ("configure", "write", "read")
    return {name: {kind: user[kind] for kind in kinds} for name, user in given.items()}


def _permissions() -> dict[str, dict[str, re.Pattern[str]]]:
    return {
        name: {kind: re.compile(pattern) for kind, pattern in user.items()}
        for name, user in chart_permissions().items()
    }


def test_the_charts_permissions_let_each_program_do_what_it_declares_and_uses() -> None:
    may = _permissions()
    everything = topology.shared(Settings(pools={"default": ["*"], "heavy": ["denoise"]}), RECIPES)
    names = [*everything.exchanges, *(queue.name for queue in everything.queues)]
    assert [name for name in names if not may["writer"]["configure"].search(name)] == []
    own = {
        "api": (topology.replica_queue("pod-1"), topology.replica("pod-1")),
        "camera": (topology.reader_queue("pod-1"), topology.reader()),
    }
    for program, (name, queue) in own.items():
        assert all(pattern.search(name) for pattern in may[program].values())
        assert all(may[program]["read"].search(exchange) for exchange, _ in queue.bindings)
    consumed = {
        "worker": [topology.work_queue("heavy")],
        "writer": [*topology.RESULTS_QUEUES, topology.EARLIER_RESULTS_QUEUE, topology.dead_queue("heavy")],
        "journal": [topology.JOURNAL_QUEUE],
        "analyzer": [topology.frames_queue(3)],
        "alerter": [topology.ALERTER_QUEUE],
        "operator": [topology.work_queue("heavy")],
    }
    assert [name for name, queues in consumed.items() for queue in queues if not may[name]["read"].search(queue)] == []


def test_the_charts_permissions_let_each_program_publish_where_it_does() -> None:
    may = _permissions()
    published = {
        "api": [topology.IMAGES, topology.OUTCOMES, topology.ACTIVITY, topology.FRAMES, topology.SNAPSHOTS],
        "worker": [topology.RESULTS, topology.ACTIVITY, topology.REPLIES],
        "writer": [topology.IMAGES, topology.OUTCOMES, topology.ACTIVITY],
        "camera": [topology.FRAMES, topology.EVENTS, topology.ACTIVITY, topology.REPLIES],
        "analyzer": [topology.EVENTS, topology.ACTIVITY],
        "alerter": [topology.EVENTS, topology.ACTIVITY],
    }
    refused = [(name, to) for name, targets in published.items() for to in targets if not may[name]["write"].search(to)]
    assert refused == []


def test_the_chart_lets_no_program_configure_a_queue_of_another() -> None:
    shared = [queue.name for queue in topology.shared(Settings(), RECIPES).queues]
    for program, patterns in _permissions().items():
        if program != "writer":
            assert [name for name in [*shared, "unknown"] if patterns["configure"].search(name)] == []
        assert not patterns["configure"].search("anything.else")


@pytest.mark.parametrize(("code", "waits"), [(403, False), (404, True)])
def test_who_may_not_publish_to_an_exchange_does_not_wait_for_it(
    code: int, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # RabbitMQ 4.3 refuses to tell whoever has no right to it whether it is there; 3.10 tells everybody.
    def closed(*_: object) -> None:
        raise pika.exceptions.ChannelClosedByBroker(code, "no")

    monkeypatch.setattr(declaring, "at", closed)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) if waits else contextlib.nullcontext():
        declaring.check_at(pika.ConnectionParameters())
