"""`dreamfarm fetch`: download a job's results."""

import json
from typing import Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, JobName, Out, Overwrite, StoreFlag


def fetch(
    job: JobName,
    store: StoreFlag = STORE,
    out: Out = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT[:DEPTH]",
            help="png, jpeg, tiff:16, webp, avif, deepzoom, deepzoom-zip, iiif, iiif-zip, pdf, "
            "contract-proof, or as in a spec: '{format: tiff, profile: shop.icc}'. Repeatable. "
            "Default: the job's.",
        ),
    ] = None,
    panels: Annotated[
        str | None,
        typer.Option(
            "--panels",
            metavar="WIDTH",
            help="Cut the poster into files of this width, such as 130cm, with a hanging plan; "
            "or as in a spec: '{width: 130cm, overlap: 2cm, bleed: 3mm}'. Default format: pdf.",
        ),
    ] = None,
    proof: Annotated[
        str | None,
        typer.Option(
            "--proof",
            metavar="PROFILE",
            help="Make a soft proof: a PNG of what a press prints by this CMYK profile (a file, or "
            "cmyk), and the share of the pixels that it cannot print.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Download the results of a succeeded job, verify them, and print their paths.

    While the store has the job's last checkpoint, `--format` can also make other formats here,
    without rendering. Files that are already here are not downloaded again, and an interrupted
    fetch resumes.
    """
    from jobs.cli.format import print_results
    from jobs.poster.fetch.outputs import parse_format
    from jobs.poster.fetch.print_outputs import panel_formats
    from jobs.services.client import Store

    wanted = panel_formats(panels, formats or ())
    if proof is not None:
        wanted.append(json.dumps({"format": "png", "profile": proof, "proof": True}))
    for text in wanted:
        parse_format(text)  # refuses a wrong format before the store is needed
    print_results(
        Store.existing(store).job(job).fetch(out, wanted, overwrite=overwrite),
        as_json=as_json,
    )
