#!/usr/bin/env bash
# Trains models/summarization.json, lowercased, on e-mails and their subject lines (AESLC), and the same model without
# copying; scores both on the development e-mails, beside their first sentences. Every 18th training example is left out
# of training: its ROUGE-L decides when to stop.
#
# usage: scripts/compare/aeslc_summaries.sh DATA WORK
#   DATA   folder with train.jsonl and dev.jsonl (source: a list of sentences, target: the subject line)
#   WORK   where runs and summaries go; an unfinished run is resumed
# SEQ2SEQ names another program than build/release/seq2seq.
set -euo pipefail
(($# == 2)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
data=$(realpath "$1")
mkdir -p "$2"
work=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seq2seq=${SEQ2SEQ:-build/release/seq2seq}

train() { # NAME FLAG...
  local run=$work/$1 log=$work/$1.log
  shift
  [[ -e $run.done ]] && return
  if [[ -e $run/last ]]; then
    /usr/bin/time -f %M -a -o "$run.kilobytes" "$seq2seq" train --resume --run-directory "$run" 2>>"$log"
  else
    /usr/bin/time -f %M -a -o "$run.kilobytes" "$seq2seq" train --config models/summarization.json \
      --lowercase --train "$work/train.jsonl" --valid "$work/valid.jsonl" --run-directory "$run" --seed 1 "$@" \
      2>>"$log"
  fi
  grep -q '^validation no longer improves' "$log" || { echo "$run was stopped; run this again to go on" >&2; exit 1; }
  touch "$run.done"
}

[[ -e $work/valid.jsonl ]] || {
  awk 'NR % 18 != 0' "$data/train.jsonl" >"$work/train.jsonl"
  awk 'NR % 18 == 0' "$data/train.jsonl" >"$work/valid.part"
  mv "$work/valid.part" "$work/valid.jsonl"
}
# Scores are against the subject line alone, not the further references.
first_sentences='import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    example = json.loads(line)
    print(" ".join(example["source"][0].split()), file=open(sys.argv[2], "a"))
    print(" ".join(example["target"].split()), file=open(sys.argv[3], "a"))'
rm -f "$work/first-sentence.txt" "$work/dev.target"
python3 -c "$first_sentences" "$data/dev.jsonl" "$work/first-sentence.txt" "$work/dev.target"

score() { # NAME
  local figures
  figures=$("$seq2seq" evaluate --hypothesis "$work/$1.txt" --reference "$work/dev.target" --metric rouge summary \
    --source "$data/dev.jsonl" --model "$work/copying")
  printf '%-16s' "$1"
  for type in rouge1 rouge2 rougeL; do
    sed -n "/\"$type\"/,/}/s/.*\"fmeasure\": \([0-9.]*\).*/\1/p" <<<"$figures" | awk '{printf " %6.2f", 100 * $1}'
  done
  for name in repeated_2grams novel_1grams recovered_words length_ratio; do
    sed -n "s/.*\"$name\": \([0-9.]*\).*/\1/p" <<<"$figures" | awk '{printf " %9.3f", $1}'
  done
  echo
}

train copying
train without-copying --no-copying
for name in copying without-copying; do
  "$seq2seq" translate --quiet --model "$work/$name" --input "$data/dev.jsonl" --output "$work/$name.txt"
done
echo "ROUGE-1, ROUGE-2, ROUGE-L against the subject line; repeated word pairs, novel words, recovered unknown words, length"
for name in first-sentence without-copying copying; do score $name; done
for name in copying without-copying; do
  echo "$name: peak memory of training $(sort -n "$work/$name.kilobytes" | tail -1 | awk '{printf "%.2f GB", $1 / 1e6}')"
done
