#!/usr/bin/env bash
# Builds seq2seq and does the main job on the embedded corpus: trains on grammar-made English and German, translates
# sentences it has never seen, scores them, and compares a model that has only a fixed context. About four minutes
# after the build. usage: scripts/demo.sh [FOLDER]   (default: a temporary one)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
scripts/build.sh

seq2seq=build/release/seq2seq
data=data/translation
work=${1:-$(mktemp -d)}
minutes=${DEMO_MINUTES:-1.7}

# The presets, but small and quick: the grammar has 500 words.
small=(--tokenizer word --no-shared-vocabulary --vocabulary-size 0 --embedding.size 64 --encoder.size 64
  --decoder.size 128 --encoder.dropout 0.1 --decoder.dropout 0.1 --batch-size 512 --learning-rate 0.004
  --warmup-updates 100 --average-decay 0.99 --precision float32)

train() { # PRESET
  [[ -e $work/$1/last ]] && return
  "$seq2seq" train --config "models/$1.json" "${small[@]}" --train-source $data/train.en --train-target $data/train.de \
    --valid-source $data/valid.en --valid-target $data/valid.de --run-directory "$work/$1" \
    --max-minutes "$minutes" --log-every 500
}

# Splits text by the length of the English sentence: up to 8 words, 9 to 14, more.
select_by_length() { # FILE LOW HIGH
  awk -v low="$2" -v high="$3" 'NR == FNR { keep[FNR] = NF >= low && NF <= high; next } keep[FNR]' $data/test.en "$1"
}

bleu() { "$seq2seq" evaluate --hypothesis "$1" --reference "$2" --metric bleu | sed -n 's/.*"score": *\([0-9.]*\).*/\1/p' | head -1; }

for preset in rnn-attention rnn-fixed-context; do
  echo "== training $preset ($minutes minutes)"
  train $preset
  "$seq2seq" translate --model "$work/$preset" --input $data/test.en --output "$work/$preset.de"
done

echo
echo "== three sentences that do not occur in the training data"
paste -d'\n' <(tail -3 $data/test.en) <(tail -3 "$work/rnn-attention.de") | sed 'N;s/\n/\n   -> /'
echo
echo "== BLEU on $(wc -l <$data/test.en) held-out sentences, by source length in words"
printf '%-20s %8s %8s %8s %8s\n' model all '1-8' '9-14' '15+'
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
echo
echo "models and translations: $work"
