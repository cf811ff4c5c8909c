"""Holds back what a page asks for, and reaches its streams of events."""

from playwright.sync_api import Page, Route

_KEEP_STREAMS = """
  window.streams = [];
  window.EventSource = class extends EventSource {
    constructor(address) {
      super(address);
      window.streams.push(this);
    }
  };
"""

_OPEN_STREAMS = """() => window.streams
  .filter((one) => one.readyState !== EventSource.CLOSED)
  .map((one) => new URL(one.url).search)"""

_TELL = """([name, data]) => window.streams.at(-1).dispatchEvent(
  new MessageEvent(name, { data: JSON.stringify(data) }))"""


def keep_streams(page: Page) -> None:
    """Let the functions below find the streams that the page opens from now on."""
    page.add_init_script(_KEEP_STREAMS)


def open_streams(page: Page) -> list[str]:
    """The query of each stream that is open."""
    queries: list[str] = page.evaluate(_OPEN_STREAMS)
    return queries


def tell(page: Page, name: str, data: object) -> None:
    """Send an event on the last stream, as the server does."""
    page.evaluate(_TELL, [name, data])


def hold(page: Page, pattern: str, method: str = "GET") -> list[Route]:
    """Hold back the first request to an address; gives a list that it comes to."""
    held: list[Route] = []

    def take(route: Route) -> None:
        if route.request.method == method and not held:
            held.append(route)
        else:
            route.continue_()

    page.route(pattern, take)
    return held


def let_go(page: Page, held: list[Route], answer: object = None) -> None:
    """Let a held request through, and let the page do what follows from its answer.

    answer: this instead of the server's.
    """
    with page.expect_response(held[0].request.url):
        if answer is None:
            held[0].continue_()
        else:
            held[0].fulfill(json=answer)
    settle(page)


def settle(page: Page) -> None:
    """Wait for requests of this test's own, which come after those that the page just made."""
    for _ in range(3):
        page.evaluate("fetch('/api/v1/jobs').then((answer) => answer.json())")
