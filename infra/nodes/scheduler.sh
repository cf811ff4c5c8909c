#!/usr/bin/env bash
# `ray up` runs this on the head. It starts `dreamfarm work` as a service that outlives Ray.
#   scheduler.sh STORE REGION MACHINES
# MACHINES: the machines that the autoscaler may start, as for `work --grows-to`.
set -euo pipefail
readonly STORE=$1 REGION=$2 MACHINES=$3

if [[ $STORE == *change-me* ]]; then
  echo "scheduler.sh: name your bucket in head_setup_commands, instead of $STORE" >&2
  exit 2
fi

sudo tee /etc/systemd/system/dreamfarm.service >/dev/null <<UNIT
[Unit]
Description=dreamfarm work
After=network-online.target
Wants=network-online.target

[Service]
User=$USER
Environment=DREAMFARM_STORE=$STORE AWS_REGION=$REGION
Environment=RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$HOME/.ray/auth_token
ExecStart=/bin/sh -c 'exec bash $HOME/dreamfarm/infra/nodes/tls.sh run $HOME/farm/bin/dreamfarm work --address "\$(hostname -I | cut -d " " -f 1):6379" --grows-to $MACHINES'
Restart=always
RestartSec=5
# It releases its jobs within 30 seconds.
TimeoutStopSec=45
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=no
ReadWritePaths=$HOME /tmp

[Install]
WantedBy=multi-user.target
UNIT
sudo systemctl daemon-reload
sudo systemctl enable dreamfarm.service
sudo systemctl restart --no-block dreamfarm.service
