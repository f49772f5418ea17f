#!/usr/bin/env bash
# Feeds readers of untrusted files with changed ones (docs/testing.md): anything that leaves a reader but an Error, a second,
# or memory beyond its bound is a finding, whose input is kept in tests/fuzz/corpus/TARGET/, where ctest replays it.
#   fuzz.sh [TARGET|all] [SECONDS]    each target for so many seconds (default: all, 60)
# FUZZ_TIMEOUT: seconds an input may take (default 1; more beside other work, since a clock on the wall is asked).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly wanted=${1:-all} seconds=${2:-60}
scripts/provide.sh clang++-14 clang-14
[[ -d build/fuzz ]] || cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz --parallel "$(scripts/jobs.sh)" -- --quiet

TMPDIR=$(mktemp -d /dev/shm/seq2seq-fuzz-XXXXXX)
export TMPDIR UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 OMP_NUM_THREADS=1
export ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0:allocator_may_return_null=1
trap 'rm -rf "$TMPDIR"' EXIT

fuzz_one() {
  local target=$1 found=tests/fuzz/corpus/$1 grown=build/fuzz/corpus/$1
  export SEQ2SEQ_FUZZ_TARGET=$target
  mkdir -p "$found" "$grown"
  SEQ2SEQ_FUZZ_SEEDS=$grown build/fuzz/tests/fuzz/fuzz
  printf '%s: ' "$target"
  if build/fuzz/tests/fuzz/fuzz -max_len=1048576 -timeout="${FUZZ_TIMEOUT:-1}" -rss_limit_mb=4096 -max_total_time="$seconds" \
    -artifact_prefix="$found/" -print_final_stats=1 "$grown" "$found" >"build/fuzz/$target.log" 2>&1; then
    awk '/number_of_executed_units/ { print $2 " inputs, nothing found" }' "build/fuzz/$target.log"
  else
    printf 'a finding, see build/fuzz/%s.log\n' "$target"
    return 1
  fi
  rmdir --ignore-fail-on-non-empty "$found"
}

names=$wanted
[[ $wanted != all ]] || names=$(sed -n 's/^    {"\([a-z_]*\)", read_.*/\1/p' tests/fuzz/*_targets.cpp)
verdict=0
for name in $names; do fuzz_one "$name" || verdict=1; done
exit $verdict
