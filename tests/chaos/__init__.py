"""Posters rendered while their processes are killed or stopped, at seeded moments."""
