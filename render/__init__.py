"""Dreams as tensors and pictures: exact tiles of one gradient, on one machine, in one process.

Knows nothing of machines, jobs or stores. Errors are those of `render.errors`.
"""
