#!/usr/bin/env bash
# Applies each patch of this folder to a copy of the source, builds the copy and requires that a test fails:
# deliberately wrong versions must not go unnoticed. Prints the first test that caught each. The copy is built in
# build/mutations, which takes minutes the first time. What was caught is noted there: as long as neither source nor
# patch has changed it is not tried again, so that a run that was stopped goes on.
#
# usage: tests/mutations/run.sh [NAME...]     (default: every patch)
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
root=$(realpath "$here/../..")
copy=$root/build/mutations
binaries=(nn_test model_test decode_test train_test)

if (($# > 0)); then patches=("${@/%/.patch}"); else patches=("$here"/*.patch); fi
patches=("${patches[@]##*/}")

# Only what differs is copied, so that nothing else is built again and nothing of an interrupted run stays.
mkdir -p "$copy/source" "$copy/verdicts"
parts=(CMakeLists.txt CMakePresets.json LICENSE README.md app cmake data docs lib models scripts tests)
files() { find "${parts[@]}" -type f "$@"; }
(cd "$root" && files) |
  while read -r file; do
    cmp -s "$root/$file" "$copy/source/$file" && continue
    mkdir -p "$(dirname "$copy/source/$file")"
    cp "$root/$file" "$copy/source/$file"
  done
cd "$copy/source"
# What the verdicts depend on: all that is built and read, but for the patches themselves.
source_sum=$(files ! -path 'tests/mutations/*' ! -path 'docs/*' ! -path 'app/*' ! -name README.md -print0 | sort -z |
  xargs -0 sha256sum | sha256sum | cut -c 1-16)
jobs=$(scripts/jobs.sh)

build() { # BINARY...
  if ! { cmake --preset release && cmake --build --preset release --parallel "$jobs" --target "$@" -- --quiet; } \
    >../log 2>&1; then
    tail -20 ../log >&2
    return 1
  fi
}

# The first test that fails, or the binary that crashes or does not end; nothing when all pass. Builds each binary
# when it is its turn.
failing_test() { # BINARY...
  local binary output failed
  for binary in "$@"; do
    build "$binary" || {
      echo "DOES NOT BUILD"
      return
    }
    output=$(OMP_WAIT_POLICY=passive GTEST_FAIL_FAST=1 timeout 600 "build/release/tests/${binary%_test}/$binary" \
      --gtest_brief=1 2>/dev/null) && continue
    failed=$(sed -n 's/^\[  FAILED  \] \([^ ,]*\).*/\1/p' <<<"$output" | head -1)
    echo "$binary ${failed:-crashes or does not end}"
    return
  done
}

# The binaries, first the one of the folder that the patch changes, which nearly always catches it.
likely_first() { # PATCH
  local folder binary
  folder=$(sed -n 's|^+++ b/lib/seq2seq/\([a-z]*\)/.*|\1|p' "$1" | head -1)
  for binary in "${binaries[@]}"; do [[ $binary != "${folder}_test" ]] || echo "$binary"; done
  for binary in "${binaries[@]}"; do [[ $binary == "${folder}_test" ]] || echo "$binary"; done
}

# Unless it has been seen before, everything passes before anything is changed.
ensure_passing() {
  local stamp=$copy/verdicts/unchanged failed
  [[ $(cat "$stamp" 2>/dev/null) != "$source_sum" ]] || return 0
  failed=$(failing_test "${binaries[@]}")
  [[ -z $failed ]] || {
    echo "a test fails before anything is changed: $failed" >&2
    exit 1
  }
  echo "$source_sum" >"$stamp"
}

status=0
for name in "${patches[@]}"; do
  stamp=$copy/verdicts/${name%.patch}
  key="$source_sum $(sha256sum <"$here/$name" | cut -c 1-16)"
  if [[ $(head -n 1 "$stamp" 2>/dev/null) == "$key" ]]; then
    verdict=$(tail -n 1 "$stamp")
  else
    ensure_passing
    patch --quiet -p1 <"$here/$name"
    mapfile -t ordered < <(likely_first "$here/$name")
    verdict=$(failing_test "${ordered[@]}")
    verdict=${verdict:-NOT CAUGHT}
    patch --quiet -R -p1 <"$here/$name"
    # Only what was caught need not be looked at again.
    [[ $verdict == "NOT CAUGHT" || $verdict == "DOES NOT BUILD" ]] || printf '%s\n' "$key" "$verdict" >"$stamp"
  fi
  printf '%-36s %s\n' "${name%.patch}" "$verdict"
  [[ $verdict != "NOT CAUGHT" && $verdict != "DOES NOT BUILD" ]] || status=1
done
exit $status
