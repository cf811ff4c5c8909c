"""Hosts of their own in network namespaces of this machine: what only several machines can show."""
