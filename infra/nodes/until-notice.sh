#!/usr/bin/env bash
# Runs a command, and sends it SIGTERM when the cloud is about to take this spot machine back.
#   until-notice.sh COMMAND…
# Passes on SIGTERM, which the script gets when the machine shuts down.
set -euo pipefail
readonly METADATA=http://169.254.169.254

ask() {
  curl --silent --fail --max-time 2 "$@"
}

# AWS announces the action two minutes before; Google answers TRUE half a minute before.
noticed() {
  local token
  if token=$(ask --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/latest/api/token"); then
    ask --header "X-aws-ec2-metadata-token: $token" --output /dev/null \
      "$METADATA/latest/meta-data/spot/instance-action"
  else
    [[ $(ask --header Metadata-Flavor:Google "$METADATA/computeMetadata/v1/instance/preempted" || true) == TRUE ]]
  fi
}

told=no
trap 'told=yes' TERM INT
"$@" &
readonly RUNNING=$!
until [[ $told == yes ]] || noticed || ! kill -0 "$RUNNING" 2>/dev/null; do
  sleep 3 &
  wait -n "$RUNNING" $! || true
done
kill -TERM "$RUNNING" 2>/dev/null || true
# A signal interrupts `wait`, so wait again.
code=0
wait "$RUNNING" || code=$?
while kill -0 "$RUNNING" 2>/dev/null; do
  code=0
  wait "$RUNNING" || code=$?
done
exit "$code"
