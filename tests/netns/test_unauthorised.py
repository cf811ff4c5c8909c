"""Without token or certificate, a neighbour on the network reads, starts and stops nothing."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from jobs.store.store import Store
from tests.conftest import PROJECT
from tests.netns.ca import create_ca
from tests.netns.host import Host
from tests.netns.ray_hosts import RAY, TLS, TOKEN, RayHosts
from tests.support.s3_servers import BUCKET, Server

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

OUTSIDER, THIEF = 99, 98
WRONG = "f" * len(TOKEN)

CERTIFIED = f'exec bash {TLS} run "$@"'
"""A shell command that runs a program with the host's own certificate."""

UNCERTIFIED = {
    "no TLS": 'exec "$@"',
    "no certificate": 'RAY_USE_TLS=1 RAY_TLS_CA_CERT="$HOME/.ray/ours.pem" exec "$@"',
    "one of another CA": f'exec bash {TLS} run env RAY_TLS_CA_CERT="$HOME/.ray/ours.pem" "$@"',
}
"""Shell commands that run a program without a certificate of the cluster's CA."""

_ROW = re.compile(r"\| ([\d, –]+) \| (head|all)\b[^|]* \| (.+) \|")


@pytest.fixture(scope="module")
def outsider(ray_hosts: RayHosts, ca: Mapping[str, str]) -> Host:
    """A host on the same network, with a certificate but no token."""
    return ray_hosts.outsider(OUTSIDER, ca)


