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
cmake --preset release -DCMAKE_COMPILE_WARNING_AS_ERROR="${WARNINGS_ARE_ERRORS:-OFF}" >"$log" 2>&1 || {
  cat "$log" >&2
  exit 1
}
jobs=$(scripts/jobs.sh)
if [[ -t 1 ]]; then
  cmake --build --preset release --parallel "$jobs" --target $target
else
  # ninja's own line for each file, made one for each tenth.
  echo "building $([[ $target == all ]] && echo "the program and the tests" || echo "the program") with $jobs jobs"
  NINJA_STATUS='[%f/%t] ' cmake --build --preset release --parallel "$jobs" --target $target 2>&1 | {
    tenth=0
    while IFS= read -r line; do
      if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]]; then
        done=${BASH_REMATCH[1]} files=${BASH_REMATCH[2]}
        ((10 * done / files == tenth)) || echo "built $done of $files"
        tenth=$((10 * done / files))
      elif [[ $line != "ninja: no work to do." ]]; then
        printf '%s\n' "$line"
      fi
    done
  }
fi
