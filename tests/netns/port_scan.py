"""A program that lists what is open at an address, one port a line."""

import errno
import socket
import sys


def is_open(address: str, port: int) -> bool:
    """Whether somebody accepts a connection; a neighbour says at once that nobody does."""
    try:
        with socket.create_connection((address, port), timeout=5) as reached:
            # On one's own machine it may be oneself, by chance.
            return bool(reached.getpeername() != reached.getsockname())
    except ConnectionRefusedError:
        return False
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:  # all our own ports wait to be forgotten
            raise
        return True


if __name__ == "__main__":
    found = [port for port in range(1, 65536) if is_open(sys.argv[1], port)]
    sys.stdout.writelines(f"{port}\n" for port in found)
