"""Posters rendered while what renders them is killed or stopped, at seeded moments."""
