"""Checks of how the source is laid out: layers, figures and words."""
