"""Where a job's ledger lies in a store.

A page holds the rows of one item file. Each holder writes its own copy of it, named by its lease,
so that no late writer can overwrite what its successor wrote.
"""

import re
from dataclasses import dataclass

from jobs.lifecycle.keys import JobKeys

_NUMBER = r"[0-9]{6}|[1-9][0-9]{6,}"
_COPY = re.compile(rf"(?P<page>{_NUMBER})/(?P<lease>{_NUMBER})(?P<complete>\.complete)?\.jsonl")


@dataclass(frozen=True, order=True)
class Copy:
    """A page as the holder of one lease wrote it: so far, or complete.

    They are ordered so that of two copies of a page the greater counts.
    """

    page: int
    lease: int
    is_complete: bool


@dataclass(frozen=True)
class LedgerKeys:
    """The keys of one job's ledger. `n` is the number of a page and of its item file, from 0."""

    job: str

    @property
    def prefix(self) -> str:
        """What the keys of all copies begin with."""
        return f"{JobKeys(self.job).folder}ledger/"

    def page(self, n: int) -> str:
        """What the keys of all copies of one page begin with."""
        return f"{self.prefix}{n:06}/"

    def partial(self, n: int, lease: int) -> str:
        """The rows so far, a JSON line each, rewritten as they grow."""
        return f"{self.page(n)}{lease:06}.jsonl"

    def complete(self, n: int, lease: int) -> str:
        """Every row, each item once, in the order of their numbers."""
        return f"{self.page(n)}{lease:06}.complete.jsonl"

    def parse(self, key: str) -> Copy | None:
        """The copy that lies at a key; None where none belongs."""
        if not key.startswith(self.prefix):
            return None
        found = _COPY.fullmatch(key, len(self.prefix))
        if found is None:
            return None
        return Copy(int(found["page"]), int(found["lease"]), found["complete"] is not None)
