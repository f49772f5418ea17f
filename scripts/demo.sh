#!/usr/bin/env bash
# Builds seq2seq and does one of its two main jobs on an embedded corpus, made by a grammar:
#   translate   trains on English and German, translates sentences it has never seen, scores them, and compares a
#               model that has only a fixed context. About four minutes after the build.
#   summarize   trains on reports and their headlines without copying, with copying, and with copying and coverage;
#               compares which names the three lose and how often they repeat themselves. About eight minutes.
# usage: scripts/demo.sh [translate|summarize] [FOLDER]   (default: translate, in a temporary folder)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
scripts/build.sh program

task=translate
if [[ ${1:-} == translate || ${1:-} == summarize ]]; then
  task=$1
  shift
fi
work=${1:-$(mktemp -d)}
seq2seq=build/release/seq2seq

# The presets, but small and quick: the grammars have few words.
small=(--tokenizer word --vocabulary-size 0 --embedding.size 64 --encoder.size 64 --decoder.size 128
  --encoder.dropout 0.1 --decoder.dropout 0.1 --batch-size 512 --learning-rate 0.004 --warmup-updates 100
  --average-decay 0.99 --precision float32)

train() { # PRESET MINUTES OPTION...
  local preset=$1 minutes=$2
  shift 2
  echo "== training $preset ($minutes minutes)"
  [[ -e $work/$preset/last ]] ||
    "$seq2seq" train --config "models/$preset.json" "${small[@]}" "$@" --run-directory "$work/$preset" \
      --max-minutes "$minutes" --log-every 500
}

# The number behind a key, the first of those that have it.
value() { # JSON KEY [INNER-KEY]
  sed -n "/\"$2\"/,\${s/.*\"${3:-$2}\": *\([0-9.e-]*\).*/\1/p}" <<<"$1" | head -1
}

translate() {
  local data=data/translation minutes=${DEMO_MINUTES:-1.7} preset
  for preset in rnn-attention rnn-fixed-context; do
    train $preset "$minutes" --no-shared-vocabulary --train-source $data/train.en --train-target $data/train.de \
      --valid-source $data/valid.en --valid-target $data/valid.de
    "$seq2seq" translate --model "$work/$preset" --input $data/test.en --output "$work/$preset.de"
  done

  echo
  echo "== three sentences that do not occur in the training data"
  paste -d'\n' <(tail -3 $data/test.en) <(tail -3 "$work/rnn-attention.de") | sed 'N;s/\n/\n   -> /'
  echo
  echo "== BLEU on $(wc -l <$data/test.en) held-out sentences, by source length in words"
  printf '%-20s %8s %8s %8s %8s\n' model all '1-8' '9-14' '15+'
  local row range
  for preset in rnn-attention rnn-fixed-context; do
    row=$(bleu "$work/$preset.de" $data/test.de)
    for range in "1 8" "9 14" "15 999"; do
      # shellcheck disable=SC2086
      select_by_length "$work/$preset.de" $range >"$work/hypothesis"
      # shellcheck disable=SC2086
      select_by_length $data/test.de $range >"$work/reference"
      row="$row $(bleu "$work/hypothesis" "$work/reference")"
    done
    # shellcheck disable=SC2086
    printf '%-20s %8.1f %8.1f %8.1f %8.1f\n' $preset $row
  done
}

# Splits text by the length of the English sentence: up to 8 words, 9 to 14, more.
select_by_length() { # FILE LOW HIGH
  awk -v low="$2" -v high="$3" 'NR == FNR { keep[FNR] = NF >= low && NF <= high; next } keep[FNR]' \
    data/translation/test.en "$1"
}

bleu() { # HYPOTHESIS REFERENCE
  value "$("$seq2seq" evaluate --hypothesis "$1" --reference "$2" --metric bleu)" score
}

summarize() {
  local data=data/summarization minutes=${DEMO_MINUTES:-2.5} preset coverage
  local presets=(rnn-attention pointer-generator pointer-generator-coverage)
  for preset in "${presets[@]}"; do
    # Rare words are left out of the vocabulary: names in training then look like the names that are new in the test.
    # Without input feeding attention alone has to know what has been written.
    coverage=()
    [[ $preset != *-coverage ]] || coverage=(--coverage-loss-start 500)
    train "$preset" "$minutes" --shared-vocabulary --minimum-frequency 20 --embedding.sharing all \
      --no-decoder.input-feeding "${coverage[@]}" --train $data/train.jsonl --valid $data/valid.jsonl
    "$seq2seq" translate --model "$work/$preset" --input $data/test.jsonl --output "$work/$preset.txt"
  done

  echo
  echo "== three reports that do not occur in the training data, and their headlines"
  local line
  for line in 1 2 3; do
    sed -n "${line}s/^{\"source\":\"\(.*\)\",\"target\":\"\(.*\)\"}$/\n\1\n  right: \2/p" $data/test.jsonl
    for preset in "${presets[@]}"; do
      sed -n "${line}s/^/  $preset: /p" "$work/$preset.txt"
    done
  done
  echo
  echo "== $(wc -l <$data/test.jsonl) held-out reports: ROUGE, and the share in % of repeated 4-grams, unknown words"
  echo "   recovered from the report, and exact headlines"
  printf '%-27s %8s %8s %8s %9s %10s %7s\n' model ROUGE-1 ROUGE-2 ROUGE-L repeated recovered exact
  local scores
  for preset in "${presets[@]}"; do
    scores=$("$seq2seq" evaluate --hypothesis "$work/$preset.txt" --reference $data/test.jsonl \
      --source $data/test.jsonl --model "$work/$preset" --metric rouge --metric summary)
    echo "$preset $(value "$scores" rouge1 fmeasure) $(value "$scores" rouge2 fmeasure)" \
      "$(value "$scores" rougeL fmeasure) $(value "$scores" repeated_4grams) $(value "$scores" recovered_words)" \
      "$(value "$scores" exact_matches)"
  done | awk '{ printf "%-27s %8.1f %8.1f %8.1f %9.1f %10.1f %7.1f\n",
    $1, 100 * $2, 100 * $3, 100 * $4, 100 * $5, 100 * $6, 100 * $7 }'
}

$task
echo
echo "models and outputs: $work"
