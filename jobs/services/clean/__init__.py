"""Deletes jobs, and finds the garbage in a store."""
