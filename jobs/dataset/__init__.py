"""Datasets: many pictures dreamed by one spec, with a ledger of the results."""
