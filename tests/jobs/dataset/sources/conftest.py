"""Inputs in a bucket of moto's server."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from jobs.dataset.inputs.s3 import client
from tests.faults.servers import Server
from tests.jobs.store.s3 import BUCKET, settings


@dataclass(frozen=True)
class Prefix:
    """A part of a bucket that one test has for itself. address: without a slash at its end."""

    name: str

    @property
    def address(self) -> str:
        return f"s3://{BUCKET}/{self.name}"

    def put(self, key: str, content: bytes = b"x") -> str:
        """The address of a new object."""
        client().put_object(Bucket=BUCKET, Key=f"{self.name}/{key}", Body=content)
        return f"{self.address}/{key}"


@pytest.fixture
def prefix(moto: Server) -> Iterator[Prefix]:
    client.cache_clear()
    with settings(moto):
        yield Prefix(f"inputs/{uuid.uuid4().hex}")
    client.cache_clear()
