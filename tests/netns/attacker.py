"""A program that tries what a stranger may try on a host of a farm, and tells what came of it.

ADDRESS, then ports of workers. Nothing of Ray's own is needed: its protocols are gRPC, whose empty
message is no bytes at all, and HTTP. On standard output a JSON object: attempt -> status.
In the environment, TOKEN: what to show; RAY_USE_TLS and RAY_TLS_…: as Ray takes them, but that its
own certificate may be missing; TRY: `reading`, which is harmless, or `calls`, without HTTP.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

import grpc

_GCS, _CLIENT, _RAYLET, _OBJECTS, _ENVIRONMENTS, _REPORTS, _HEALTH = (
    *(6379, 10001, 6380, 6381, 6382, 6383),
    52365,
)

READING = (
    (_GCS, "NodeInfoGcsService/GetAllNodeInfo"),
    (_GCS, "JobInfoGcsService/GetAllJobInfo"),
    (_GCS, "ActorInfoGcsService/GetAllActorInfo"),
    (_GCS, "InternalKVGcsService/InternalKVKeys"),
    (_RAYLET, "NodeManagerService/GetNodeStats"),
    (_RAYLET, "NodeManagerService/GetObjectsInfo"),
)
"""Harmless, so that they may be tried by whoever is let in."""

_CHANGING = (
    (_GCS, "InternalKVGcsService/InternalKVPut"),
    (_GCS, "InternalKVGcsService/InternalKVDel"),
    (_GCS, "NodeInfoGcsService/RegisterNode"),
    (_GCS, "JobInfoGcsService/AddJob"),
    (_GCS, "JobInfoGcsService/MarkJobFinished"),
    (_GCS, "ActorInfoGcsService/RegisterActor"),
    (_GCS, "ActorInfoGcsService/KillActorViaGcs"),
    (_GCS, "PlacementGroupInfoGcsService/RemovePlacementGroup"),
    (_GCS, "autoscaler.AutoscalerStateService/DrainNode"),
    (_RAYLET, "NodeManagerService/RequestWorkerLease"),
    (_RAYLET, "NodeManagerService/KillLocalActor"),
    (_RAYLET, "NodeManagerService/DrainRaylet"),
    (_RAYLET, "NodeManagerService/ShutdownRaylet"),
    (_OBJECTS, "ObjectManagerService/Push"),
    (_OBJECTS, "ObjectManagerService/Pull"),
    (_REPORTS, "ReporterService/GetTraceback"),
    (_REPORTS, "ReporterService/CpuProfiling"),
    (_REPORTS, "LogService/ListLogs"),
    (_CLIENT, "RayletDriver/ClusterInfo"),
    (_CLIENT, "RayletDriver/Schedule"),
    (_CLIENT, "RayletDriver/KVPut"),
    (_CLIENT, "RayletDriver/Terminate"),
)

_AT_WORKERS = (
    "CoreWorkerService/GetCoreWorkerStats",
    "CoreWorkerService/PushTask",
    "CoreWorkerService/KillActor",
    "CoreWorkerService/Exit",
)

_OVER_HTTP = (
    (_ENVIRONMENTS, "GET", "/get_runtime_envs_info"),
    (_ENVIRONMENTS, "POST", "/get_or_create_runtime_env"),
    (_ENVIRONMENTS, "POST", "/delete_runtime_env_if_possible"),
    (_HEALTH, "POST", "/api/job_agent/jobs/"),
    (_HEALTH, "GET", "/api/job_agent/jobs/1/logs"),
    (_HEALTH, "POST", "/api/job_agent/jobs/1/stop"),
    (8265, "GET", "/api/jobs/"),
    (8265, "POST", "/api/jobs/"),
    (8265, "GET", "/api/jobs/1/logs"),
    (8265, "POST", "/api/jobs/1/stop"),
    (8265, "DELETE", "/api/jobs/1"),
    (8265, "GET", "/api/v0/actors"),
    (8265, "GET", "/nodes?view=summary"),
)

_TIMEOUT = 60.0


def asked(address: str, port: int, method: str) -> str:
    """The status by which a gRPC method answers an empty request."""
    token = os.environ.get("TOKEN")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with _channel(f"{address}:{port}") as channel:
        call = channel.unary_unary(f"/ray.rpc.{method}")
        try:
            call(b"", metadata=metadata, timeout=_TIMEOUT)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def _channel(target: str) -> Any:
    if os.environ.get("RAY_USE_TLS") != "1":
        return grpc.insecure_channel(target)
    files = [os.environ.get(f"RAY_TLS_{name}") for name in ("CA_CERT", "SERVER_KEY", "SERVER_CERT")]
    certificates = [Path(file).read_bytes() if file else None for file in files]
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(*certificates))


def requested(address: str, port: int, method: str, path: str) -> str:
    """The status by which an HTTP server answers; CLOSED where there is none."""
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"} if "TOKEN" in os.environ else {}
    request = urllib.request.Request(
        f"http://{address}:{port}{path}",
        method=method,
        headers=headers,
        data=b"{}" if method == "POST" else None,
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except (OSError, HTTPException):
        return "CLOSED"


def main(address: str, workers: list[int]) -> None:
    """Try it all, or what TRY says."""
    what = os.environ.get("TRY")
    calls = [*READING]
    if what != "reading":
        calls += [*_CHANGING, *((port, method) for port in workers for method in _AT_WORKERS)]
    found = {f"{port} {method}": asked(address, port, method) for port, method in calls}
    if what is None:
        found |= {
            f"{port} {method} {path}": requested(address, port, method, path)
            for port, method, path in _OVER_HTTP
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], [int(port) for port in sys.argv[2:]])
