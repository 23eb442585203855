"""One budget of replicas over several pools, by weight."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from imagemill_operator.policy.decide import decide, limited
from imagemill_operator.policy.model import Decision, Memory, Observation, Spec
from imagemill_operator.policy.settle import kept_floor


@dataclass(frozen=True, slots=True)
class Claim:
    """What a pool must have, what it wants, and its weight against the others."""

    least_replicas: int
    wanted_replicas: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool's input of a decision."""

    observation: Observation
    spec: Spec
    memory: Memory


def share_budget(budget_replicas: int, claims: Mapping[str, Claim]) -> dict[str, int]:
    """Share replicas: first what each pool must have, then one at a time to the pool with the least per weight.

    Nobody gets more than it wants, nothing is left over while somebody wants it, and the sum stays within the budget
    unless what the pools must have is more than that.
    """
    shares = {name: min(claim.least_replicas, claim.wanted_replicas) for name, claim in claims.items()}
    left = budget_replicas - sum(shares.values())
    queue = [(shares[name] / claim.weight, name) for name, claim in claims.items()]
    heapq.heapify(queue)
    while left > 0 and queue:
        _, name = heapq.heappop(queue)
        if shares[name] < claims[name].wanted_replicas:
            shares[name] += 1
            left -= 1
            heapq.heappush(queue, (shares[name] / claims[name].weight, name))
    return shares


def decide_all(pools: Mapping[str, Pool]) -> dict[str, Decision]:
    """Decide for every pool, then keep those which share a budget within it."""
    decisions = {name: decide(pool.observation, pool.spec, pool.memory) for name, pool in pools.items()}
    for members in _budgets(pools):
        shares = share_budget(
            _budget_replicas(members), {name: _claim(decisions[name], members[name]) for name in members}
        )
        for name, pool in members.items():
            decisions[name] = limited(decisions[name], shares[name], pool.observation, pool.spec)
        _wait_for_those_that_leave(decisions, members)
    return decisions


def _wait_for_those_that_leave(decisions: dict[str, Decision], members: Mapping[str, Pool]) -> None:
    """Let pools grow only into what is free: replicas that were given up go on for as long as their work takes."""
    leaving = sum(
        max(0, (pool.observation.existing_replicas or 0) - pool.observation.current_replicas)
        for pool in members.values()
    )
    running = {name: pool.observation.current_replicas for name, pool in members.items()}
    claims = {
        name: Claim(current, max(current, decisions[name].desired_replicas), _weight(members[name]))
        for name, current in running.items()
    }
    shares = share_budget(_budget_replicas(members) - leaving, claims)
    for name, pool in members.items():
        if decisions[name].desired_replicas > running[name]:
            decisions[name] = limited(decisions[name], shares[name], pool.observation, pool.spec)


def _budgets(pools: Mapping[str, Pool]) -> list[dict[str, Pool]]:
    """Group the pools that change something by the name of their budget."""
    grouped: dict[str, dict[str, Pool]] = {}
    for name, pool in pools.items():
        if pool.spec.budget is not None:
            grouped.setdefault(pool.spec.budget.name, {})[name] = pool
    return list(grouped.values())


def _budget_replicas(members: Mapping[str, Pool]) -> int:
    """Pools that state different totals get the smallest: the careful reading."""
    return min(pool.spec.budget.max_replicas for pool in members.values() if pool.spec.budget is not None)


def _weight(pool: Pool) -> float:
    return pool.spec.budget.weight if pool.spec.budget else 1.0


def _claim(decision: Decision, pool: Pool) -> Claim:
    """A pool that may not be changed keeps what it has."""
    weight = _weight(pool)
    current = pool.observation.current_replicas
    if not decision.act:
        return Claim(current, current, weight)
    least = max(pool.spec.min_replicas, kept_floor(pool.observation, pool.spec))
    return Claim(least, decision.desired_replicas, weight)
