"""plan.json: what only a device can decide, fixed by the first holder for all that follow."""

from typing import Any

from jobs.lifecycle.errors import Unfit
from jobs.lifecycle.keys import JobKeys
from jobs.lifecycle.record import Record
from jobs.store.store import Store


class FixedPlan(Record):
    """The plan's pixels, and the device and software on which these bytes depend.

    device: the GPU's model, or the CPU's instruction set. software: versions by package.
    """

    plan: dict[str, Any]
    device: str
    software: dict[str, str | None]


def fix(store: Store, keys: JobKeys, mine: FixedPlan, *, any_device: bool) -> FixedPlan:
    """Fix the plan, or find it fixed.

    Raises Unfit where it is fixed for another kind of device or other software, and the job does
    not allow that.
    """
    if store.put_if_absent(keys.plan, mine.encoded()):
        return mine
    fixed = FixedPlan.read(store, keys.plan)
    if any_device or (fixed.device, fixed.software) == (mine.device, mine.software):
        return fixed
    differences = [
        f"{name} {fixed.software.get(name)}, not {mine.software.get(name)}"
        for name in sorted(fixed.software.keys() | mine.software.keys())
        if fixed.software.get(name) != mine.software.get(name)
    ]
    if fixed.device != mine.device:
        differences.insert(0, f"{fixed.device}, not {mine.device}")
    raise Unfit(
        f"{keys.job}: was begun on {'; '.join(differences)}; other machines would make other "
        "bytes: wait for one of the first kind, or submit it again with crew.any_device: true"
    )
