"""From triggers to queues and an objective.

KEDA asks each trigger by itself and takes the largest answer; a pool adds the backlogs of its queues up and has one
objective. A pool that left out a queue would let its messages wait for ever, so a queue that cannot be expressed
refuses the whole manifest, while a trigger of another kind is only left out.
"""

import math
from collections.abc import Sequence
from typing import Any

from imagemill_operator.convert.fields import Fields
from imagemill_operator.convert.model import Hints, Notes, Refused
from imagemill_operator.convert.triggers import RabbitTrigger, TriggerMode

MAXIMUM_QUEUES = 32
MAXIMUM_ACTIVATION = 2**31 - 1
RATES = {
    TriggerMode.MESSAGE_RATE: "arrives a second",
    TriggerMode.RATIO: "arrives for each that is delivered",
}
OTHER_TRIGGERS = {
    "cpu": "a pool scales by messages alone",
    "memory": "a pool scales by messages alone",
}
HINT = "Give an objective in its place: convert again with --max-wait-seconds, which is how long a message may wait."


def demand_of(triggers: Sequence[RabbitTrigger], modifiers: Fields, hints: Hints, notes: Notes) -> dict[str, Any]:
    """Return the spec's queues, vhost and objective; raise Refused when no pool can mean them."""
    consumed = [trigger for trigger in triggers if trigger.mode is not TriggerMode.DELIVER_GET_RATE]
    for trigger in triggers:
        if trigger not in consumed:
            notes.lost(
                f"{trigger.path} looks at how fast {trigger.queue} is delivered, which is no demand for consumers: "
                "it is left out. If the pods consume that queue, add it to the pool's queues."
            )
    if not consumed:
        raise Refused("No trigger is about a queue that the pods consume: a pool needs at least one.")
    return {
        "queues": _queues(consumed),
        **_vhost(consumed, hints, notes),
        **_objective(consumed, modifiers, hints, notes),
    }


def note_other_trigger(trigger: Fields, notes: Notes) -> None:
    """Say what happens without a trigger that is about neither RabbitMQ nor times."""
    kind = trigger.text("type") or "without type"
    advice = OTHER_TRIGGERS.get(
        kind, "a pool scales by RabbitMQ's queues, and by backlogMetrics if a producer holds some"
    )
    notes.lost(f"{trigger.path} ({kind}) is left out: {advice}.")


def _queues(triggers: Sequence[RabbitTrigger]) -> list[str]:
    queues = list(dict.fromkeys(trigger.queue for trigger in triggers))
    if len(queues) > MAXIMUM_QUEUES:
        raise Refused(f"There are {len(queues)} queues: a pool has at most {MAXIMUM_QUEUES}. Divide the consumers.")
    return queues


def _vhost(triggers: Sequence[RabbitTrigger], hints: Hints, notes: Notes) -> dict[str, str]:
    vhosts = {trigger.vhost or hints.vhost for trigger in triggers}
    if None in vhosts:
        notes.add(
            "The virtual host is in the broker's address, which is not in the manifest: / is assumed. Check "
            "spec.vhost, or convert again with --vhost."
        )
    vhost, *others = sorted(vhost or "/" for vhost in vhosts)
    if others or len(vhost) > 255:
        names = ", ".join((vhost, *others))
        raise Refused(
            f"The queues are in several virtual hosts or the name is too long ({names}): a pool has one of at most 255 "
            "characters. Divide the consumers into a Deployment for each."
        )
    return {"vhost": vhost}


def _objective(triggers: Sequence[RabbitTrigger], modifiers: Fields, hints: Hints, notes: Notes) -> dict[str, Any]:
    if hints.max_wait_seconds is not None:
        return _wanted_wait(triggers, modifiers, hints.max_wait_seconds, notes)
    if modifiers.text("formula"):
        return _sum_formula(triggers, modifiers, notes)
    lengths = [trigger for trigger in triggers if trigger.mode is TriggerMode.QUEUE_LENGTH and trigger.is_average]
    times = [trigger for trigger in triggers if trigger.mode is TriggerMode.CONSUMPTION_TIME and not trigger.is_average]
    expressed = lengths or times
    if not expressed:
        raise Refused(f"{' '.join(_without_equivalent(trigger) for trigger in triggers)} {HINT}")
    for trigger in triggers:
        if trigger not in expressed:
            _note_unused(trigger, notes, is_covered=not lengths and trigger.mode in RATES)
    return _share(lengths, notes) if lengths else _wait(times, notes)


def _note_unused(trigger: RabbitTrigger, notes: Notes, *, is_covered: bool) -> None:
    """A pool with maxWaitSeconds follows the rate of arrivals by itself."""
    text = f"{_without_equivalent(trigger)} Its queue counts by its backlog."
    if is_covered:
        notes.add(text)
    else:
        notes.lost(text)


def _wanted_wait(
    triggers: Sequence[RabbitTrigger], modifiers: Fields, max_wait_seconds: float, notes: Notes
) -> dict[str, Any]:
    values = modifiers.text("formula") or ", ".join(f"{trigger.mode} {trigger.value:g}" for trigger in triggers)
    notes.add(
        f"The objective is the one that was asked for, {max_wait_seconds:g} s, in place of KEDA's {values}. Arrivals "
        "and seconds of work are measured."
    )
    return {"maxWaitSeconds": plain(max_wait_seconds)}


