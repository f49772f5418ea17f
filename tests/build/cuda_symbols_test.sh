#!/usr/bin/env bash
# The library of kernels for GPUs gives away one function, and nothing that could be taken for another one of the program.
#   cuda_symbols_test.sh LIBRARY
set -euo pipefail
found=$(nm -D --defined-only "$1" | awk '{print $3}')
[[ $found == seq2seq_cuda_library ]] || { printf 'symbols of %s:\n%s\n' "$1" "$found" >&2 && exit 1; }
