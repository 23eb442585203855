"""YAML in, YAML out."""

import pytest
import yaml
from tests.convert.crd_schema import violations
from tests.convert.manifests import scaled_object, trigger

from imagemill_operator.convert import UnreadableError, convert, read_documents, render, takeover_advice

ANCHORED = """
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: a, labels: &labels {team: images}}
spec:
  scaleTargetRef: {name: a}
  triggers:
    - &trigger
      type: rabbitmq
      metadata: &metadata {queueName: q, mode: QueueLength, value: "5", host: "http://r/"}
    - <<: *trigger
      metadata: {<<: *metadata, queueName: p}
---
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: b}
spec:
  scaleTargetRef: {name: b}
  triggers: [{type: rabbitmq, metadata: {queueName: q, host: "http://r/"}}]
"""


def test_anchors_and_empty_documents_are_read() -> None:
    first, second = convert(read_documents(ANCHORED)).pools
    assert first["spec"]["queues"] == ["q", "p"]
    assert second["metadata"]["name"] == "b"


def test_what_is_written_is_read_again_and_has_no_anchors() -> None:
    conversion = convert(read_documents(ANCHORED))
    text = render(conversion)
    assert [pool for pool in yaml.safe_load_all(text) if pool] == list(conversion.pools)
    assert "&" not in text


def test_lists_as_kubectl_prints_them_are_opened() -> None:
    items = [scaled_object(), scaled_object() | {"metadata": {"name": "second"}}]
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})
    assert len(convert(read_documents(text)).pools) == 2


def test_items_of_a_typed_list_need_not_say_what_they_are() -> None:
    item = {"metadata": {"name": "a"}, "spec": scaled_object()["spec"]}
    text = yaml.safe_dump({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObjectList", "items": [item]})
    assert len(convert(read_documents(text)).pools) == 1


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "---\n---\n"])
def test_empty_input_has_no_documents(text: str) -> None:
    assert read_documents(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "This is no YAML"),
        (b"\xff\xfe\xfa", "This is no YAML"),
        ("a: 2024-13-45", "This is no YAML"),
        ("[" * 5000, "nested too deeply"),
        ("a: *nobody", "undefined alias"),
        ("!!python/object:os.system {}", "This is no YAML"),
        ("just words", "has no kind"),
        ("- a\n- b", "has no kind"),
        ("kind: [a]", "has no kind"),
        ("kind: List\nitems: [1]", "has no kind"),
        ("kind: List\nitems: x", "has no kind"),
        ("kind: ScaledObject\nreplicas: {{ .Values.n }}x", "render it first"),
    ],
)
def test_garbage_is_refused_in_a_sentence(text: str | bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read_documents(text)


@pytest.mark.parametrize("queue", ["1e3", "n", "y", "no", "0x10", "2024-01-01", "~", "a: b", "# a", "é"])
def test_names_that_look_like_something_else_are_quoted(queue: str) -> None:
    text = render(convert([scaled_object(trigger(queue))]))
    (pool,) = (pool for pool in yaml.safe_load_all(text) if pool)
    assert pool["spec"]["queues"] == [queue]
    assert violations(pool) == []
    assert f"- {queue}\n" not in text


def test_long_names_stay_on_their_line() -> None:
    queue = "long " * 50 + "name"
    assert f'- "{queue}"\n' in render(convert([scaled_object(trigger(queue))]))


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028", "\x1b[2J"])
def test_no_line_of_a_manifest_ends_a_comment(end: str) -> None:
    text = render(convert([scaled_object(trigger(f"a{end}kind: Pod", useRegex="true"))]))
    assert "Pod" in text
    assert list(yaml.safe_load_all(text)) == []
    assert "\x1b" not in text


def test_what_is_lost_stands_above_the_pool() -> None:
    text = render(convert([scaled_object(trigger(), {"type": "cpu", "metadata": {}})]))
    assert text.startswith("# ScaledObject jobs/resize\n# - NOT CONVERTED: spec.triggers[1] (cpu)")


def test_the_advice_leads_to_the_pools_and_back() -> None:
    advice = takeover_advice(convert([scaled_object()]))
    steps = (
        "kubectl get workerpools --namespace jobs",
        "kubectl annotate scaledobject resize --namespace jobs autoscaling.keda.sh/paused=true",
        'kubectl patch workerpool resize --namespace jobs --type merge --patch \'{"spec":{"mode":"Active"}}\'',
        "kubectl annotate workerpool resize --namespace jobs imagemill.dev/pause=true",
        "kubectl annotate scaledobject resize --namespace jobs autoscaling.keda.sh/paused-",
        "kubectl delete scaledobject resize --namespace jobs",
    )
    places = [advice.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_without_a_pool_there_is_nothing_to_take_over() -> None:
    assert takeover_advice(convert([scaled_object({"type": "cpu", "metadata": {}})])) == ""
