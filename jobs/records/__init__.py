"""The records of a job in a store: keys, lease, state, status, report."""
