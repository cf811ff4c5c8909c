"""Datasets: many pictures dreamed by one spec, and what became of each."""
