"""The service as its users run it: processes on a real S3 server."""
