"""Numbers 1, 2, 3 … without a gap and one per event, whoever races and wherever somebody is killed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill.alerting.numbering import Create, alert_id, carry_out, claim, last_number, number_for


class FakeStore:
    """A dictionary with the store's two operations."""

    def __init__(self, documents=()):
        self.documents = dict(documents)
        self.reads = 0

    def create(self, doc_id, document):
        return self.documents.setdefault(doc_id, document) is document

    def get(self, doc_id):
        self.reads += 1
        return self.documents.get(doc_id)

    def do(self, step):
        return self.create(step.doc_id, dict(step.document)) if isinstance(step, Create) else self.get(step.doc_id)


def check(store, events):
    """The promise; `events` are those of which some claim was carried out to its end."""
    alerts = {key: doc for key, doc in store.documents.items() if key.startswith("alert:")}
    assert sorted(doc["number"] for doc in alerts.values()) == list(range(1, len(alerts) + 1))
    assert all(key == alert_id(doc["number"]) for key, doc in alerts.items())
    numbered = [doc["event"] for doc in alerts.values()]
    assert len(set(numbered)) == len(numbered), "an event has two numbers"
    assert set(events) <= set(numbered)


class Worker:
    """One alerter at one event, done step by step; `answers` alone decide what it does next."""

    def __init__(self, event, answers=()):
        self.steps, self.result = claim(event, {"about": event}), None
        self.next = next(self.steps)
        for answer in answers:
            self.take(answer)

    def take(self, answer):
        try:
            self.next = self.steps.send(answer)
        except StopIteration as done:
            self.next, self.result = None, done.value


def every_outcome(plans):
    """All states in which nothing is left to do, for all interleavings of the plans.

    A plan is a list of (event, kill_after): a worker that is killed after so many steps (None: never), whereupon the
    next of the plan begins. States that were reached before are not followed again, which keeps this small.
    """
    seen, ends = set(), []
    todo = [((), tuple((0, ()) for _ in plans))]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        moves = [move for index in range(len(plans)) if (move := advance(plans, state, index))]
        todo += moves
        if not moves:
            ends.append(state[0])
    return ends


def advance(plans, state, index):
    documents, positions = state
    turn, answers = positions[index]
    if turn >= len(plans[index]):
        return None
    event, kill_after = plans[index][turn]
    worker = Worker(event, [thawed(answer) for answer in answers])
    store = FakeStore((key, dict(document)) for key, document in documents)
    answer = store.do(worker.next)
    worker.take(answer)
    answers = (*answers, frozen(answer))
    over = worker.next is None or (kill_after is not None and len(answers) >= kill_after)
    position = (turn + 1, ()) if over else (turn, answers)
    after = tuple(sorted((key, tuple(sorted(doc.items()))) for key, doc in store.documents.items()))
    return after, (*positions[:index], position, *positions[index + 1 :])


def frozen(answer):
    return tuple(sorted(answer.items())) if isinstance(answer, dict) else answer


def thawed(answer):
    return dict(answer) if isinstance(answer, tuple) else answer


def check_all(plans):
    ends = every_outcome(plans)
    events = {plan[-1][0] for plan in plans}
    for documents in ends:
        check(FakeStore((key, dict(document)) for key, document in documents), events)
    return len(ends)


def test_numbers_are_in_order_and_an_event_keeps_its_own():
    store = FakeStore()
    assert [number_for(store, event, {}) for event in "abcab"] == [1, 2, 3, 1, 2]
    check(store, "abc")
    assert store.documents[alert_id(2)] == {"number": 2, "event": "b"}


@pytest.mark.parametrize("events", ["aa", "ab", "aab", "abc"])
def test_racing_alerters_in_every_interleaving(events):
    assert check_all([[(event, None)] for event in events])


@pytest.mark.parametrize("kill_after", range(1, 9))
@pytest.mark.parametrize("other", "ab")
def test_an_alerter_killed_at_every_step_in_every_interleaving_with_another(kill_after, other):
    """The killed one's event is delivered again, while another alerter works on the same event or on its own two."""
    check_all([[("a", kill_after), ("a", None)], [(other, None), ("c", None)]])


def test_two_alerters_killed_and_a_third_that_goes_on():
    for first in range(1, 7):
        for second in range(1, 7):
            check_all([[("a", first)], [("a", second), ("b", second)], [("b", None), ("a", None)]])


@settings(max_examples=300)
@given(events=st.text("abcdefgh", min_size=1, max_size=16), seed=st.integers(0, 2**32))
def test_many_alerters_many_events_random_kills(events, seed):
    chance = random.Random(seed)
    store, working, waiting, done = FakeStore(), [], list(events), []
    while waiting or working:
        if waiting and (not working or (len(working) < 4 and chance.random() < 0.5)):
            event = waiting.pop()
            working.append((event, Worker(event)))
        event, worker = working.pop(chance.randrange(len(working)))
        worker.take(store.do(worker.next))
        if worker.next is None:
            done.append((event, worker.result))
        elif chance.random() < 0.1:
            waiting.append(event)  # killed; its event will be delivered again
        else:
            working.append((event, worker))
    check(store, set(events))
    assert len(set(done)) == len(set(events)), "two were told different numbers for one event"
    assert all(store.documents[alert_id(number)]["event"] == event for event, number in done)


@given(count=st.integers(0, 3000), hint=st.integers(0, 4000))
def test_the_last_number_is_found_with_few_reads_whatever_the_hint(count, hint):
    store = FakeStore({alert_id(n): {"number": n, "event": str(n)} for n in range(1, count + 1)})
    assert carry_out(last_number(hint), store) == count
    assert store.reads <= 30


def test_with_a_good_hint_a_number_costs_a_handful_of_steps():
    store = FakeStore()
    for event in range(500):
        number_for(store, str(event), {}, hint=event)
    store.reads = 0
    assert number_for(store, "new", {}, hint=500) == 501
    assert store.reads <= 6
