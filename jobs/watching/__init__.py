"""What operators see: meters for Prometheus, and logs that programs can read."""
