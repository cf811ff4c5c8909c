"""Runs a redo: finds the canvases of the older picture, or renders that again first.

The older picture's canvases are those that its job keeps. If it keeps too few, or a damaged one,
the redo renders them within its own checkpoints; that picture may itself be a redo. So a chain of
redos can be rendered from nothing, with the same bytes.
"""

from collections.abc import Mapping
from dataclasses import replace

from jobs.planning.identity import pixel_document
from jobs.planning.octave import MIN_CHECKPOINT_SECONDS
from jobs.planning.poster import PosterPlan
from jobs.poster.runner import PosterRunner
from jobs.records.keys import JobKeys
from jobs.records.stored_spec import Blobs, StoredSpec
from jobs.runtime.backend import StartCrew
from jobs.runtime.checkpoints import Damage, find_damage
from jobs.runtime.elastic_sizing import MIN_GAIN, StartReservation
from jobs.runtime.failures import RetryDecision
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.octave_ends import Ancestor, OctaveEnds, layered_image
from jobs.runtime.runner import RunContext
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from render.networks.builtin import uses_builtin_weights
from render.pictures.tiled_image import TiledImage


def runner_of(plan: PosterPlan) -> type[PosterRunner]:
    """The runner of a plan."""
    return PosterRunner if plan.redo is None else RedoRunner


class RedoRunner(PosterRunner):
    """Runs a redo, and the older pictures that it needs, under one lease."""

    def __init__(
        self,
        run_context: RunContext,
        plan: PosterPlan,
        start_crew: StartCrew,
        reserve: StartReservation | None = None,
        checkpoint_seconds: float = MIN_CHECKPOINT_SECONDS,
        min_gain: float = MIN_GAIN,
    ) -> None:
        """Prepare the run, like `PosterRunner`."""
        super().__init__(run_context, plan, start_crew, reserve, checkpoint_seconds, min_gain)
        self._crews = start_crew, reserve, checkpoint_seconds, min_gain
        context = run_context.job_context
        self._kept = _octave_ends(plan, context.store)
        self._found: dict[int, TiledImage] = {}
        self._older: _OlderRunner | None = None
        self._work_before = self._work_after = 0.0

    def _older_canvases(self) -> Mapping[int, TiledImage]:
        if self._plan.redo is not None and not self._found:
            self._found = self._find() or self._render_older()
        return self._found

    def _find(self) -> dict[int, TiledImage] | None:
        """The canvases that are kept, if they are all that is needed."""
        context, redo = self._run_context.job_context, self._plan.redo
        found = {}
        for octave in () if redo is None else redo.needed:
            layers = self._kept.layers(octave, context.older + 1)
            if layers is None:
                return None
            image = layered_image(layers, context.stored_object)
            if (image.grid.height, image.grid.width) != self._plan.octave_sizes[octave]:
                return None
            found[octave] = image
        return found

    def _render_older(self) -> dict[int, TiledImage]:
        """Render the older picture up to the last octave that is needed."""
        redo = self._plan.redo
        if redo is None:
            raise ValueError("only a redo has an older picture")
        if self._older is None:
            self._older = self._older_runner(redo.older)
        for _ in range(2):
            self._work_before = self._older.dream_until(redo.needed.stop)
            self._kept.forget()
            found = self._find()
            if found is not None:
                return found
            # It has gone on beyond an octave whose canvas is damaged.
            self._older.begin_again()
        raise StoreRefused(
            f"{self._run_context.job_context.keys.checkpoints}: does not keep what is written there"
        )

    def _older_runner(self, plan: PosterPlan) -> "_OlderRunner":
        context, spec = self._run_context.job_context, plan.spec
        is_builtin = uses_builtin_weights(spec.network.name, spec.network.weights)
        blobs = Blobs(
            input=context.blobs.input, weights=None if is_builtin else plan.weights_digest
        )
        inner = replace(context, older=context.older + 1, blobs=blobs, keeps_octaves=True)
        runner = _OlderRunner(replace(self._run_context, job_context=inner), plan, *self._crews)
        runner.join(self._kept, self._work_after + self._plan.megapixel_steps)
        return runner

    def _show(self, progress: Progress) -> None:
        before, own, after = self._work_before, progress.total, self._work_after
        total = before + own + after
        share = (before + progress.fraction * own) / total if total else progress.fraction
        super()._show(replace(progress, done=before + progress.done, total=total, fraction=share))

    def _repair(self, error: Exception) -> bool:
        """Also do without a damaged canvas of an older picture."""
        damage = self._older_damage(error)
        if damage is None:
            return super()._repair(error)
        if not self._may_repair():
            return False
        self._forget_found()
        self._report_damage(damage, "the older picture is rendered again")
        return True

    def _older_damage(self, error: Exception) -> Damage | None:
        """The damage in an older picture that raised an error; nothing uses that object again."""
        context, count = self._run_context.job_context, len(self._plan.older_plans)
        # Their checkpoints lie within those of the job.
        for keys in (JobKeys(context.job, older) for older in range(1, count + 1)):
            damage = find_damage(error, keys)
            if damage is not None:
                self._run_context.lease.check()
                context.store.delete(
                    [entry.key for entry in context.store.list_objects(keys.checkpoints)]
                )
                self._older = None
                return damage
        for ancestor in _chain(self._plan)[1:]:
            damage = find_damage(error, JobKeys(ancestor.job))
            if damage is not None:
                self._kept.avoid(damage.key)
                return damage
        return None

    def _prepare_retry(self, decision: RetryDecision) -> None:
        super()._prepare_retry(decision)
        self._forget_found()
        if self._older is not None:
            self._older.prepare_retry(decision)

    def _forget_found(self) -> None:
        self._found = {}
        self._kept.forget()


