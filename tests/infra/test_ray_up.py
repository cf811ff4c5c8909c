"""The files of `ray up`: token, TLS, ssh, spot workers and copied files."""

import copy
from typing import Any

import pytest

from tests.infra.files import INFRA, document, text

_CLOUDS = ("aws", "gcp")

_SECRETS = ("~/.ray/auth_token", "~/.ray/tls/ca.pem", "~/.ray/tls/ca_key.pem")

each_cloud = pytest.mark.parametrize("cloud", _CLOUDS)


def _cluster(cloud: str) -> Any:
    return document(f"{cloud}/cluster.yaml")


@each_cloud
def test_ray_accepts_the_file(cloud: str) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(copy.deepcopy(_cluster(cloud))))


@each_cloud
def test_every_machine_starts_ray_with_a_token_and_tls(cloud: str) -> None:
    cluster = _cluster(cloud)
    assert all(cluster["file_mounts"][name] == name for name in _SECRETS)
    (head,), (worker,) = cluster["head_start_ray_commands"], cluster["worker_start_ray_commands"]
    assert head.startswith("bash ~/dreamfarm/infra/nodes/ray.sh head ")
    assert worker == "bash ~/dreamfarm/infra/nodes/worker.sh $RAY_HEAD_IP"
    script = text("nodes/ray.sh")
    assert script.index("export RAY_AUTH_MODE=token") < script.index('run "$RAY" start')


@each_cloud
def test_work_knows_the_autoscalers_limit(cloud: str) -> None:
    cluster = _cluster(cloud)
    (command,) = [one for one in cluster["head_setup_commands"] if "scheduler.sh" in one]
    machines, each = command.split()[-1].split("x")
    assert int(machines) == cluster["available_node_types"]["gpu"]["max_workers"]
    # The sizes of g6.xlarge and g2-standard-8.
    sizes = {"aws": {"CPU": 4, "GPU": 1}, "gcp": {"CPU": 8, "GPU": 1}}[cloud]
    assert each.startswith(f"{sizes['CPU']}cpu,{sizes['GPU']}gpu,")
    assert cluster["available_node_types"]["gpu"]["resources"] in ({}, sizes)


@each_cloud
def test_ssh_goes_through_the_clouds_proxy(cloud: str) -> None:
    cluster = _cluster(cloud)
    assert cluster["provider"]["use_internal_ips"] is True
    assert cluster["auth"]["ssh_proxy_use_node_id"] is True
    assert cluster["auth"]["ssh_proxy_command"].startswith(
        {"aws": "aws ssm start-session", "gcp": "gcloud compute start-iap-tunnel"}[cloud]
    )
    assert "security_group" not in cluster["provider"]


@each_cloud
def test_there_are_no_keys_in_it(cloud: str) -> None:
    provider = _cluster(cloud)["provider"]
    assert not {"aws_credentials", "gcp_credentials"} & provider.keys()


@each_cloud
def test_workers_are_spot_machines_that_scale_from_zero(cloud: str) -> None:
    cluster = _cluster(cloud)
    head, gpu = (cluster["available_node_types"][name] for name in ("head", "gpu"))
    assert gpu["min_workers"] == 0 < gpu["max_workers"]
    assert head["resources"] == {"CPU": 0}
    section, name, spot = {
        "aws": ("InstanceMarketOptions", "MarketType", "spot"),
        "gcp": ("scheduling", "provisioningModel", "SPOT"),
    }[cloud]
    assert gpu["node_config"][section][name] == spot
    assert section not in head["node_config"]


def test_metadata_on_aws_requires_a_session_token() -> None:
    for kind in _cluster("aws")["available_node_types"].values():
        options = kind["node_config"]["MetadataOptions"]
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)


@each_cloud
def test_only_needed_files_are_copied(cloud: str) -> None:
    mounts = _cluster(cloud)["file_mounts"]
    code = {name for name in mounts.values() if name not in _SECRETS}
    assert {target: source for target, source in mounts.items() if source in code} == {
        f"~/dreamfarm/{name}": name for name in code
    }
    own = {"gcp": {"infra/gcp/store-keys.sh"}}.get(cloud, set())
    packaged = {"pyproject.toml", "constraints.txt", "LICENSE", "README.md"}
    assert code == packaged | {"render", "cluster", "jobs", "infra/nodes"} | own
    assert all((INFRA.parent / name).exists() for name in code)


@each_cloud
def test_all_scripts_of_the_commands_are_copied(cloud: str) -> None:
    cluster = _cluster(cloud)
    commands = [word for key in cluster if key.endswith("_commands") for word in cluster[key]]
    scripts = [word for line in commands for word in line.split() if word.endswith(".sh")]
    assert scripts
    mounted = tuple(cluster["file_mounts"])
    assert all(script.startswith(mounted) for script in scripts)
