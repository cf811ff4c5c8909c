"""Deleting jobs, and garbage in a store."""
