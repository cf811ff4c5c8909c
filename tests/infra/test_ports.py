"""The ports of Ray: the same in all setups, and documented."""

import re

import pytest

from tests.infra.files import blocks, manifest, text

_OPTIONS = {
    "node-manager-port": 6380,
    "object-manager-port": 6381,
    "runtime-env-agent-port": 6382,
    "dashboard-agent-grpc-port": 6383,
    "dashboard-agent-listen-port": 52365,
    "metrics-export-port": 8080,
    "min-worker-port": 10002,
    "max-worker-port": 10999,
}


@pytest.mark.parametrize("script", ["image/farm-node", "nodes/ray.sh"])
def test_scripts_start_ray_with_these_ports(script: str) -> None:
    resolved = text(script).replace('"$NODE_PORT"', "6380")
    options = {name: int(port) for name, port in re.findall(r"--([a-z-]+-port)=(\d+)", resolved)}
    assert options == _OPTIONS


def test_kuberay_starts_ray_with_these_ports() -> None:
    cluster = manifest("RayCluster", "farm")["spec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        ports = {k: int(v) for k, v in group["rayStartParams"].items() if k.endswith("-port")}
        assert ports == _OPTIONS


def _is_open(port: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= port <= high for low, high in ranges)


def test_network_policies_open_these_ports() -> None:
    (rule,) = manifest("NetworkPolicy", "ray")["spec"]["ingress"]
    ranges = [(one["port"], one.get("endPort", one["port"])) for one in rule["ports"]]
    among_nodes = [port for name, port in _OPTIONS.items() if name != "metrics-export-port"]
    assert all(_is_open(port, ranges) for port in [6379, *among_nodes])
    # The port of Ray's client is not used.
    assert not _is_open(10001, ranges)


def test_the_google_firewall_opens_these_ports() -> None:
    rule = blocks("gcp", "resource")["google_compute_firewall", "among_ourselves"]
    (allowed,) = rule["allow"]
    pairs = [port.strip('"').partition("-") for port in allowed["ports"]]
    ranges = [(int(low), int(high or low)) for low, _, high in pairs]
    assert all(_is_open(port, ranges) for port in [6379, *_OPTIONS.values()])
    assert not _is_open(10001, ranges)


def test_the_readme_lists_these_ports() -> None:
    table = "\n".join(line for line in text("README.md").splitlines() if line.startswith("| "))
    assert all(re.search(rf"\b{port}\b", table) for port in [6379, 8265, 10001, *_OPTIONS.values()])
