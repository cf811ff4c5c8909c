"""kubernetes/: network policies, users, secrets and limits."""

from typing import Any

import pytest

from tests.infra.files import document, manifest, manifests, pods

_OURS = [{"podSelector": {"matchLabels": {"dreamfarm/ray": "true"}}}]

each_pod = pytest.mark.parametrize("pod", [pytest.param(pod, id=name) for name, pod in pods()])


def _policies() -> dict[str, Any]:
    return {
        one["metadata"]["name"]: one["spec"]
        for one in manifests()
        if one["kind"] == "NetworkPolicy"
    }


def test_ray_requires_a_token() -> None:
    cluster = manifest("RayCluster", "farm")["spec"]
    assert cluster["authOptions"] == {"mode": "token", "secretName": "ray-token"}
    work = manifest("Deployment", "work")["spec"]["template"]["spec"]
    (container,) = work["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables["RAY_AUTH_MODE"] == "token"
    assert variables["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray/auth_token"
    (mounted,) = [one for one in work["volumes"] if one["name"] == "ray-token"]
    assert mounted["secret"]["secretName"] == "ray-token"


def test_the_page_needs_a_token_and_nobody_in_the_cluster_reaches_it() -> None:
    template = manifest("Deployment", "page")["spec"]["template"]
    (page,) = template["spec"]["containers"]
    assert "--token-file=/run/secrets/page/token" in page["args"]
    (mounted,) = [one for one in template["spec"]["volumes"] if one["name"] == "page-token"]
    assert mounted["secret"] == {"secretName": "page-token", "defaultMode": 0o440}
    selectors = [
        spec["podSelector"].get("matchLabels", {})
        for spec in _policies().values()
        if spec.get("ingress")
    ]
    labels = template["metadata"]["labels"].items()
    assert not [one for one in selectors if one.items() <= labels]


def test_work_knows_the_autoscalers_limit() -> None:
    (workers,) = manifest("RayCluster", "farm")["spec"]["workerGroupSpecs"]
    (ray,) = workers["template"]["spec"]["containers"]
    limits = ray["resources"]["limits"]
    machine = f"{limits['cpu']}cpu,{limits['nvidia.com/gpu']}gpu,{limits['memory']}B"
    (work,) = manifest("Deployment", "work")["spec"]["template"]["spec"]["containers"]
    assert work["args"][:3] == ["work", "--grows-to", f"{workers['maxReplicas']}x{machine}"]


def test_prometheus_can_scrape_the_port_of_work() -> None:
    template = manifest("Deployment", "work")["spec"]["template"]
    (work,) = template["spec"]["containers"]
    (port,) = work["ports"]
    served = work["args"][work["args"].index("--metrics") + 1]
    assert served == f"0.0.0.0:{port['containerPort']}"
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    (rule,) = manifest("NetworkPolicy", "metrics")["spec"]["ingress"]
    assert port["containerPort"] in [one["port"] for one in rule["ports"]]


def test_there_are_no_secrets_in_files() -> None:
    assert not [one for one in manifests() if one["kind"] == "Secret"]
    settings = manifest("ConfigMap", "settings")["data"]
    assert not [name for name in settings if "SECRET" in name or "ACCESS_KEY" in name]


def test_all_traffic_is_denied_by_default() -> None:
    assert _policies()["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_own_pods_kuberay_and_prometheus_may_connect() -> None:
    sources = {
        name: rule["from"] for name, spec in _policies().items() for rule in spec.get("ingress", [])
    }
    assert set(sources) == {"ray", "operator", "metrics"}
    assert sources["ray"] == _OURS
    (operator,) = sources["operator"]
    assert operator["podSelector"] == {
        "matchLabels": {"app.kubernetes.io/name": "kuberay-operator"}
    }
    (prometheus,) = sources["metrics"]
    assert prometheus == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    }


def test_outgoing_rules_name_ports_and_exclude_the_metadata_address() -> None:
    rules = [(name, rule) for name, spec in _policies().items() for rule in spec.get("egress", [])]
    assert {name for name, _ in rules} == {"names", "ray", "autoscaler", "store"}
    for _, rule in rules:
        assert rule["ports"]
        for peer in rule["to"]:
            assert peer.get("ipBlock", {"except": ["169.254.0.0/16"]})["except"] == [
                "169.254.0.0/16"
            ]


@each_pod
def test_no_container_runs_as_root(pod: Any) -> None:
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert not [one for one in spec["volumes"] if "hostPath" in one]


@each_pod
def test_all_containers_have_limits(pod: Any) -> None:
    for container in pod["spec"]["containers"]:
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
    sizes = [one["emptyDir"] for one in pod["spec"]["volumes"] if "emptyDir" in one]
    assert all("sizeLimit" in one for one in sizes)


def test_gpu_workers_scale_from_zero() -> None:
    cluster = manifest("RayCluster", "farm")["spec"]
    assert cluster["enableInTreeAutoscaling"] is True
    (group,) = cluster["workerGroupSpecs"]
    assert group["minReplicas"] == group["replicas"] == 0 < group["maxReplicas"]
    (worker,) = group["template"]["spec"]["containers"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_the_scheduler_avoids_gpu_nodes_and_has_time_to_stop() -> None:
    work = manifest("Deployment", "work")["spec"]["template"]["spec"]
    (term,) = work["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert {one["operator"] for one in term["matchExpressions"]} == {"DoesNotExist"}
    assert "tolerations" not in work
    assert work["terminationGracePeriodSeconds"] > 30


@pytest.mark.parametrize("overlay", ["on-demand", "spot"])
def test_images_have_a_version(overlay: str) -> None:
    (image,) = document(f"kubernetes/{overlay}/kustomization.yaml")["images"]
    assert image["name"] == "dreamfarm"
    assert image["newTag"][0].isdigit()
    used = {container["image"] for _, pod in pods() for container in pod["spec"]["containers"]}
    assert used == {"dreamfarm"}
