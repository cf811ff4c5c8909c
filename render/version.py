"""The version of the pixels that this code makes."""

PIXEL_VERSION = 2
"""Raise it by one with every change after which any spec gives other pixels or other files.

It is part of a job's identity: a job of an older version is another job. What does not change the
bytes of any result (speed, memory, messages) leaves it alone; a golden-hash test tells the two
apart.
"""
