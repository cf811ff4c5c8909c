"""Schedulers: what they take, in which order, and what they leave alone."""
