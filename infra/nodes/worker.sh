#!/usr/bin/env bash
# What `ray up` runs on a worker: Ray as a service, so that a machine that goes says so in time.
#   worker.sh HEAD_ADDRESS
# Daemons of an ssh session are killed at once when a machine shuts down; of a service Ray itself
# alone is told. It then tells the cluster, and waits until crews have left.
set -euo pipefail
readonly HEAD=$1 HERE="$HOME/dreamfarm/infra/nodes"

sudo systemctl stop dreamfarm-ray.service 2>/dev/null || true
sudo systemd-run --unit=dreamfarm-ray --collect --uid="$USER" --setenv=HOME="$HOME" \
  --property=KillMode=mixed --property=TimeoutStopSec=30 --property=LimitNOFILE=1048576 \
  bash "$HERE/until-notice.sh" bash "$HERE/ray.sh" worker "$HEAD" --block
