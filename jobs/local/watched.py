"""A reporter for a render that somebody waits for."""

from jobs.checkpoint.site import Site
from jobs.holding.reporter import Reporter
from jobs.poster.progress import Progress, Watch


class Watched(Reporter):
    """Tells who waits here as well."""

    def __init__(self, site: Site, watch: Watch, generation: int = 0) -> None:
        super().__init__(site, generation)
        self._watch = watch

    def watch(self, progress: Progress) -> None:
        """Note it, and show it."""
        super().watch(progress)
        self._watch(progress)
