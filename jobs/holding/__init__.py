"""Holding a job: what the holder of a lease does until it has ended or somebody else goes on."""