@pytest.fixture(scope="module")
def thief(
    ray_hosts: RayHosts, ca: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Host:
    """A host with the token and another CA. It also has the CA certificate, which is public."""
    another = create_ca(tmp_path_factory.mktemp("another"))
    return ray_hosts.outsider(THIEF, {"auth_token": TOKEN, **another, "ours.pem": ca["tls/ca.pem"]})


@pytest.fixture(scope="module")
def dashboards() -> None:
    """Skips the test without `ray[default]`, which cluster machines have."""
    pytest.importorskip("aiohttp_cors", reason="NO DASHBOARD: ray[default] is not installed")
    pytest.importorskip("grpc", reason="NO DASHBOARD: ray[default] is not installed")


def documented_ports(*places: str) -> set[int]:
    """The ports that `infra/README.md` lists as open to neighbours. places: `head`, `all`."""
    found: set[int] = set()
    for ports, place, what in _ROW.findall((PROJECT / "infra" / "README.md").read_text()):
        if place in places and "on loopback" not in what:
            for one in ports.split(","):
                low, _, high = one.strip().partition("–")
                found.update(range(int(low), int(high or low) + 1))
    return found


def open_ports(seen_from: Host, address: str) -> set[int]:
    """The open ports of an address."""
    scan = seen_from.run(sys.executable, "-S", "-m", "tests.netns.port_scan", address, timeout=400)
    assert scan.returncode == 0, scan.stdout
    return {int(line) for line in scan.stdout.split()}


def attack(
    by: Host, address: str, *ports: int, how: str = CERTIFIED, **environment: str
) -> dict[str, str]:
    """Run `attacker` on a host; returns the status by attempt.

    ports: of workers. how: a shell command that runs the program.
    """
    words = (sys.executable, "-m", "tests.netns.attacker", address, *map(str, ports))
    done = by.run("bash", "-c", how, "bash", *words, timeout=400, **environment)
    assert done.returncode == 0, done.stdout
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_only_documented_ports_are_open(ray_hosts: RayHosts, outsider: Host) -> None:
    head = open_ports(outsider, ray_hosts.head.address)
    assert head <= documented_ports("all", "head")
    assert {6379, 6380, 6381} <= head
    other = open_ports(outsider, ray_hosts.others[0].address)
    assert other <= documented_ports("all")
    assert {6380, 6381} <= other


@pytest.mark.usefixtures("dashboards")
@pytest.mark.parametrize("is_head", [True, False], ids=["head", "another"])
@pytest.mark.parametrize("shown", [{}, {"TOKEN": WRONG}], ids=["no token", "a wrong one"])
def test_without_a_token_every_call_is_refused(
    ray_hosts: RayHosts, outsider: Host, is_head: bool, shown: dict[str, str]
) -> None:
    address = (ray_hosts.head if is_head else ray_hosts.others[0]).address
    workers = sorted(open_ports(outsider, address) & set(range(10002, 11000)))
    assert_refused(attack(outsider, address, *workers, **shown), is_head)


def assert_refused(found: dict[str, str], is_head: bool) -> None:
    """Check that each attempt was refused for lack of the token, or found no server."""
    accepted = {
        attempt: status
        for attempt, status in found.items()
        if status not in ("UNAUTHENTICATED", "401", "403")
        and not (status in ("CLOSED", "UNAVAILABLE") and may_be_absent(attempt, is_head))
    }
    assert accepted == {}


def may_be_absent(attempt: str, is_head: bool) -> bool:
    """Whether the server may be missing: workers end, and some servers run only on the head."""
    port = int(attempt.split(maxsplit=1)[0])
    return port == 8265 or 10002 <= port <= 10999 or (port in (6379, 10001) and not is_head)


@pytest.mark.usefixtures("dashboards")
def test_with_the_token_calls_are_accepted(ray_hosts: RayHosts, outsider: Host) -> None:
    found = attack(outsider, ray_hosts.head.address, TRY="reading", TOKEN=TOKEN)
    assert set(found.values()) == {"OK"}


@pytest.mark.usefixtures("dashboards")
@pytest.mark.parametrize("how", UNCERTIFIED.values(), ids=UNCERTIFIED)
@pytest.mark.parametrize("is_head", [True, False], ids=["head", "another"])
def test_without_a_certificate_the_token_is_refused(
    ray_hosts: RayHosts, thief: Host, is_head: bool, how: str
) -> None:
    address = (ray_hosts.head if is_head else ray_hosts.others[0]).address
    workers = sorted(open_ports(thief, address) & set(range(10002, 11000)))
    found = attack(thief, address, *workers, how=how, TRY="calls", TOKEN=TOKEN)
    assert set(found.values()) == {"UNAVAILABLE"}


@pytest.mark.usefixtures("dashboards")
def test_without_a_token_the_dashboard_refuses_even_its_own_host(ray_hosts: RayHosts) -> None:
    found = attack(ray_hosts.head, "127.0.0.1")
    dashboard = {
        attempt: status for attempt, status in found.items() if attempt.startswith("8265 ")
    }
    assert set(dashboard.values()) == {"401"}


@pytest.mark.usefixtures("dashboards")
def test_rays_own_clients_are_refused(ray_hosts: RayHosts, outsider: Host) -> None:
    """Without a token and with a wrong one, at the same time: some clients try for a minute."""
    words = (
        "bash",
        TLS,
        "run",
        sys.executable,
        "-m",
        "tests.netns.ray_clients",
        ray_hosts.head.address,
    )

    def try_clients(shown: dict[str, str]) -> dict[str, str]:
        done = outsider.run(*words, timeout=600, **shown)
        # Ray prints messages of its own around it.
        (answer,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
        found: dict[str, str] = json.loads(answer)
        return found

    tokens: tuple[dict[str, str], ...] = ({}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": WRONG})
    with ThreadPoolExecutor(len(tokens)) as pool:
        for found in pool.map(try_clients, tokens):
            assert len(found) == 6
            assert "connected" not in found.values(), found


@pytest.mark.parametrize("token", [None, WRONG])
def test_a_host_without_the_token_cannot_join(
    ray_hosts: RayHosts, outsider: Host, token: str | None
) -> None:
    if token:
        outsider.write(".ray/auth_token", token)
    words = ("bash", RAY, "worker", ray_hosts.head.address, "--temp-dir", "/dev/shm/r")
    assert outsider.run(*words, timeout=400).returncode != 0
    assert open_ports(outsider, "127.0.0.1") == set()


SHORT_TIMEOUTS = {
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
    "RAY_gcs_server_request_timeout_seconds": "5",
}
"""Without these, Ray tries for minutes if nothing answers."""


def test_a_host_with_a_stolen_token_cannot_join(ray_hosts: RayHosts, thief: Host) -> None:
    """With another CA or without one, as a node or as a driver."""
    machine = ("start", "--address", ray_hosts.address, "--temp-dir", "/dev/shm/without")
    ways = (
        ("bash", RAY, "worker", ray_hosts.head.address, "--temp-dir", "/dev/shm/another"),
        ("sh", "-c", 'exec "$HOME/farm/bin/ray" "$@"', "sh", *machine),
        (sys.executable, "-c", "import sys, ray; ray.init(sys.argv[1])", ray_hosts.address),
    )

    def try_to_join(words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        return thief.run(*words, timeout=400, RAY_AUTH_MODE="token", **SHORT_TIMEOUTS)

    with ThreadPoolExecutor(len(ways)) as pool:
        for done in pool.map(try_to_join, ways):
            assert done.returncode != 0
            assert "Failed to connect to GCS" in done.stdout
    assert open_ports(thief, "127.0.0.1") == set()


@pytest.fixture(params=["without keys", "with a wrong key"])
def client(request: pytest.FixtureRequest, s3: Server) -> Any:
    """An S3 client without valid keys."""
    is_anonymous = request.param == "without keys"
    config = Config(proxies={}, signature_version=UNSIGNED if is_anonymous else "s3v4")
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name="us-east-1",
        config=config,
        aws_access_key_id=None if is_anonymous else s3.key,
        aws_secret_access_key=None if is_anonymous else "guessed",
    )


def test_the_store_refuses_every_request(client: Any, bucket: Store) -> None:
    bucket.put("mine", b"1")
    key = f"{bucket.address.removeprefix(f's3://{BUCKET}/')}/mine"
    attempts: dict[str, dict[str, Any]] = {
        "list_objects_v2": {},
        "get_object": {"Key": key},
        "put_object": {"Key": key, "Body": b"2"},
        "delete_object": {"Key": key},
        "create_multipart_upload": {"Key": key},
    }
    for attempt, arguments in attempts.items():
        with pytest.raises(ClientError) as refused:
            getattr(client, attempt)(Bucket=BUCKET, **arguments)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, attempt
    assert bucket.get("mine") == b"1"
