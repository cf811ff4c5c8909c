"""Ray's own code starts the machines of aws/cluster.yaml in moto."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infra.files import document

# moto takes long to load all instance types.
pytestmark = pytest.mark.slow

_REGION = "eu-central-1"


@dataclass
class Account:
    """The account after Ray has started a head and a worker. ready: the completed configuration."""

    ready: Any
    head: Any
    gpu: Any
    groups: list[Any]
    roles: list[Any]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which Ray has started a head and a worker."""
    from ray.autoscaler._private.aws.config import bootstrap_aws
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
    from ray.autoscaler._private.util import prepare_config, validate_config

    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        ec2 = boto3.client("ec2", _REGION)
        _prepare(ec2)
        config = prepare_config(copy.deepcopy(document("aws/cluster.yaml")))
        config = AWSNodeProvider.fillout_available_node_types_resources(config)
        validate_config(config)
        ready = bootstrap_aws(config)
        provider = AWSNodeProvider(ready["provider"], ready["cluster_name"])
        machines = {}
        for kind, described in ready["available_node_types"].items():
            tags = {"ray-node-kind": kind, "ray-launch-config": "-", "ray-node-name": kind}
            (machine,) = provider.create_node(described["node_config"], tags, 1)
            (seen,) = ec2.describe_instances(InstanceIds=[machine])["Reservations"]
            (machines[kind],) = seen["Instances"]
        groups = ec2.describe_security_groups()["SecurityGroups"]
        yield Account(
            ready, **machines, groups=groups, roles=boto3.client("iam").list_roles()["Roles"]
        )


def _prepare(ec2: Any) -> None:
    """Create what Ray uses of the Terraform resources."""
    vpc = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate("ab"):
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.60.{number}.0/24", AvailabilityZone=f"{_REGION}{zone}"
        )
    group = ec2.create_security_group(GroupName="dreamfarm", Description="-", VpcId=vpc)
    for role in ("head", "worker"):
        profile = boto3.client("iam").create_instance_profile(
            InstanceProfileName=f"dreamfarm-{role}"
        )
        data = {
            "ImageId": "ami-12c6146b",
            "SecurityGroupIds": [group["GroupId"]],
            "IamInstanceProfile": {"Arn": profile["InstanceProfile"]["Arn"]},
        }
        ec2.create_launch_template(LaunchTemplateName=f"dreamfarm-{role}", LaunchTemplateData=data)


def test_machines_have_our_roles(account: Account) -> None:
    assert account.head["IamInstanceProfile"]["Arn"].endswith("/dreamfarm-head")
    assert account.gpu["IamInstanceProfile"]["Arn"].endswith("/dreamfarm-worker")
    # By default Ray creates a role for the head, with all rights on machines and buckets.
    assert account.roles == []


def test_machines_are_only_in_our_security_group(account: Account) -> None:
    for machine in (account.head, account.gpu):
        assert [group["GroupName"] for group in machine["SecurityGroups"]] == ["dreamfarm"]
    # By default Ray creates a group that is open to the world for ssh.
    assert {group["GroupName"] for group in account.groups} == {"default", "dreamfarm"}


def test_workers_have_the_resources_of_their_machines(account: Account) -> None:
    kinds = account.ready["available_node_types"]
    assert kinds["gpu"]["resources"]["GPU"] == 1
    assert kinds["head"]["resources"]["CPU"] == 0
    assert account.gpu["InstanceType"] == "g6.xlarge"
    assert account.gpu["InstanceLifecycle"] == "spot"
