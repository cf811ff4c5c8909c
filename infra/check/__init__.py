"""`make check-infra`: everything in infra/ that can be checked without an engine or a cloud."""
