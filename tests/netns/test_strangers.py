"""Who has no token, on the same network: neither submits, nor reads, nor stops anything."""

import json
import re
import sys
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from jobs.store.store import Store
from tests.conftest import PROJECT
from tests.faults.servers import Server
from tests.jobs.store.s3 import BUCKET
from tests.netns.farm import TOKEN, Farm
from tests.netns.host import Host

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

STRANGER = 99
WRONG = "f" * len(TOKEN)

_ROW = re.compile(r"\| ([\d, –]+) \| (head|all)\b[^|]* \| (.+) \|")


@pytest.fixture(scope="module")
def stranger(farm: Farm) -> Host:
    """A host on the same wire."""
    return farm.stranger(STRANGER)


@pytest.fixture(scope="module")
def dashboards() -> None:
    """The extras of Ray that machines of a farm have."""
    pytest.importorskip("aiohttp_cors", reason="NO DASHBOARD: ray[default] is not installed")
    pytest.importorskip("grpc", reason="NO DASHBOARD: ray[default] is not installed")


def documented(*places: str) -> set[int]:
    """The ports that infra's README lists for these machines, open to their neighbours."""
    found: set[int] = set()
    for ports, place, what in _ROW.findall((PROJECT / "infra" / "README.md").read_text()):
        if place in places and "on loopback" not in what:
            for one in ports.split(","):
                low, _, high = one.strip().partition("–")
                found.update(range(int(low), int(high or low) + 1))
    return found


def open_ports(seen_from: Host, address: str) -> set[int]:
    """What is open at an address."""
    told = seen_from.run(sys.executable, "-S", "-m", "tests.netns.scan", address, timeout=400)
    assert told.returncode == 0, told.stdout
    return {int(line) for line in told.stdout.split()}


def tried(by: Host, address: str, *ports: int, **environment: str) -> dict[str, str]:
    """What came of an intruder's attempts."""
    words = (sys.executable, "-m", "tests.netns.intruder", address, *map(str, ports))
    told = by.run(*words, timeout=400, **environment)
    assert told.returncode == 0, told.stdout
    found: dict[str, str] = json.loads(told.stdout)
    return found


def test_only_documented_ports_are_open(farm: Farm, stranger: Host) -> None:
    head = open_ports(stranger, farm.head.address)
    assert head <= documented("all", "head")
    assert {6379, 6380, 6381} <= head
    other = open_ports(stranger, farm.others[0].address)
    assert other <= documented("all")
    assert {6380, 6381} <= other


@pytest.mark.usefixtures("dashboards")
@pytest.mark.parametrize("is_head", [True, False], ids=["head", "another"])
@pytest.mark.parametrize("shown", [{}, {"TOKEN": WRONG}], ids=["no token", "a wrong one"])
def test_strangers_get_nothing(
    farm: Farm, stranger: Host, is_head: bool, shown: dict[str, str]
) -> None:
    address = (farm.head if is_head else farm.others[0]).address
    workers = sorted(open_ports(stranger, address) & set(range(10002, 11000)))
    assert_refused(tried(stranger, address, *workers, **shown), is_head)


def assert_refused(found: dict[str, str], is_head: bool) -> None:
    """Each attempt was turned away for want of the token, or met nobody at all."""
    let_in = {
        attempt: came_of_it
        for attempt, came_of_it in found.items()
        if came_of_it not in ("UNAUTHENTICATED", "401", "403")
        and not (came_of_it in ("CLOSED", "UNAVAILABLE") and may_be_away(attempt, is_head))
    }
    assert let_in == {}


def may_be_away(attempt: str, is_head: bool) -> bool:
    """Whether nobody need answer: workers come and go, and some only live at the head."""
    port = int(attempt.split(maxsplit=1)[0])
    return port == 8265 or 10002 <= port <= 10999 or (port in (6379, 10001) and not is_head)


@pytest.mark.usefixtures("dashboards")
def test_the_token_is_what_opens(farm: Farm, stranger: Host) -> None:
    found = tried(stranger, farm.head.address, HARMLESS="1", TOKEN=TOKEN)
    assert set(found.values()) == {"OK"}


@pytest.mark.usefixtures("dashboards")
def test_without_a_token_nobody_uses_the_dashboard_even_on_its_machine(farm: Farm) -> None:
    found = tried(farm.head, "127.0.0.1")
    dashboard = {attempt: came for attempt, came in found.items() if attempt.startswith("8265 ")}
    assert set(dashboard.values()) == {"401"}


@pytest.mark.usefixtures("dashboards")
@pytest.mark.parametrize("token", [None, WRONG])
def test_rays_own_clients_are_turned_away(farm: Farm, stranger: Host, token: str | None) -> None:
    shown = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token} if token else {}
    words = (sys.executable, "-m", "tests.netns.guest", farm.head.address)
    told = stranger.run(*words, timeout=600, **shown)
    # Ray's own complaints lie around it.
    (answer,) = [line for line in told.stdout.splitlines() if line.startswith("{")]
    found: dict[str, str] = json.loads(answer)
    assert len(found) == 6
    assert "in" not in found.values(), found


@pytest.mark.parametrize("token", [None, WRONG])
def test_a_stranger_cannot_join(farm: Farm, stranger: Host, token: str | None) -> None:
    if token:
        stranger.write(".ray/auth_token", token)
    script = str(PROJECT / "infra" / "nodes" / "ray.sh")
    words = ("bash", script, "worker", farm.head.address, "--temp-dir", "/dev/shm/r")
    assert stranger.run(*words, timeout=400).returncode != 0
    assert open_ports(stranger, "127.0.0.1") == set()


@pytest.fixture(params=["without keys", "with a wrong key"])
def client(request: pytest.FixtureRequest, s3: Server) -> Any:
    """A stranger's way to the store."""
    is_nobody = request.param == "without keys"
    config = Config(proxies={}, signature_version=UNSIGNED if is_nobody else "s3v4")
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name="us-east-1",
        config=config,
        aws_access_key_id=None if is_nobody else s3.key,
        aws_secret_access_key=None if is_nobody else "guessed",
    )


def test_the_store_is_closed(client: Any, bucket: Store) -> None:
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
