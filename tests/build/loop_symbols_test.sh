#!/usr/bin/env bash
# Objects compiled for newer processors define no weak or unique symbols, which the linker could use anywhere.
#   loop_symbols_test.sh OBJECT...
set -euo pipefail
(($# > 0)) || { echo "no objects" >&2 && exit 1; }
found=$(nm --defined-only -A -C "$@" | awk '$2 ~ /^[WwVvu]$/ || $3 ~ /^[WwVvu]$/')
[[ -z $found ]] || { printf 'weak or unique symbols:\n%s\n' "$found" >&2 && exit 1; }
# The check does see symbols.
nm --defined-only -C "$@" | grep ' T .*::lstm_forward(' >/dev/null
