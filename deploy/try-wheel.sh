#!/usr/bin/env bash
# Builds the wheel and tries what a user of it gets: the code comes from the wheel alone, far from the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
.venv/bin/python -m build --wheel --no-isolation --outdir "$scratch/dist" . >/dev/null
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --target "$scratch/site" "$scratch"/dist/*.whl 2> >(grep -v 'is ignored: it is neither' >&2)
# The tests and evals run from a copy that holds none of the packages.
mkdir "$scratch/run"
cp -r tests evals deploy pyproject.toml "$scratch/run/"
rm -rf "$scratch/run/tests/peers/node_modules"
cd "$scratch/run"
export PYTHONPATH="$scratch/site" RACKSIDE_HOME="$root/.rackside" RACKSIDE_WHEEL_SITE="$scratch/site" RACKSIDE_COMMAND="$scratch/site/bin/rackside"
"$root/.venv/bin/python" -m pytest -q -m wheel
