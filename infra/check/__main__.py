"""Run every checker; leave with 1 where one has found something."""

import sys
from pathlib import Path

from infra.check.clusters import ray_up
from infra.check.kubernetes import kubernetes
from infra.check.outcome import Checker
from infra.check.store import store
from infra.check.terraform import terraform
from infra.check.tools import compose, hadolint, shellcheck, yamllint

_CHECKERS: tuple[Checker, ...] = (
    hadolint,
    shellcheck,
    yamllint,
    compose,
    store,
    kubernetes,
    ray_up,
    terraform,
)


def main() -> int:
    """Returns the exit code."""
    root = Path(__file__).resolve().parents[2]
    clean = True
    for checker in _CHECKERS:
        problems = checker(root)
        clean = clean and not problems
        about = (checker.__doc__ or "").splitlines()[0]
        sys.stdout.write(f"{'FAILED' if problems else 'ok    '} {checker.__name__:<10} {about}\n")
        sys.stdout.writelines(f"       {problem}\n" for problem in problems)
        sys.stdout.flush()
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
