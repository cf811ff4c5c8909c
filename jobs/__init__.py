"""What was asked for: specs, plans, posters, manifests and the command line.

Introduces `render` and `cluster`, which do not know each other.
"""
