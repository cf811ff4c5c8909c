"""Settings of S3: the conventions of AWS tools, and two variables of Dreamfarm."""

from pathlib import Path
from typing import Any

import pytest

from jobs.store.s3_client import make_client
from tests.support.s3_servers import Server, s3_environment

SERVER = Server("http://store.example:9000")
AWS = {"AWS_ENDPOINT_URL_S3": ""}


def url(**more: str) -> str:
    """The URL at which a client with these settings requests the key `k` of bucket `bbb`."""
    with s3_environment(SERVER, **more):
        client = make_client()
    address = client.generate_presigned_url("get_object", Params={"Bucket": "bbb", "Key": "k"})
    return address.partition("?")[0]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "http://store.example:9000/bbb/k"),
        ({"DREAMFARM_S3_ADDRESSING": "auto"}, "http://store.example:9000/bbb/k"),
        ({"DREAMFARM_S3_ADDRESSING": "virtual"}, "http://bbb.store.example:9000/k"),
        (AWS, "https://bbb.s3.amazonaws.com/k"),
        (AWS | {"DREAMFARM_S3_ADDRESSING": "path"}, "https://s3.amazonaws.com/bbb/k"),
        (AWS | {"AWS_ENDPOINT_URL": "https://other.example"}, "https://other.example/bbb/k"),
    ],
)
def test_endpoint_implies_path_addressing(more: dict[str, str], expected: str) -> None:
    assert url(**more) == expected


def test_profile_configures_the_client(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile farm]\nregion = eu-west-9\nendpoint_url = https://farm.example\n"
        "aws_access_key_id = fromprofile\naws_secret_access_key = secret\n"
        "s3 =\n  addressing_style = virtual\n"
    )
    profile = {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "farm"}
    with s3_environment(SERVER, **dict.fromkeys(SERVER.environment(), "") | profile):
        client = make_client()
    assert client.meta.region_name == "eu-west-9"
    address = client.generate_presigned_url("get_object", Params={"Bucket": "bbb", "Key": "k"})
    assert address.startswith("https://bbb.farm.example/k?")
    assert "fromprofile" in address


def test_timeouts() -> None:
    for more, expected in (({}, (3, 10)), ({"DREAMFARM_S3_TIMEOUT": "2.5"}, (2.5, 2.5))):
        with s3_environment(SERVER, **more):
            config: Any = make_client().meta.config
        assert (config.connect_timeout, config.read_timeout) == expected


def test_region_is_optional() -> None:
    with s3_environment(SERVER, AWS_DEFAULT_REGION=""):
        assert make_client().meta.region_name == "us-east-1"
