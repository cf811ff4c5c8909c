"""Commands, options and the keys of specs are those that people have written down."""

from tests.golden import words
from tests.golden.recorded import recorded
from tests.golden.shell import Shell


def test_commands_and_their_options_are_the_known_ones(shell: Shell) -> None:
    assert words.help_of_all(shell) == recorded("help")


def test_each_part_of_a_spec_has_the_known_keys(shell: Shell) -> None:
    assert words.fields(shell) == recorded("fields")


def test_networks_layers_and_looks_are_the_known_ones(shell: Shell) -> None:
    assert words.catalogues(shell) == recorded("catalogues")
