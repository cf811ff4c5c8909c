#!/usr/bin/env bash
# `ray up` runs this on each machine. It installs dreamfarm with the versions of constraints.txt.
set -euo pipefail
readonly SOURCE="$HOME/dreamfarm" HERE="$HOME/farm"

if [[ ! -x $HERE/bin/dreamfarm ]]; then
  sudo apt-get -o DPkg::Lock::Timeout=300 update -q
  sudo apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends python3-venv
  python3 -m venv "$HERE"
fi
"$HERE/bin/pip" install --quiet --constraint "$SOURCE/constraints.txt" "${SOURCE}[cluster]"
