"""The conditions of an estimate: measured on this machine, or taken from data sheets."""

from collections.abc import Sequence

from jobs.planning.estimate.comparison import useful_workers
from jobs.planning.estimate.network import DEFAULT_GBPS, ONE_MACHINE, cluster_network
from jobs.planning.estimate.prediction import Conditions
from jobs.planning.estimate.request import EstimateRequest
from jobs.planning.estimate.speed import (
    CPU,
    DEFAULT_GPU,
    PRICE_SOURCE,
    DeviceSpecs,
    Speed,
    datasheet_speed,
    gpu_in_name,
    hourly_price,
)
from jobs.planning.poster import PosterPlan


def conditions_for(
    plan: PosterPlan, request: EstimateRequest, cores: int, *, probe: bool
) -> Conditions:
    """The conditions of the crews in a request.

    Args:
        plan: The plan for the largest of the crews.
        request: The crews, and where they would run.
        cores: The cores of this machine.
        probe: Whether to measure this machine, which takes about ten seconds.
    """
    network = cluster_network(request.gbps or DEFAULT_GBPS) if request.is_remote else ONE_MACHINE
    specs = request.gpu or _local_specs(plan)
    is_local_cpu = plan.device == "cpu" and not request.is_remote
    parallel = cores if is_local_cpu else None
    if request.gpu is None and probe:
        from jobs.planning.estimate.probe import measure_speed

        speed = measure_speed(plan, _workers_per_machine(plan, cores))
    else:
        speed = _datasheet_speed(plan, specs or DEFAULT_GPU)
    if request.price is not None:
        return Conditions(speed, network, request.price, parallel_workers=parallel)
    source = PRICE_SOURCE if specs else None
    return Conditions(speed, network, _hourly_price(plan, specs), source, parallel)


def cluster_conditions(plan: PosterPlan, specs: DeviceSpecs) -> Conditions:
    """The conditions of a cluster, if only the devices of its workers are known."""
    speed = _datasheet_speed(plan, specs)
    price = _hourly_price(plan, specs)
    return Conditions(speed, cluster_network(DEFAULT_GBPS), price, PRICE_SOURCE)


def _datasheet_speed(plan: PosterPlan, specs: DeviceSpecs) -> Speed:
    speed = datasheet_speed(specs, plan.profile.cost, plan.precision)
    return speed.times(plan.spec.dream.passes)


def _local_specs(plan: PosterPlan) -> DeviceSpecs | None:
    if plan.device == "cpu":
        return CPU
    from render.device import device_name

    return gpu_in_name(device_name(plan.device))


def _workers_per_machine(plan: PosterPlan, cores: int) -> int:
    """The workers of the plan that compute at the same time on a machine like this one."""
    return min(plan.workers, cores) if plan.device == "cpu" else 1


def _hourly_price(plan: PosterPlan, specs: DeviceSpecs | None) -> float | None:
    """US dollars for one worker and hour."""
    if specs is None:
        return None
    return hourly_price(specs, plan.gpus_per_worker, plan.spec.crew.cpus_each)


def with_useful_workers(plan: PosterPlan, gpus: Sequence[str]) -> PosterPlan:
    """The plan with only its useful workers, if the spec leaves their number open.

    gpus: the GPU models of the cluster's machines. An unknown model counts as slow, because too
    many workers do less harm than too few.
    """
    if plan.spec.crew.workers != "auto":
        return plan
    useful = useful_workers(plan, cluster_conditions(plan, _slowest_specs(plan, gpus)))
    return plan if useful >= plan.workers else plan.with_workers(useful)


def _slowest_specs(plan: PosterPlan, gpus: Sequence[str]) -> DeviceSpecs:
    if plan.device == "cpu":
        return CPU
    known = [specs for specs in map(gpu_in_name, gpus) if specs is not None]
    return min(known, key=lambda specs: specs.bandwidth, default=DEFAULT_GPU)
