"""What `render --in-process` and `plan` make and tell."""

from tests.golden import rendered
from tests.golden.recorded import recorded
from tests.golden.shell import Shell


def test_a_poster_has_the_known_files_manifest_and_pixels(shell: Shell) -> None:
    assert rendered.poster(shell) == recorded("poster")


def test_an_atlas_has_the_known_files_and_manifest(shell: Shell) -> None:
    assert rendered.atlas(shell) == recorded("atlas")


def test_plans_tell_programs_the_known_fields(shell: Shell) -> None:
    assert rendered.plans(shell) == recorded("plans")
