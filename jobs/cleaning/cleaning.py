"""Cleaning a store: finding what can go, and removing it."""

from jobs.cleaning.leavings import leavings
from jobs.cleaning.orphans import orphans
from jobs.cleaning.waste import Waste
from jobs.store.clock import store_now
from jobs.store.store import Store


def find_waste(store: Store, older_than: float, *, of_all: bool) -> list[Waste]:
    """What can be removed now, of each kind and place.

    older_than: seconds that must have passed since somebody may have been at work on it. of_all:
    also the checkpoints from which a failed or cancelled job could go on.
    """
    found = [*leavings(store, of_all=of_all), *orphans(store)]
    if not found:
        # An empty store stays so.
        return []
    before = store_now(store) - older_than
    return [waste for waste in found if waste.is_older(before)]
