"""Renders here and now: the same machinery as for a store, on a folder of their own."""
