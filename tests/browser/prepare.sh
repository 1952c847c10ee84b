#!/bin/sh
# Installs what drives the browser, in target/browser or the folder named. Does nothing when nothing has changed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-"$here/../../target/browser"}
mkdir -p "$folder"

stamp=$({ cat "$here/package-lock.json"; node --version; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/stamp" 2>/dev/null || true)" != "$stamp" ]; then
    rm -f "$folder/stamp"
    cp "$here/package.json" "$here/package-lock.json" "$folder/"
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent
    echo "$stamp" > "$folder/stamp"
fi
