#!/usr/bin/env bash
# Configures and builds build/release/seq2seq. The details are shown only when something fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset release >"$log" 2>&1 || {
  cat "$log" >&2
  exit 1
}
jobs=$(scripts/jobs.sh)
if [[ -t 1 ]]; then
  cmake --build --preset release --parallel "$jobs"
else
  echo "building with $jobs jobs"
  cmake --build --preset release --parallel "$jobs" -- --quiet
fi
