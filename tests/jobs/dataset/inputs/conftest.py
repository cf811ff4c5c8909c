"""Inputs in a bucket of a moto server."""

import uuid
from collections.abc import Iterator

import pytest

from jobs.dataset.inputs.s3 import s3_client
from tests.support.listed_inputs import S3Prefix
from tests.support.s3_servers import Server, s3_environment


@pytest.fixture
def prefix(moto: Server) -> Iterator[S3Prefix]:
    s3_client.cache_clear()
    with s3_environment(moto):
        yield S3Prefix(f"inputs/{uuid.uuid4().hex}")
    s3_client.cache_clear()
