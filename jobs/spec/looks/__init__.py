"""Looks: named fragments of specs; one YAML file each."""
