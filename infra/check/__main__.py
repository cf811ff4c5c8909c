"""Run all checkers; the exit code is 1 if one found a problem."""

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
    """Run the checkers, and print a line for each; returns the exit code."""
    root = Path(__file__).resolve().parents[2]
    is_clean = True
    for checker in _CHECKERS:
        problems = checker(root)
        is_clean = is_clean and not problems
        summary = (checker.__doc__ or "").splitlines()[0]
        sys.stdout.write(f"{'FAILED' if problems else 'ok    '} {checker.__name__:<10} {summary}\n")
        sys.stdout.writelines(f"       {problem}\n" for problem in problems)
        sys.stdout.flush()
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
