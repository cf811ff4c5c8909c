"""Looks: fragments of specs that have been tried, by name; one YAML file each."""
