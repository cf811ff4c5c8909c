"""A program that prints the open ports of an address, one per line."""

import errno
import socket
import sys


def is_open(address: str, port: int) -> bool:
    """Whether a port accepts connections. A closed port of a neighbour refuses at once."""
    try:
        with socket.create_connection((address, port), timeout=5) as connection:
            # On the own machine, a socket may connect to itself by chance.
            return bool(connection.getpeername() != connection.getsockname())
    except ConnectionRefusedError:
        return False
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:  # all local ports are in TIME_WAIT
            raise
        return True


if __name__ == "__main__":
    found = [port for port in range(1, 65536) if is_open(sys.argv[1], port)]
    sys.stdout.writelines(f"{port}\n" for port in found)
