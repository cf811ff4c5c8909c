"""Under what a plan's crews would work: measured here, or taken from what is known of elsewhere."""

from collections.abc import Sequence

from jobs.planning.estimate.comparison import useful_workers
from jobs.planning.estimate.gpu_specs import CPU, PRICES_OF, SMALLEST, Card, card_within
from jobs.planning.estimate.network import ONE_MACHINE, USUAL_GBPS, network
from jobs.planning.estimate.prediction import Conditions
from jobs.planning.estimate.request import Asked
from jobs.planning.estimate.speed import sheet_speed
from jobs.planning.poster import Plan


def conditions_for(plan: Plan, asked: Asked, cores: int, *, probe: bool) -> Conditions:
    """Those of the crews that were asked about, for a plan made for the largest of them.

    cores: of this machine. probe: whether it may be measured, which takes ten seconds or so.
    """
    link = network(asked.gbps or USUAL_GBPS) if asked.is_elsewhere else ONE_MACHINE
    card = asked.card or _card_here(plan)
    shares = plan.device == "cpu" and not asked.is_elsewhere
    at_once = cores if shares else None
    if asked.card is None and probe:
        from jobs.planning.estimate.probe import measured_speed

        speed = measured_speed(plan, _together(plan, cores))
    else:
        speed = sheet_speed(card or SMALLEST, plan.survey.cost, plan.precision)
    if asked.price is not None:
        return Conditions(speed, link, asked.price, at_once=at_once)
    return Conditions(speed, link, _price(plan, card), PRICES_OF if card else None, at_once)


def cluster_conditions(plan: Plan, card: Card) -> Conditions:
    """Those of a cluster whose workers have that card, and of which no more is known."""
    speed = sheet_speed(card, plan.survey.cost, plan.precision)
    return Conditions(speed, network(USUAL_GBPS), _price(plan, card), PRICES_OF)


def _card_here(plan: Plan) -> Card | None:
    if plan.device == "cpu":
        return CPU
    from render.device import device_name

    return card_within(device_name(plan.device))


def _together(plan: Plan, cores: int) -> int:
    """How many workers of the plan compute side by side on one machine like this."""
    return min(plan.workers, cores) if plan.device == "cpu" else 1


def _price(plan: Plan, card: Card | None) -> float | None:
    """A worker's hour."""
    if card is None:
        return None
    return card.price * (plan.gpus_per_worker or plan.spec.crew.cpus_each)


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
