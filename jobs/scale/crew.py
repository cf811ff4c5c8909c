"""The crew that `crew.workers: auto` means on a cluster."""

from collections.abc import Sequence

from jobs.plan import Plan
from jobs.scale.card import CPU, SMALLEST, Card, card_within
from jobs.scale.conditions import cluster_conditions
from jobs.scale.useful import useful_workers


def usefully_crewed(plan: Plan, gpus: Sequence[str]) -> Plan:
    """The plan with as many workers as pay, where their number was left open; never with more.

    gpus: the kinds that the cluster's machines have, in any spelling. What is not known of them is
    taken to be slow, so that rather too many workers are asked for than too few.
    """
    if plan.spec.crew.workers != "auto":
        return plan
    useful = useful_workers(plan, cluster_conditions(plan, _card(plan, gpus)))
    return plan if useful >= plan.workers else plan.crewed(useful)


def _card(plan: Plan, gpus: Sequence[str]) -> Card:
    if plan.device == "cpu":
        return CPU
    known = [found for found in map(card_within, gpus) if found is not None]
    return min(known, key=lambda one: one.bandwidth, default=SMALLEST)
