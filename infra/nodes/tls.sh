#!/usr/bin/env bash
# TLS for Ray: traffic is encrypted, and only machines with certificates of one CA can connect.
#   tls.sh ca               creates the CA, once: ca.pem and ca_key.pem in ~/.ray/tls
#   tls.sh run COMMAND…     runs a command, with TLS if the CA exists
# Ray checks that a certificate names the peer's address, so each machine signs one for its own.
# The CA's key lets its owner join. It is a secret like the token, and lies beside it.
set -euo pipefail
readonly FOLDER="$HOME/.ray/tls"
readonly CA="$FOLDER/ca.pem" CA_KEY="$FOLDER/ca_key.pem"
readonly CERT="$FOLDER/cert.pem" KEY="$FOLDER/key.pem"
readonly DAYS=3650 MONTH=$((30 * 24 * 3600))

fail() {
  echo "tls.sh: $1" >&2
  exit 2
}

make_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1"
}

# Ignore openssl's default settings, which make each certificate a CA.
make_certificate() {
  openssl req -x509 -config /dev/null -days "$DAYS" -addext subjectKeyIdentifier=hash "$@"
}

make_ca() {
  mkdir -p "$FOLDER"
  make_key "$CA_KEY"
  make_certificate -subj /CN=dreamfarm -key "$CA_KEY" -out "$CA" \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign
}

addresses() {
  echo 127.0.0.1
  hostname -I | tr -s ' ' '\n'
}

# Whether the certificate is by the CA, names all addresses, and is valid for another month.
fits() {
  local address
  for address in $(addresses); do
    openssl verify -CAfile "$CA" -attime "$(($(date +%s) + MONTH))" -verify_ip "$address" "$CERT" \
      >/dev/null 2>&1 || return 1
  done
}

# Ray reads both when it starts a process. So keep the key, and replace the certificate atomically.
make_own() {
  local new="$CERT.new" names
  if [[ ! -e $KEY ]]; then
    rm -f "$CERT"
    make_key "$KEY"
  fi
  ! fits || return 0
  names=$(addresses | sed '/^$/d; s/^/IP:/' | paste -sd ,)
  make_certificate -subj /CN=machine -CA "$CA" -CAkey "$CA_KEY" -key "$KEY" -out "$new" \
    -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
    -addext "subjectAltName=DNS:localhost,$names"
  mv "$new" "$CERT"
}

case "${1:-}" in
  ca)
    [[ ! -e $CA && ! -e $CA_KEY ]] || fail "$FOLDER has a CA already; remove it to make another"
    umask 077
    make_ca
    ;;
  run)
    shift
    if [[ -e $CA || -e $CA_KEY ]]; then
      [[ -e $CA && -e $CA_KEY ]] || fail "$FOLDER must have both ca.pem and ca_key.pem, or neither"
      # Ray and `work` may start at the same time.
      (
        umask 077
        flock 9
        make_own
      ) 9>"$FOLDER/lock"
      export RAY_USE_TLS=1 RAY_TLS_CA_CERT="$CA" RAY_TLS_SERVER_CERT="$CERT" RAY_TLS_SERVER_KEY="$KEY"
    fi
    exec "$@"
    ;;
  *)
    fail "ca, or run COMMAND"
    ;;
esac
