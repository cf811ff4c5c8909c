"""`python -m jobs.cli`: the command `dreamfarm`."""

from jobs.cli.app import main

main()
