#!/usr/bin/env bash
# Applies each patch of this folder to a copy of the source, builds the copy and requires that a test fails: deliberately
# wrong versions must not go unnoticed. Prints the first test that caught each. The copy is built in build/mutations,
# which takes minutes the first time.
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
mkdir -p "$copy/source"
(cd "$root" && find CMakeLists.txt CMakePresets.json LICENSE README.md app cmake data docs lib models scripts tests -type f) |
  while read -r file; do
    cmp -s "$root/$file" "$copy/source/$file" && continue
    mkdir -p "$(dirname "$copy/source/$file")"
    cp "$root/$file" "$copy/source/$file"
  done
cd "$copy/source"

build() {
  cmake --preset release >../log 2>&1 && cmake --build --preset release --target "${binaries[@]}" -- --quiet >>../log 2>&1 ||
    { tail -20 ../log >&2; return 1; }
}

# The first test that fails, or the binary that crashes or does not end; nothing when all pass.
failing_test() {
  local binary output failed
  for binary in "${binaries[@]}"; do
    output=$(OMP_WAIT_POLICY=passive GTEST_FAIL_FAST=1 timeout 600 "build/release/tests/${binary%_test}/$binary" \
      --gtest_brief=1 2>/dev/null) && continue
    failed=$(sed -n 's/^\[  FAILED  \] \([^ ,]*\).*/\1/p' <<<"$output" | head -1)
    echo "$binary ${failed:-crashes or does not end}"
    return
  done
}

build
[[ -z $(failing_test) ]] || { echo "a test fails before anything is changed: $(failing_test)" >&2; exit 1; }
status=0
for name in "${patches[@]}"; do
  patch --quiet -p1 <"$here/$name"
  verdict="DOES NOT BUILD"
  if build; then
    failed=$(failing_test)
    verdict=${failed:-NOT CAUGHT}
  fi
  patch --quiet -R -p1 <"$here/$name"
  printf '%-30s %s\n' "${name%.patch}" "$verdict"
  [[ $verdict != "NOT CAUGHT" && $verdict != "DOES NOT BUILD" ]] || status=1
done
exit $status
