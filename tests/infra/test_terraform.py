"""Terraform: lifecycle rules, rights and open ports."""

import re
from typing import Any

import pytest

from tests.infra.files import INFRA, blocks, text

_AWS = blocks("aws", "resource")
_GOOGLE = blocks("gcp", "resource")


def _of(resources: dict[tuple[str, str], Any], family: str) -> list[Any]:
    return [body for (kind, _), body in resources.items() if kind == family]


def _statements(name: str) -> list[Any]:
    found: list[Any] = blocks("aws", "data")["aws_iam_policy_document", name]["statement"]
    return found


def test_the_only_lifecycle_rule_ends_unfinished_uploads() -> None:
    (lifecycle,) = _of(_AWS, "aws_s3_bucket_lifecycle_configuration")
    (rule,) = lifecycle["rule"]
    assert {name for name in rule if not name.startswith("__")} == {
        "id",
        "status",
        "filter",
        "abort_incomplete_multipart_upload",
    }
    # An upload may take a day.
    (abort,) = rule["abort_incomplete_multipart_upload"]
    assert abort["days_after_initiation"] >= 2
    assert "aws_s3_bucket_versioning" not in {kind for kind, _ in _AWS}


@pytest.mark.parametrize(
    "resource",
    [_AWS["aws_s3_bucket", "store"], _GOOGLE["google_compute_disk", "store"]],
    ids=["aws", "gcp"],
)
def test_the_store_is_protected_from_destroy(resource: Any) -> None:
    (lifecycle,) = resource["lifecycle"]
    assert lifecycle["prevent_destroy"] is True
    assert "force_destroy" not in resource


def test_the_bucket_is_not_public() -> None:
    (block,) = _of(_AWS, "aws_s3_bucket_public_access_block")
    settings = {
        name: value for name, value in block.items() if re.match("block|ignore|restrict", name)
    }
    assert len(settings) == 4
    assert all(value is True for value in settings.values())


def test_users_of_the_store_have_only_the_needed_rights() -> None:
    statements = _statements("store")
    actions = {action.strip('"') for one in statements for action in one["actions"]}
    assert actions == {
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    }
    assert all("aws_s3_bucket.store.arn" in name for one in statements for name in one["resources"])


def test_the_head_changes_only_our_machines() -> None:
    for one in _statements("autoscaler"):
        changes = [action for action in one["actions"] if "Describe" not in action]
        limited = "condition" in one or one["resources"] == ["${aws_iam_role.worker.arn}"]
        assert limited or not changes


def test_no_keys_are_created() -> None:
    kinds = {kind for kind, _ in [*_AWS, *_GOOGLE]}
    assert not kinds & {
        "aws_iam_access_key",
        "aws_iam_user",
        "aws_key_pair",
        "google_service_account_key",
        "google_storage_hmac_key",
        "google_secret_manager_secret_version",
        "random_password",
        "tls_private_key",
    }


def test_aws_is_closed_to_the_outside() -> None:
    for rule in _of(_AWS, "aws_vpc_security_group_ingress_rule"):
        assert rule["referenced_security_group_id"] == "${aws_security_group.farm.id}"
        assert not {"cidr_ipv4", "cidr_ipv6", "prefix_list_id"} & rule.keys()
    (group,) = _of(_AWS, "aws_security_group")
    assert not {"ingress", "egress"} & group.keys()
    assert {kind for kind, _ in _AWS if "security_group" in kind} == {
        "aws_default_security_group",
        "aws_security_group",
        "aws_vpc_security_group_ingress_rule",
        "aws_vpc_security_group_egress_rule",
    }


def test_google_is_closed_to_the_outside() -> None:
    for rule in _of(_GOOGLE, "google_compute_firewall"):
        # Only Google's own proxy, which authenticates users.
        assert ("source_tags" in rule) != ("source_ranges" in rule)
        assert [one.strip('"') for one in rule.get("source_ranges", [])] in (
            [],
            ["35.235.240.0/20"],
        )
    for machine in _of(_GOOGLE, "google_compute_instance"):
        assert all("access_config" not in one for one in machine["network_interface"])


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_providers_have_versions_and_git_ignores_states(cloud: str) -> None:
    versions = re.findall(r'version\s+= "~> (\d+)\.', text(f"{cloud}/versions.tf"))
    assert versions
    ignored = (INFRA / cloud / ".gitignore").read_text("utf-8").splitlines()
    assert {"*.tfstate*", "*.tfvars", ".terraform/"} <= set(ignored)
