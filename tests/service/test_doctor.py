"""The checks of `dreamfarm doctor` on a real cluster."""

from pathlib import Path

import pytest

from jobs.services.doctor.cluster_checks import check_cluster
from tests.support.ray_clusters import ENVIRONMENT, ray_clusters


def test_a_healthy_cluster_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ray_clusters(1, cpus=1) as (address,):
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        found = list(check_cluster(address, str(tmp_path / "store")))
        assert [one.verdict for one in found if one.check != "cluster: disks"] == ["ok"] * 3, found
        assert "1 machines" in found[0].found

        monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * 64)
        (only,) = check_cluster(address, None)
        assert only.verdict == "failed"
        assert "token" in only.found
