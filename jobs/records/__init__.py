"""The records of a job in a store.

keys            the keys of all objects
job             load_job, find_job_id
stored_spec     the spec as submitted, and the settings that a later submit may change
lease           the right to run the job, with a fencing token
state           the intent of users, the states and their transitions
status          progress and events, written by the holder of the lease
outputs         the outputs that the manifest lists
report          what `show` and `list` print
request         pause, resume, cancel, retry
record          the base class, and reading of JSON objects
"""