class _OlderRunner(RedoRunner):
    """Renders the first octaves of an older picture within the checkpoints of a redo."""

    _limit = 0
    _has_taken_over = False

    def join(self, kept: OctaveEnds, work_after: float) -> None:
        """Share what the redo has found. work_after: the megapixel-steps that follow."""
        self._kept, self._work_after = kept, work_after

    def dream_until(self, octaves: int) -> float:
        """Dream so many octaves, if that is not done. Returns the megapixel-steps until there."""
        self._limit = octaves
        if not self._has_taken_over:
            self._take_over()
            self._has_taken_over = True
        if not self._is_drafted:
            self._run_context.reporter.add_event("older picture", octaves=octaves)
            self._dream()
        done = sum(one.megapixel_steps for one in self._plan.octaves[:octaves])
        return self._work_before + done

    def begin_again(self) -> None:
        """Remove everything that was dreamed of this picture."""
        context = self._run_context.job_context
        self._run_context.lease.check()
        entries = context.store.list_objects(context.keys.checkpoints)
        context.store.delete([entry.key for entry in entries])
        self._checkpoints.reload()

    def prepare_retry(self, decision: RetryDecision) -> None:
        """Prepare another attempt of the redo."""
        self._prepare_retry(decision)

    def _until(self) -> int | None:
        return self._limit


def _chain(plan: PosterPlan) -> tuple[Ancestor, ...]:
    """The job of a plan and the older pictures, the newest first."""
    own = Ancestor(plan.identity.job_id, plan.spec.dream.steps)
    if plan.redo is None:
        return (own,)
    parent, *others = _chain(plan.redo.older)
    return (own, replace(parent, job=plan.redo.parent), *others)


def _octave_ends(plan: PosterPlan, store: Store) -> OctaveEnds:
    """Finds the canvases of a plan's older pictures, in jobs that are what the plan says."""
    chain = _chain(plan)
    expected = {
        ancestor.job: pixel_document(older.identity.document)
        for ancestor, older in zip(chain[1:], plan.older_plans, strict=True)
    }

    def is_made_so(job: str) -> bool:
        try:
            stored = StoredSpec.read_or_none(store, JobKeys(job).spec)
        except InvalidRecord:
            return False
        return stored is not None and pixel_document(stored.identity) == expected[job]

    return OctaveEnds(store, chain, is_made_so)
