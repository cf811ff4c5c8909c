"""Bringing results from a store to somebody's disk, and other formats out of the last commit."""
