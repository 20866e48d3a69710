#!/usr/bin/env bash
# Builds the module, compressed, into the npm package; zkinfer export web has it from there. The same sources and the
# same Go give the same bytes. With an argument it writes the plain module there instead.
set -euo pipefail
cd "$(dirname "$0")"
module=$(mktemp)
trap 'rm -f "$module"' EXIT
GOOS=wasip1 GOARCH=wasm GOFLAGS= go build -trimpath -buildvcs=false -ldflags='-s -w' -buildmode=c-shared -o "$module" .
if [ $# -gt 0 ]; then cp "$module" "$1"; else gzip -9 -n -c "$module" > npm/verifier.wasm.gz; fi
