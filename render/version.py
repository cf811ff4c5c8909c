"""The version of the pixels that this code renders."""

PIXEL_VERSION = 4
"""Raise it by one with every change that gives any spec other pixels or other output files.

It is part of a job's identity: the same spec at another version is another job. Changes of speed,
memory or messages leave it alone. A test with a golden hash tells the two apart.
"""
