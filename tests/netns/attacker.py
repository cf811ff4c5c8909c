"""A program that attacks a Ray host, and prints the status of each attempt as a JSON object.

Arguments: ADDRESS, then ports of workers. The program does not use Ray: Ray's protocols are HTTP
and gRPC, where an empty message has no bytes.

Environment:
    TOKEN: the token to send.
    RAY_USE_TLS, RAY_TLS_…: as for Ray; the client's own certificate may be missing.
    TRY: `reading` for harmless calls only, `calls` for all but HTTP.
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
"""Harmless calls. They are safe even if the host accepts them."""

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


def call_grpc(address: str, port: int, method: str) -> str:
    """The status of a gRPC call with an empty request."""
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


def call_http(address: str, port: int, method: str, path: str) -> str:
    """The status of an HTTP request; CLOSED if no server answers."""
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
    """Make all attempts, or those that TRY selects."""
    selection = os.environ.get("TRY")
    calls = [*READING]
    if selection != "reading":
        calls += [*_CHANGING, *((port, method) for port in workers for method in _AT_WORKERS)]
    found = {f"{port} {method}": call_grpc(address, port, method) for port, method in calls}
    if selection is None:
        found |= {
            f"{port} {method} {path}": call_http(address, port, method, path)
            for port, method, path in _OVER_HTTP
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], [int(port) for port in sys.argv[2:]])
