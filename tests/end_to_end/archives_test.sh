#!/usr/bin/env bash
# Archives without seq2seq: a program that links only LibTorch has the same outputs as the command.
#   archives_test.sh SEQ2SEQ ARCHIVE_PROGRAM ROOT FOLDER
set -euo pipefail
program=$1 archive_program=$2 root=$3 folder=$4/archives_test
rm -rf "$folder"
mkdir -p "$folder"

"$archive_program" "$root/models/demo-en-de.pt" --self-test
"$program" inspect --verify --model "$root/models/demo-en-de.pt" >/dev/null

head -n 40 "$root/data/translation/valid.en" >"$folder/lines"
printf '\n \nan unknown: 日本 😀 Zappelphilipp\n' >>"$folder/lines"
for tokenizer in char whitespace; do
  "$program" train --quiet --config "$root/models/pointer-generator.json" --tokenizer $tokenizer --vocabulary-size 200 \
    --train-source "$root/data/translation/train.en" --train-target "$root/data/translation/train.de" \
    --run-directory "$folder/$tokenizer" --max-updates 40 --learning-rate 0.01 \
    --encoder.size 16 --decoder.size 16 --embedding.size 16
  "$archive_program" "$folder/$tokenizer/last/model.pt" --self-test
  "$archive_program" "$folder/$tokenizer/last/model.pt" <"$folder/lines" >"$folder/$tokenizer.method"
  "$program" translate --quiet --model "$folder/$tokenizer/last/model.pt" --beam-size 1 --input "$folder/lines" \
    --output "$folder/$tokenizer.command"
  cmp "$folder/$tokenizer.method" "$folder/$tokenizer.command"
  grep -q . "$folder/$tokenizer.command"
done
