"""Whether what is installed is what the project asks for."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement

from jobs.doctor.finding import Finding, failed, ok, warning
from jobs.poster.machinery import software

_OURS = "dreamfarm"
_INSTALL = "pip install --upgrade --constraint constraints.txt ."


def wanted() -> list[str] | None:
    """What the installed project asks for; None where it is not installed as a package."""
    try:
        return list(requires(_OURS) or ())
    except PackageNotFoundError:
        return None


def installed(requirements: Iterable[str]) -> dict[str, str | None]:
    """The version of each package that is asked for here; None where it is not there."""
    asked = [Requirement(text) for text in requirements]
    here = [one.name for one in asked if not one.marker or one.marker.evaluate({"extra": ""})]
    found = software(here)
    del found["python"]
    return found


def versions(requirements: list[str] | None, found: Mapping[str, str | None]) -> Finding:
    """requirements: of the project. found: what is installed of them."""
    if requirements is None:
        return warning(
            "versions",
            f"python {platform.python_version()}; dreamfarm runs from a folder, so nobody knows "
            "what it needs",
            f"install it: {_INSTALL}",
        )
    asked = {one.name: one for one in map(Requirement, requirements)}
    wrong = [
        f"{name} is {'missing' if have is None else have} (wanted: {asked[name].specifier})"
        for name, have in found.items()
        if have is None or not asked[name].specifier.contains(have, prereleases=True)
    ]
    if wrong:
        return failed("versions", "; ".join(wrong), _INSTALL)
    return ok("versions", f"python {platform.python_version()}, {len(found)} packages as wanted")
