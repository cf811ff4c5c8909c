"""Errors, parsers of YAML and JSON, and validation messages."""
