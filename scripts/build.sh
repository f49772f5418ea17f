#!/usr/bin/env bash
# Configures and builds build/release: the program and the tests, or `build.sh program` the program alone. Says how far
# it is; details are shown only when something fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=all
[[ ${1:-} != program ]] || target=seq2seq_app
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "configuring the build"
cmake --preset release >"$log" 2>&1 || {
  cat "$log" >&2
  exit 1
}
jobs=$(scripts/jobs.sh)
if [[ -t 1 ]]; then
  cmake --build --preset release --parallel "$jobs" --target $target
else
  # ninja's own line for each file, made one for each tenth.
  echo "building $([[ $target == all ]] && echo "the program and the tests" || echo "the program") with $jobs jobs"
  NINJA_STATUS='[%f/%t] ' cmake --build --preset release --parallel "$jobs" --target $target 2>&1 | awk '
    /^ninja: no work to do/ { next }
    match($0, /^\[[0-9]+\/[0-9]+\] /) {
      split(substr($0, 2, RLENGTH - 3), done, "/")
      tenth = int(10 * done[1] / done[2])
      if (tenth > last) { print "built " done[1] " of " done[2]; fflush(); last = tenth }
      next
    }
    { print; fflush() }'
fi
