"""Moto's server, `python -m tests.support.moto_process PORT`, with atomic conditional writes.

Moto looks for the object and writes it in two steps, so of two writers at once both may win.
"""

import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


class OneConditionalWrite:
    """An application that answers one conditional request at a time."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        if "HTTP_IF_NONE_MATCH" not in environ:
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        with self._lock:
            return list(self._application(environ, start_response))


if __name__ == "__main__":
    served = OneConditionalWrite(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), served, threaded=True)
