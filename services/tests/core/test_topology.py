import pika
import pytest

from imagemill.settings import Settings
from imagemill.wire import topology

RECIPES = ["gray", "denoise", "edges"]


def queues(settings: Settings) -> dict[str, topology.Queue]:
    return {queue.name: queue for queue in topology.shared(settings, RECIPES).queues}


def test_every_queue_has_a_bound() -> None:
    for queue in [*queues(Settings()).values(), *topology.replica("x").queues, *topology.reader("x").queues]:
        assert "x-max-length-bytes" in queue.arguments or "x-max-length" in queue.arguments


def test_each_recipe_goes_to_exactly_one_pool_and_is_unbound_from_the_others() -> None:
    found = queues(Settings(pools={"default": ["*"], "heavy": ["denoise"]}))
    default, heavy = found["work.default"], found["work.heavy"]
    assert {key for _, key in default.bindings} == {"image.gray", "image.edges"}
    assert {key for _, key in heavy.bindings} == {"image.denoise"}
    assert set(default.unbindings) == set(heavy.bindings)


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
    topology.declare_at(parameters, [topology.shared(Settings(work_max_bytes=2**20), RECIPES)])
    topology.declare_at(parameters, [topology.shared(Settings(work_max_bytes=2**21), [*RECIPES, "new"])])
    assert topology.ready_at(parameters, ["work.default"]) == 0
