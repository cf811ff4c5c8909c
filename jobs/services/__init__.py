"""What commands do with any kind of job."""
