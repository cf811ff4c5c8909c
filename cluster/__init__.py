"""Machines: crews of stateful members that work in step, on Ray or in this process.

Work reaches a crew as an opaque class and arguments: this package knows nothing of pictures.
Errors are those of `cluster.errors`.
"""
