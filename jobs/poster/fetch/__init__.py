"""Fetching a poster: downloads, and other formats made from its last checkpoint."""
