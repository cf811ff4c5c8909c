"""Variations: a sheet of drafts, numbered, each the beginning of a whole render."""
