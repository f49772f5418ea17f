#!/usr/bin/env bash
# Trains models/rnn-attention.json (or another preset) on Multi30k English-German twice from one run: for 12 minutes,
# and on to its early stop; translates validation and test text with beam 5 and scores it.
#
# usage: scripts/compare/multi30k_quality.sh DATA WORK [PRESET]
#   DATA   folder with train, val and test_2016_flickr in .en and .de (raw text)
#   WORK   where the run directory and the translations go; an unfinished run is resumed
set -euo pipefail
(($# >= 2)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
data=$(realpath "$1") preset=${3:-rnn-attention}
mkdir -p "$2"
work=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seq2seq=build/release/seq2seq
run=$work/$preset

score() { # MODEL NAME
  local split
  for split in val test_2016_flickr; do
    "$seq2seq" translate --quiet --model "$1" --input "$data/$split.en" --output "$work/$preset.$2.$split.de" \
      --beam-size 5
    printf '%s, %s: ' "$2" "$split"
    "$seq2seq" evaluate --hypothesis "$work/$preset.$2.$split.de" --reference "$data/$split.de" --metric bleu |
      sed -n 's/.*"formatted": "\(.*\)".*/\1/p'
  done
}

if [[ ! -e $work/$preset.12-minutes ]]; then
  [[ ! -e $run/last ]] || { echo "$run holds a run that has no 12-minute copy; remove it" >&2; exit 1; }
  "$seq2seq" train --quiet --config "models/$preset.json" --train-source "$data/train.en" \
    --train-target "$data/train.de" --valid-source "$data/val.en" --valid-target "$data/val.de" \
    --run-directory "$run" --seed 1 --max-minutes 12
  cp -a "$run" "$work/$preset.12-minutes"
fi
score "$work/$preset.12-minutes" 12-minutes
"$seq2seq" train --quiet --resume --run-directory "$run" --max-minutes 0
score "$run" early-stop
grep '"type":"validation"' "$run/train.jsonl" | tail -1
