"""compose/: ports, networks, secrets and rights of the containers."""

import re
from typing import Any

import pytest

from tests.infra.files import document, text

_COMPOSE = document("compose/compose.yaml")
_SERVICES: dict[str, Any] = _COMPOSE["services"]
_OURS = ("bucket", "head", "worker", "work")

each_service = pytest.mark.parametrize("name", _SERVICES)


def test_ports_are_open_only_on_loopback() -> None:
    published = {name: one["ports"] for name, one in _SERVICES.items() if "ports" in one}
    assert list(published) == ["store", "page", "grafana"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_the_network_is_internal() -> None:
    assert _COMPOSE["networks"]["farm"] == {"internal": True}
    assert {name: one["networks"] for name, one in _SERVICES.items()} == {
        **{name: ["farm", "door"] for name in ("store", "page", "grafana")},
        "prometheus": ["farm"],
        **{name: ["farm"] for name in _OURS},
    }


@pytest.mark.parametrize("name", _OURS)
def test_rays_token_is_a_secret(name: str) -> None:
    service = _SERVICES[name]
    assert service["environment"]["RAY_AUTH_MODE"] == "token"
    assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
    assert "ray_token" in service["secrets"]


@each_service
def test_containers_have_few_rights(name: str) -> None:
    service = _SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & service.keys()
    assert not any(str(volume).startswith(("/var/run", "/:")) for volume in service["volumes"])
    if "build" not in service:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])


@each_service
def test_images_have_a_version(name: str) -> None:
    _, _, tag = _SERVICES[name]["image"].rpartition(":")
    assert re.search(r"\d", tag)
    assert "latest" not in tag


def test_secrets_are_files_that_git_ignores() -> None:
    assert all(list(one) == ["file"] for one in _COMPOSE["secrets"].values())
    assert all(one["file"].startswith("secrets/") for one in _COMPOSE["secrets"].values())
    assert "secrets/" in text("compose/.gitignore").splitlines()
    variables = {name for one in _SERVICES.values() for name in one.get("environment", {})}
    assert not {name for name in variables if re.search("SECRET|ACCESS_KEY|TOKEN$|PASSWORD", name)}


def test_only_the_stores_s3_port_listens_on_the_network() -> None:
    # Its other servers check no keys.
    options = _SERVICES["store"]["command"]
    assert "-ip.bind=127.0.0.1" in options
    assert [one for one in options if "0.0.0.0" in one] == ["-s3.ip.bind=0.0.0.0"]
    assert {"-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"} <= set(options)
    assert "-s3.config=/run/secrets/store_identities" in options
    # The second port of S3 can add keys, with a client certificate; none is issued.
    certificates = _SERVICES["store"]["environment"]
    assert {"WEED_GRPC_CA", "WEED_GRPC_S3_CERT", "WEED_GRPC_S3_KEY"} == certificates.keys()


def test_the_page_needs_a_token_that_is_a_secret() -> None:
    page = _SERVICES["page"]
    assert page["secrets"] == ["page_token", "store_keys"]
    assert "--token-file=/run/secrets/page_token" in page["command"]


def test_one_container_has_all_gpus() -> None:
    (devices,) = _SERVICES["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert not [name for name in ("head", "work", "store") if "deploy" in _SERVICES[name]]


def test_prometheus_scrapes_the_port_of_work() -> None:
    (scraped,) = document("prometheus/prometheus.yml")["scrape_configs"]
    (targets,) = scraped["static_configs"]
    assert targets == {"targets": ["work:9464"]}
    assert _SERVICES["work"]["command"] == ["work", "--metrics", "0.0.0.0:9464"]


def test_grafana_has_its_files_and_no_login() -> None:
    service = _SERVICES["grafana"]
    mounted = [one.split(":") for one in service["volumes"] if one.startswith("../")]
    for source, _, mode in mounted:
        assert text(source.removeprefix("../"))
        assert mode == "ro"
    (provider,) = document("grafana/dashboards.yaml")["providers"]
    assert any(target.startswith(provider["options"]["path"]) for _, target, _ in mounted)
    settings = service["environment"]
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert settings["GF_AUTH_BASIC_ENABLED"] == "false"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
