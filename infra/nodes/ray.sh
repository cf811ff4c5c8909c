#!/usr/bin/env bash
# Starts Ray on a machine of `ray up`: `ray.sh head`, or `ray.sh worker HEAD_ADDRESS`. Further
# arguments are options of `ray start`.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
readonly HERE RAY="$HOME/farm/bin/ray"

# `ray up` copies the token to ~/.ray/auth_token. Without it, Ray does not start.
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
# Ray declares a machine dead after 8 to 28 s without a sign, instead of 64 s.
export RAY_health_check_period_ms=2000 RAY_health_check_timeout_ms=5000
export RAY_health_check_failure_threshold=4
# After SIGTERM, Ray tells the cluster and waits so long for crews to leave. Google gives 30 s.
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=20

role=$1
shift
case "$role" in
  # The head computes nothing; crews run on the workers.
  head) where=(--head --port=6379 --num-cpus=0 --num-gpus=0 --dashboard-host=127.0.0.1) ;;
  worker)
    where=(--address="$1:6379")
    shift
    ;;
  *)
    echo "ray.sh: head or worker, not $role" >&2
    exit 2
    ;;
esac

"$RAY" stop
# Each connection is an open file, so allow as many as possible.
ulimit -n "$(ulimit -Hn)"
# infra/README.md lists these ports.
exec bash "$HERE/tls.sh" run "$RAY" start "${where[@]}" \
  --node-manager-port=6380 \
  --object-manager-port=6381 \
  --runtime-env-agent-port=6382 \
  --dashboard-agent-grpc-port=6383 \
  --dashboard-agent-listen-port=52365 \
  --metrics-export-port=8080 \
  --min-worker-port=10002 \
  --max-worker-port=10999 \
  "$@"