def _sum_formula(triggers: Sequence[RabbitTrigger], modifiers: Fields, notes: Notes) -> dict[str, Any]:
    """A sum of queue lengths is what a pool adds up by itself."""
    formula, target = modifiers.text("formula"), modifiers.number("target")
    summands = [part.strip() for part in formula.split("+")]
    is_sum = sorted(summands) == sorted(trigger.name for trigger in triggers) and len(_queues(triggers)) == len(
        summands
    )
    lengths = all(trigger.mode is TriggerMode.QUEUE_LENGTH for trigger in triggers)
    average = modifiers.text("metricType", "AverageValue") == "AverageValue"
    if not (is_sum and lengths and average and target > 0):
        raise Refused(
            f"scalingModifiers.formula is {formula}: a pool can only add up the lengths of all queues. {HINT}"
        )
    _note_counted(triggers, notes)
    return _shared(target, notes)


def _share(triggers: Sequence[RabbitTrigger], notes: Notes) -> dict[str, Any]:
    values = sorted({trigger.value for trigger in triggers})
    if len(triggers) > 1:
        notes.add(
            "KEDA takes the queue that asks for the most replicas; a pool adds the backlogs up, so it asks for more "
            "when several queues have messages. maxReplicas bounds both."
        )
    if len(values) > 1:
        named = ", ".join(f"{value:g}" for value in values)
        notes.add(
            f"The triggers have different values ({named}) and a pool has one: the smallest, so that messages "
            "that wait never get fewer replicas than from KEDA. If messages weigh differently, "
            "maxWaitSeconds fits better: work is measured."
        )
    _note_counted(triggers, notes)
    return _shared(values[0], notes)


def _wait(triggers: Sequence[RabbitTrigger], notes: Notes) -> dict[str, Any]:
    seconds = min(trigger.value for trigger in triggers)
    notes.add(
        f"KEDA steered towards {seconds:g} s until the queue is consumed; maxWaitSeconds is a limit, and the pool aims "
        "at half of it."
    )
    return {"maxWaitSeconds": plain(seconds)}


def _without_equivalent(trigger: RabbitTrigger) -> str:
    what = f"{trigger.path} ({trigger.mode}, {'AverageValue' if trigger.is_average else 'Value'})"
    if trigger.mode is TriggerMode.QUEUE_LENGTH:
        return (
            f"{what} steers all of {trigger.queue} towards {trigger.value:g} messages, which is no objective of a pool."
        )
    if trigger.mode is TriggerMode.CONSUMPTION_TIME:
        return f"{what} is an objective beside another or a time for each replica; a pool has one objective."
    return f"{what} scales by what {RATES[trigger.mode]}; a pool measures that itself, with maxWaitSeconds."


def _note_counted(triggers: Sequence[RabbitTrigger], notes: Notes) -> None:
    """A pool counts what is in work whenever the broker tells it."""
    if any(trigger.counts_unacked and trigger.protocol is None for trigger in triggers):
        notes.add(
            "If the broker's address begins with amqp, KEDA counted only messages that wait; a pool counts those in "
            "work too, and asks for more replicas."
        )
    if any(trigger.counts_unacked for trigger in triggers):
        notes.add(
            "Where a consumer's prefetch holds more messages than it works on, KEDA asked for replicas that could not "
            "take them; a pool does not."
        )
    if any(not trigger.counts_unacked for trigger in triggers):
        notes.add("KEDA counted only messages that wait; a pool counts those in work too, and asks for more replicas.")


def _shared(backlog_per_replica: float, notes: Notes) -> dict[str, Any]:
    if backlog_per_replica < 1:
        notes.add("A pool never has more replicas than there are messages, however small backlogPerReplica is.")
    notes.add(
        "backlogPerReplica is KEDA's value. maxWaitSeconds in its place says how long a message may wait, and measures "
        "the rest: nobody has to guess how many messages a replica can have."
    )
    return {"backlogPerReplica": plain(backlog_per_replica)}


def activation_of(triggers: Sequence[RabbitTrigger], modifiers: Fields, hints: Hints, notes: Notes) -> dict[str, int]:
    """Return the activationBacklog of a pool that may be scaled to zero.

    KEDA starts above its value, a pool from its own on.
    """
    if modifiers.text("formula"):
        return _activation_of_formula(modifiers, hints, notes)
    counted = [trigger.activation for trigger in triggers if trigger.mode is TriggerMode.QUEUE_LENGTH]
    if any(trigger.activation for trigger in triggers if trigger.mode is not TriggerMode.QUEUE_LENGTH):
        notes.lost(
            "activationValue of a rate or a time: a pool starts from a number of messages on, activationBacklog."
        )
    return _activation(min(counted, default=0.0), notes)


def _activation_of_formula(modifiers: Fields, hints: Hints, notes: Notes) -> dict[str, int]:
    """Only a sum of queue lengths, which needs no other objective, is a number of messages."""
    activation = modifiers.number("activationTarget")
    if hints.max_wait_seconds is None:
        return _activation(activation, notes)
    if activation:
        notes.lost("scalingModifiers.activationTarget: a pool starts from a number of messages on, activationBacklog.")
    return {}


def _activation(activation: float, notes: Notes) -> dict[str, int]:
    backlog = min(math.floor(activation) + 1, MAXIMUM_ACTIVATION)
    if backlog <= 1:
        return {}
    notes.add(
        f"KEDA also goes back to zero while up to {activation:g} messages wait; a pool that is awake stays until all "
        "are done."
    )
    return {"activationBacklog": backlog}


def plain(number: float) -> int | float:
    """Return a whole number without its fraction."""
    return int(number) if number == int(number) else number
