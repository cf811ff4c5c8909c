"""`dreamfarm watch`: a job until it ends."""

from jobs.cli.arguments import EVERY, STORE, AsJson, Every, JobName, StoreFlag


def watch(
    job: JobName, store: StoreFlag = STORE, every: Every = EVERY, as_json: AsJson = False
) -> None:
    """Show how far a job is until it ends: exit code 0 if it has succeeded, else 1.

    With --json, one object on standard output for each change. A store that does not answer is
    waited for.
    """
    from jobs.cli.following import follow
    from jobs.lifecycle.job import find
    from jobs.store.address import open_store

    opened = open_store(store)
    follow(opened, find(opened, job), every, as_json=as_json)
