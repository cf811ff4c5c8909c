"""The spec and picture of `make demo`. The picture is drawn from formulas, so it is free to use."""
