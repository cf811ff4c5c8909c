"""Which GPUs the machines of a cluster have. Imports Ray, like `cluster.ray_reserve`."""

import ray

_PREFIX = "accelerator_type:"


def accelerators() -> tuple[str, ...]:
    """Their kinds, as Ray names them (`H100`), on the cluster that this process has joined.

    Machines that an autoscaler has not brought yet are not among them.
    """
    names = (name for name in ray.cluster_resources() if name.startswith(_PREFIX))
    return tuple(sorted(name.removeprefix(_PREFIX) for name in names))
