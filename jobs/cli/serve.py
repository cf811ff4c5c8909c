"""`dreamfarm serve`: the page of a store, and its HTTP API."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.arguments import STORE, Create, StoreFlag
from jobs.cli.format import echo
from jobs.web.settings import HOST, PORT


def serve(
    store: StoreFlag = STORE,
    create: Create = False,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; beyond this machine needs a token.")
    ] = HOST,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="0 takes any free port.")
    ] = PORT,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Token for logins that may do all."),
    ] = None,
    read_token_file: Annotated[
        Path | None,
        typer.Option("--read-token-file", metavar="FILE", help="Token for logins that only look."),
    ] = None,
    max_upload: Annotated[
        str | None,
        typer.Option("--max-upload", metavar="SIZE", help="Largest upload; default: 2GiB."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            help="A folder or s3://BUCKET/PREFIX that specs may name, besides uploads. Repeatable.",
        ),
    ] = None,
) -> None:
    """Serve a page that shows and drives the jobs of a store, and its HTTP API.

    DREAMFARM_TOKEN and DREAMFARM_READ_TOKEN hold tokens, too.
    """
    from jobs.runtime.access import parse_allowed
    from jobs.store.address import open_store_to_fill
    from jobs.web.server import serve as serve_store
    from jobs.web.settings import ServeSettings, parse_max_upload, read_tokens

    settings = ServeSettings(
        host,
        port,
        read_tokens(token_file, read_token_file),
        max_upload=parse_max_upload(max_upload),
        allowed=tuple(map(parse_allowed, allow or ())),
    )
    opened = open_store_to_fill(store, may_create=create or store == STORE)
    serve_store(opened, settings, echo)
