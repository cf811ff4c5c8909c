"""`dreamfarm render`: render on this machine, without a store."""

from jobs.cli.arguments import (
    AsJson,
    Draft,
    FitFlag,
    FocusFlag,
    InProcess,
    JobFlags,
    Keep,
    LayerFlag,
    LikeFlag,
    LookFlag,
    NetworkFlag,
    Out,
    Overwrite,
    SetFlags,
    SizeFlag,
    SpecOrPicture,
    Until,
    WeightsFlag,
    Workers,
    read_spec,
)


def render(
    path: SpecOrPicture,
    size: SizeFlag = None,
    fit: FitFlag = None,
    focus: FocusFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    like: LikeFlag = None,
    until: Until = None,
    draft: Draft = None,
    out: Out = None,
    overwrite: Overwrite = False,
    keep: Keep = False,
    workers: Workers = None,
    settings: SetFlags = None,
    in_process: InProcess = False,
    as_json: AsJson = False,
) -> None:
    """Render a picture, a folder or a spec on this machine, and print the paths of the results."""
    from cluster.ray_watch import allow_restart
    from jobs.cli.format import print_results
    from jobs.cli.progress import RenderBar
    from jobs.cli.stdin import names_standard_input
    from jobs.planning.draft import draft_limit
    from jobs.services import client

    if not names_standard_input(path, weights, settings):  # which can be read only once
        allow_restart()
    if in_process and workers is None:
        workers = 1  # several would only take turns
    flags = JobFlags(size, fit, focus, network, weights, layer, look, like)
    spec = read_spec(path, workers, settings, flags)
    with RenderBar() as bar:
        results = client.render(
            spec,
            out,
            overwrite=overwrite,
            keep=keep,
            in_process=in_process,
            watch=bar.show,
            spec_file=path,
            until=draft_limit(until, draft),
        )
    print_results(results, as_json=as_json)
