#!/usr/bin/env bash
# Sets up, builds and runs all tests; the last lines are ctest's verdict. Arguments go to ctest: test.sh -L unit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/build.sh
ctest --preset release "$@"
