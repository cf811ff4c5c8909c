"""Stores in the buckets of test servers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.servers import Server

BUCKET = "dreams"

_OURS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION")


@contextmanager
def settings(server: Server, **more: str) -> Iterator[None]:
    """An environment in which boto3 finds the server, and nothing of this machine's own.

    A variable that is set to nothing is not set at all.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in (*_OURS, "DREAMFARM_S3_ADDRESSING", "DREAMFARM_S3_TIMEOUT"):
            patch.delenv(name, raising=False)
        for name, value in (server.environment() | more).items():
            if value:
                patch.setenv(name, value)
            else:
                patch.delenv(name, raising=False)
        yield
