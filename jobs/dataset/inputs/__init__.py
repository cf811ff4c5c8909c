"""The inputs of a dataset: listing them as a stream, and reading one of them."""
