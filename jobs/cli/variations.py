"""`dreamfarm variations`: a numbered sheet of drafts, to choose one."""

import shlex
from typing import Annotated

import typer

from jobs.cli.arguments import (
    AsJson,
    FitFlag,
    FocusFlag,
    JobFlags,
    LayerFlag,
    LikeFlag,
    LookFlag,
    NetworkFlag,
    Out,
    SetFlags,
    SizeFlag,
    SpecOrPicture,
    WeightsFlag,
    read_job_document,
)
from jobs.cli.format import echo, echo_json


def variations(
    path: SpecOrPicture,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="FIELD=VALUES",
            help="dream.seed=1..8, look=eyes,garden. Repeatable: all combinations.",
        ),
    ] = None,
    size: SizeFlag = None,
    fit: FitFlag = None,
    focus: FocusFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    like: LikeFlag = None,
    draft: Annotated[
        str, typer.Option("--draft", metavar="SIZE", help="The size of each draft.")
    ] = "600px",
    out: Out = None,
    store: Annotated[
        str | None,
        typer.Option("--store", help="Submit the drafts to this store, instead of rendering here."),
    ] = None,
    settings: SetFlags = None,
    as_json: AsJson = False,
) -> None:
    """Make a numbered sheet of drafts of a picture; `finish SHEET 3` renders the third as a whole.

    Without --vary: all looks that can be rendered here, each at three strengths; or, for a spec
    that says what to see more of, three seeds at three strengths. Run it again to go on.
    """
    from jobs.cli.progress import RenderBar
    from jobs.services import client
    from jobs.services.variations.drafts import make_sheet
    from jobs.services.variations.sheet import PICTURE
    from jobs.services.variations.stored import submit_sheet
    from jobs.services.variations.vary import parse_vary, variations_of
    from jobs.text.errors import RequestError

    varied = {}
    for text in vary or ():
        field, values = parse_vary(text)
        if field in varied:
            raise RequestError(f"--vary {field}: is there twice; write all its values in one")
        varied[field] = values
    flags = JobFlags(size, fit, focus, network, weights, layer, look, like)
    chosen = variations_of(read_job_document(path, None, settings, flags), varied)
    if store is None:
        with RenderBar() as bar:
            sheet, folder = make_sheet(chosen, draft, out, bar.begin)
    else:
        sheet, folder = submit_sheet(client.Store(store), store, chosen, draft, out)
    picture = folder / PICTURE
    if as_json:
        echo_json({"sheet": str(picture), **sheet.document()})
        return
    echo(str(picture))
    missing = len(sheet.entries) - sheet.drawn
    if missing:
        work = f"`dreamfarm work --store {shlex.quote(str(store))}`"
        echo(f"{missing} drafts wait for {work}; then run this command again", err=True)
    else:
        echo(
            f"`dreamfarm finish {shlex.quote(str(folder))} 1` renders the first as a whole",
            err=True,
        )
