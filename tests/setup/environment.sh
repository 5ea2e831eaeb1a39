#!/bin/sh
# Make the environment .venv in this folder, once for each state of pyproject.toml, constraints.txt and the interpreter.
set -eu
cd "$(dirname "$0")/../.."

fail() { printf '%s\n' "$1" >&2; exit 2; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 || fail "No $python here. As root: apt-get install -y --no-install-recommends python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" -V) is too old: 3.11 or newer is needed. Name another one: make PYTHON=python3.12 …"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    line="apt-get install -y --no-install-recommends python3-venv"
    [ "$(id -u)" = 0 ] || fail "Python's venv module is missing. As root: $line"
    printf 'installing python3-venv\n' >&2
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line >/dev/null
fi

wanted=$({ "$python" -VV; cat pyproject.toml constraints.txt tests/setup/environment.sh; pwd; } | sha256sum | cut -d' ' -f1)
stamp=.venv/intake-prober.stamp
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

printf 'making the environment .venv\n' >&2
rm -rf .venv
"$python" -m venv .venv
unset PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE=1 UV_CACHE_DIR="$PWD/.cache/uv" UV_LINK_MODE=copy
index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
[ -n "${PIP_INDEX_URL:-$index}" ] && export UV_DEFAULT_INDEX="${PIP_INDEX_URL:-$index}"
if .venv/bin/python -m pip --cache-dir .cache/pip --quiet install uv 2>/dev/null &&
    .venv/bin/uv pip install --quiet --python .venv/bin/python --constraint constraints.txt --editable '.[dev]'; then
    :
else
    printf 'uv could not do it; trying pip\n' >&2
    .venv/bin/python -m pip --cache-dir .cache/pip --quiet install --constraint constraints.txt --editable '.[dev]'
fi
printf '%s' "$wanted" >"$stamp"
