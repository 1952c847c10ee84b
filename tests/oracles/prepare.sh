#!/bin/sh
# Prepares what the oracles need: a Python environment and node modules, in target/oracles or the folder named.
# Prints the folder on the last line. Does nothing when nothing has changed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-"$here/../../target/oracles"}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

stamp=$({ cat "$here/requirements.txt" "$here/package-lock.json"; python3 --version; node --version; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/stamp" 2>/dev/null || true)" != "$stamp" ]; then
    rm -f "$folder/stamp"
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"
    "$folder/venv/bin/pip" check --disable-pip-version-check >/dev/null
    cp "$here/package.json" "$here/package-lock.json" "$folder/"
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent
    echo "$stamp" > "$folder/stamp"
fi
echo "$folder"
