"""`dreamfarm delete`: jobs that have ended, with all they have made."""

import json

import typer

from jobs.cli.arguments import STORE, AsJson, JobNames, StoreFlag, Yes


def delete(
    jobs: JobNames, store: StoreFlag = STORE, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Remove jobs that have ended from the store, with their results, for good.

    Pictures and weights that no other job needs go with them once they are a day old; `clean`
    removes what is left. A deletion that broke off is ended by the same again.
    """
    from jobs.cleaning.deletion import check_ended
    from jobs.cleaning.deletion import delete as remove
    from jobs.cli.consent import consents
    from jobs.cli.words import spoken_size
    from jobs.lifecycle.job import find
    from jobs.store.address import open_store

    opened = open_store(store)
    found = list(dict.fromkeys(find(opened, name) for name in jobs))
    for job in found:
        check_ended(opened, job)
    if not yes and not consents(f"Delete {', '.join(found)} and all results in the store?"):
        raise typer.Exit(1)
    for job in found:
        gone = remove(opened, job)
        if as_json:
            told = {"job": job, "objects": gone.objects, "bytes": gone.bytes}
            typer.echo(json.dumps(told))
        else:
            what = f"{gone.objects} objects, {spoken_size(gone.bytes)}"
            typer.echo(f"{job}: deleted ({what})")
