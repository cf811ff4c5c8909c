"""Metrics of running jobs, from the worker to Prometheus."""
