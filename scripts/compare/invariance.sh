#!/usr/bin/env bash
# How many lines come out another way when batch size, order or threads change, with --batch-invariant and without, and
# what it costs.
#
# usage: scripts/compare/invariance.sh MODEL INPUT WORK
#   MODEL  a trained run, INPUT  text with 1,000 lines, WORK  scratch folder
set -euo pipefail
(($# == 3)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
model=$1 input=$2 work=$3
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${SEQ2SEQ:-$root/build/release/seq2seq}
mkdir -p "$work"
# By a fixed order of chance; each line keeps its number, by which the output is put back.
awk 'BEGIN {srand(1)} {printf "%.9f\t%d\t%s\n", rand(), NR, $0}' "$input" | sort -n >"$work/shuffled"
cut -f 3- "$work/shuffled" >"$work/shuffled.in"

translate() { # OUTPUT FLAG...
  local output=$1
  shift
  "$program" translate --model "$model" --beam-size "$beam" --scores --output "$output" "$@" 2>"$output.log"
}
for beam in 5 1; do
  for invariant in --no-batch-invariant --batch-invariant; do
    reference=$work/reference
    translate "$reference" --input "$input" --batch-size 32 --threads 2 $invariant
    printf 'beam %d %-21s %s\n' "$beam" "$invariant" "$(grep 'lines in' "$reference.log")"
    compare() { # NAME OUTPUT
      paste "$reference" "$2" | awk -F '\t' -v name="$1" \
        '{texts += $2 != $4; scores += $1 != $3} END {printf "  %-24s %4d texts, %4d printed scores of %d differ\n", name, texts, scores, NR}'
    }
    for batch in 1 7; do
      translate "$work/output" --input "$input" --batch-size $batch --threads 2 $invariant
      compare "batch $batch" "$work/output"
    done
    translate "$work/output" --input "$input" --batch-size 32 --threads 1 $invariant
    compare "one thread" "$work/output"
    translate "$work/output" --input "$work/shuffled.in" --batch-size 32 --threads 2 $invariant
    cut -f 2 "$work/shuffled" | paste - "$work/output" | sort -n | cut -f 2- >"$work/ordered"
    compare "shuffled" "$work/ordered"
  done
done
