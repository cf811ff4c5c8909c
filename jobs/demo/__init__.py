"""What `make demo` renders: a landscape drawn from formulas, so that it is nobody else's."""
