"""A program with its own Ray, which tests start from another folder.

Prints what it has started as one line of JSON, then keeps a member busy until it is stopped.
"""

import json
import sys
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    sys.path.insert(0, str(PROJECT))
    from cluster.ray_session import local_ray
    from cluster.resources import Resources
    from tests.support.crew_members import ToyMember

    with (
        local_ray(cpus=1, object_store_bytes=100_000_000) as ray_crew,
        ray_crew(ToyMember, [("Hal",)], Resources()) as crew,
    ):
        children = psutil.Process().children(recursive=True)
        report = {
            "member": crew.call("process", {0: ()})[0],
            "children": [child.pid for child in children],
            "listening": sorted(
                {
                    socket.laddr.ip
                    for child in children
                    for socket in child.net_connections()
                    if socket.status == psutil.CONN_LISTEN
                }
            ),
        }
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()
        crew.call("sleep", {0: (600,)})


if __name__ == "__main__":
    main()
