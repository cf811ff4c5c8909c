#!/usr/bin/env bash
# Writes the secrets of compose.yaml, once: the tokens of Ray and of the page, the store's keys, and a
# certificate that closes a port of the store. Needs openssl.
set -euo pipefail
cd "$(dirname "$0")"

random() {
  od -An -v -N "$1" -t x1 /dev/urandom | tr -d ' \n'
}

if [[ -e secrets ]]; then
  echo "secrets.sh: secrets/ is there already; remove it to make new ones" >&2
  exit 2
fi

# Containers run as other users, so the files are readable for all; the folder is only yours.
mkdir --mode 0700 secrets
umask 022
key=$(random 10)
secret=$(random 20)
random 32 >secrets/ray_token
random 32 >secrets/page_token
cat >secrets/store_keys <<KEYS
[default]
aws_access_key_id = $key
aws_secret_access_key = $secret
KEYS
cat >secrets/store_identities.json <<IDENTITIES
{
  "identities": [
    {
      "name": "farm",
      "credentials": [{"accessKey": "$key", "secretKey": "$secret"}],
      "actions": ["Admin", "Read", "Write", "List", "Tagging"]
    }
  ]
}
IDENTITIES
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=store \
  -keyout secrets/store_key.pem -out secrets/store_cert.pem 2>/dev/null
chmod 0644 secrets/store_key.pem
