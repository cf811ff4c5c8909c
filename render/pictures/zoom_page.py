"""The page beside tiles, which a browser opens from a disk, with no network and no server."""

import html
import json
from collections.abc import Mapping
from string import Template
from typing import Any

from render.pictures.encoding import Viewer

_SCRIPT, _LICENCE = "openseadragon.min.js", "openseadragon-licence.txt"

# A browser does not let a page from a disk fetch a descriptor, so the page contains it. For the
# same reason WebGL must not read the tiles.
_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
html, body, #picture { height: 100%; margin: 0; background: #16181c; }
noscript { color: #fff; }
</style>
<div id="picture" aria-label="$title: arrow keys move it, + and - zoom"></div>
<noscript>This page needs JavaScript.</noscript>
<script src="$script"></script>
<script>
const viewer = OpenSeadragon({
  id: "picture",
  drawer: "canvas",
  showNavigationControl: false,
  maxZoomPixelRatio: 4,
  tileSources: $source,
});
</script>
</html>
""")


def page_files(
    viewer: Viewer, title: str, page: str, folder: str, source: Mapping[str, Any]
) -> dict[str, bytes]:
    """The page and what it loads, by name.

    Args:
        viewer: shows the tiles.
        title: of the page.
        page: the name of the page.
        folder: of the tiles, where the script goes as well.
        source: what OpenSeadragon needs to know, with addresses relative to the page.
    """
    script = f"{folder}/{_SCRIPT}"
    relative = _SCRIPT if page.startswith(f"{folder}/") else script
    text = _PAGE.substitute(
        title=html.escape(title),
        script=html.escape(relative),
        source=json.dumps(source, indent=2).replace("<", "\\u003c"),
    )
    return {
        page: text.encode(),
        script: viewer.script,
        f"{folder}/{_LICENCE}": viewer.licence,
    }


def still_page(title: str, picture: str) -> bytes:
    """A page that shows one picture, where there is no viewer. picture: its relative address."""
    text = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{text}</title>\n'
        f'<img src="{html.escape(picture)}" alt="{text}">\n</html>\n'
    ).encode()
