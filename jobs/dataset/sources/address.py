"""Addresses of inputs: paths of this machine, and `s3://BUCKET/KEY` with whatever key it has."""

SCHEME = "s3://"


def is_in_bucket(address: str) -> bool:
    """Whether an address is one of a bucket."""
    return address.startswith(SCHEME)


def folder_of(address: str) -> str:
    """What comes before the last slash."""
    return address.rpartition("/")[0]


def name_of(address: str) -> str:
    """What comes after the last slash."""
    return address.rpartition("/")[2]
