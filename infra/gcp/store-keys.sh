#!/usr/bin/env bash
# Writes boto3's configuration: the store's keys, which it reads from Secret Manager with this
# machine's own identity, and the store's address.
set -euo pipefail
readonly METADATA=http://metadata.google.internal/computeMetadata/v1

ask() {
  curl --silent --show-error --fail "$@"
}

project=$(ask --header Metadata-Flavor:Google "$METADATA/project/project-id")
token=$(ask --header Metadata-Flavor:Google "$METADATA/instance/service-accounts/default/token" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

mkdir -p ~/.aws
umask 077
# The header comes from standard input, because all users can see arguments.
printf 'Authorization: Bearer %s\n' "$token" |
  ask --header @- "https://secretmanager.googleapis.com/v1/projects/$project/secrets/dreamfarm-store-keys/versions/latest:access" |
  python3 -c 'import base64, json, sys; print(base64.b64decode(json.load(sys.stdin)["payload"]["data"]).decode(), end="")' \
    >~/.aws/credentials
cat >~/.aws/config <<'CONFIG'
[default]
services = farm
region = europe-west4
[services farm]
s3 =
  endpoint_url = http://10.61.0.2:8333
CONFIG
