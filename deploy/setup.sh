#!/usr/bin/env bash
# Sets everything up in this checkout: .venv, Prometheus, the exported encoder and the index.
# Does nothing when nothing changed. RACKSIDE_TORCH_INDEX names an index of CPU builds of PyTorch (see README).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'set-up stopped: %s\n' "$*" >&2; exit 1; }

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
fi
[ -n "$python" ] || die "no Python 3.11 or newer with venv was found. Install one, or name it: PYTHON=/path/to/python3 make setup"

if ! command -v prometheus >/dev/null 2>&1 || ! command -v promtool >/dev/null 2>&1; then
  if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null 2>&1 || die "Prometheus is missing and this user cannot install it. Ask for: apt-get install prometheus"
      sudo=sudo
    fi
    say "installing Prometheus with apt-get"
    $sudo apt-get update -qq
    # The package would start a service on port 9090: set-up only wants the two programs.
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends prometheus >/dev/null
  elif command -v brew >/dev/null 2>&1; then
    say "installing Prometheus with brew"
    brew install --quiet prometheus
  else
    die "Prometheus is missing and no known package manager was found. Put prometheus and promtool (2.42 or newer) on PATH"
  fi
fi

stamp=.venv/.rackside-stamp
want=$(cat requirements.lock pyproject.toml deploy/setup.sh | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$want" ]; then
  say "making .venv and installing $(wc -l <requirements.lock | tr -d ' ') packages (two to three minutes)"
  # A set-up that was interrupted leaves packages that are half there: pip cannot mend those.
  [ ! -f .venv/.rackside-making ] || rm -rf .venv
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  : >.venv/.rackside-making
  index=()
  [ -z "${RACKSIDE_TORCH_INDEX:-}" ] || index=(--extra-index-url "$RACKSIDE_TORCH_INDEX")
  .venv/bin/python -m pip install --disable-pip-version-check -q ${index[@]+"${index[@]}"} -r requirements.lock 2> >(grep -v 'is ignored: it is neither' >&2)
  .venv/bin/python -m pip install --disable-pip-version-check -q --no-deps -e . 2> >(grep -v 'is ignored: it is neither' >&2)
  printf '%s' "$want" >"$stamp"
  rm -f .venv/.rackside-making
fi

# Both do nothing when their output is current.
.venv/bin/python -m knowledge.encoder
.venv/bin/python -m bot knowledge index
