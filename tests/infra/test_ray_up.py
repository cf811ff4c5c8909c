"""The files of `ray up`: the token, the way in, what is cheap and what stays."""

import copy
from typing import Any

import pytest

from tests.infra.files import document, text

_CLOUDS = ("aws", "gcp")

each_cloud = pytest.mark.parametrize("cloud", _CLOUDS)


def _cluster(cloud: str) -> Any:
    return document(f"{cloud}/cluster.yaml")


@each_cloud
def test_ray_itself_finds_it_valid(cloud: str) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(copy.deepcopy(_cluster(cloud))))


@each_cloud
def test_every_machine_starts_ray_with_a_token(cloud: str) -> None:
    cluster = _cluster(cloud)
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    starts = cluster["head_start_ray_commands"] + cluster["worker_start_ray_commands"]
    assert all(one.startswith("bash ~/dreamfarm/infra/nodes/ray.sh ") for one in starts)
    script = text("nodes/ray.sh")
    assert script.index("export RAY_AUTH_MODE=token") < script.index('exec "$RAY" start')


@each_cloud
def test_work_knows_what_the_cluster_may_grow_to(cloud: str) -> None:
    cluster = _cluster(cloud)
    (said,) = [one for one in cluster["head_setup_commands"] if "scheduler.sh" in one]
    machines, each = said.split()[-1].split("x")
    assert int(machines) == cluster["available_node_types"]["gpu"]["max_workers"]
    # g6.xlarge; what g2-standard-8 has is written beside it.
    sizes = {"aws": {"CPU": 4, "GPU": 1}, "gcp": {"CPU": 8, "GPU": 1}}[cloud]
    assert each.startswith(f"{sizes['CPU']}cpu,{sizes['GPU']}gpu,")
    assert cluster["available_node_types"]["gpu"]["resources"] in ({}, sizes)


@each_cloud
def test_the_way_in_asks_the_cloud_who_one_is(cloud: str) -> None:
    cluster = _cluster(cloud)
    assert cluster["provider"]["use_internal_ips"] is True
    assert cluster["auth"]["ssh_proxy_use_node_id"] is True
    assert cluster["auth"]["ssh_proxy_command"].startswith(
        {"aws": "aws ssm start-session", "gcp": "gcloud compute start-iap-tunnel"}[cloud]
    )
    assert "security_group" not in cluster["provider"]


@each_cloud
def test_no_keys_stand_in_it(cloud: str) -> None:
    provider = _cluster(cloud)["provider"]
    assert not {"aws_credentials", "gcp_credentials"} & provider.keys()


@each_cloud
def test_workers_are_spot_machines_that_come_with_demand(cloud: str) -> None:
    cluster = _cluster(cloud)
    head, gpu = (cluster["available_node_types"][name] for name in ("head", "gpu"))
    assert gpu["min_workers"] == 0 < gpu["max_workers"]
    assert head["resources"] == {"CPU": 0}
    where, name, spot = {
        "aws": ("InstanceMarketOptions", "MarketType", "spot"),
        "gcp": ("scheduling", "provisioningModel", "SPOT"),
    }[cloud]
    assert gpu["node_config"][where][name] == spot
    assert where not in head["node_config"]


def test_metadata_of_a_machine_on_aws_takes_a_signed_request() -> None:
    for kind in _cluster("aws")["available_node_types"].values():
        options = kind["node_config"]["MetadataOptions"]
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)


@each_cloud
def test_secrets_of_this_machine_stay_here(cloud: str) -> None:
    excluded = _cluster(cloud)["rsync_exclude"]
    assert {".git", "infra/compose/secrets", "*.tfstate*"} <= set(excluded)
