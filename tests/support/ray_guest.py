"""A program that joins the test's Ray; the first argument is its address."""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent


def main(address: str) -> None:
    sys.path.insert(0, str(PROJECT))
    from cluster.errors import InsufficientCapacity
    from cluster.ray_session import joined_ray
    from cluster.resources import Resources
    from tests.support.crew_members import ToyMember

    with joined_ray(address) as ray_crew:
        with ray_crew(ToyMember, [("Ivy",)], Resources()) as crew:
            sys.stdout.write(crew.call("who", {0: ()})[0] + "\n")
        try:
            ray_crew(ToyMember, [()] * 1000, Resources())
        except InsufficientCapacity as error:
            sys.stdout.write(f"{error}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
