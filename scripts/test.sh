#!/usr/bin/env bash
# Sets up, builds and runs the tests; the last lines are ctest's verdict. Arguments go to ctest: test.sh -L unit
#   test.sh --all   also runs what imitates lesser processors and another device (labels avx2, sse41, shadow), and takes
#                   a compiler's warning for an error
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

selection=(--label-exclude '^(avx2|sse41|shadow)$')
if [[ ${1:-} == --all ]]; then
  selection=()
  export WARNINGS_ARE_ERRORS=ON
  shift
elif (($# > 0)); then
  selection=()  # the arguments select
fi
scripts/setup.sh
scripts/build.sh
ctest --preset release --parallel "$(scripts/jobs.sh)" "${selection[@]}" "$@"
