"""`dreamfarm finish`: go on from a draft to the whole picture."""

from jobs.cli.arguments import STORE, AsJson, InProcess, JobName, Out, StoreFlag
from jobs.cli.format import echo, echo_json, print_results


def finish(
    job: JobName,
    store: StoreFlag = STORE,
    out: Out = None,
    in_process: InProcess = False,
    as_json: AsJson = False,
) -> None:
    """Go on from the draft of a job: in its store, or here if `render` made the draft here."""
    from jobs.cli.arguments import DREAMS
    from jobs.poster.local_draft import drafted_render
    from jobs.services import client

    drafted = drafted_render(DREAMS if out is None else out, job)
    if drafted is None:
        found = client.Store.existing(store).job(job)
        state = found.finish()
        if as_json:
            echo_json({"job": found.id, "state": state})
        else:
            echo(f"{found.id}: {state}")
        return
    from cluster.ray_watch import allow_restart
    from jobs.cli.progress import RenderBar

    allow_restart()
    document, folder = drafted
    with RenderBar() as bar:
        results = client.render(document, folder, in_process=in_process, watch=bar.show)
    print_results(results, as_json=as_json)
