#!/usr/bin/env bash
# `ray up` runs this on each worker. It starts Ray as a service.
#   worker.sh HEAD_ADDRESS
# When a machine shuts down, daemons of an ssh session are killed at once. In a service, only Ray's
# main process gets SIGTERM; it tells the cluster, and waits until crews have left.
set -euo pipefail
readonly HEAD=$1 HERE="$HOME/dreamfarm/infra/nodes"

sudo systemctl stop dreamfarm-ray.service 2>/dev/null || true
sudo systemd-run --unit=dreamfarm-ray --collect --uid="$USER" --setenv=HOME="$HOME" \
  --property=KillMode=mixed --property=TimeoutStopSec=30 --property=LimitNOFILE=1048576 \
  bash "$HERE/until-notice.sh" bash "$HERE/ray.sh" worker "$HEAD" --block
