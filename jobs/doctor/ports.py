"""Whether this machine can be talked to."""

import errno
import socket
from collections.abc import Iterable

from jobs.doctor.finding import Finding, failed, ok, warning

CLUSTER = (6379, 6380, 6381, 6382, 6383, 8080, 8265, 52365)
"""Where infra/ has Ray listen; on one machine by itself it takes any."""


def loopback() -> Finding:
    """Whether a private Ray could talk to itself."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        return failed(
            "loopback",
            f"127.0.0.1 cannot be reached ({error.strerror or error})",
            "bring the interface lo up, and let no firewall rule cut it off",
        )
    return ok("loopback", "127.0.0.1 answers")


def free_ports(ports: Iterable[int] = CLUSTER) -> Finding:
    """Whether this machine could join a cluster."""
    taken = [port for port in ports if not _is_free(port)]
    if taken:
        return warning(
            "ports",
            f"in use: {', '.join(map(str, taken))}",
            "fine where this machine is part of a cluster already; else end what listens there "
            "before it joins one",
        )
    return ok("ports", "all that Ray takes on a cluster are free")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True
