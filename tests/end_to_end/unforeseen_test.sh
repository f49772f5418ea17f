#!/usr/bin/env bash
# An unexpected exception becomes one line: what was being done, and the first line of its message.
#   unforeseen_test.sh SEQ2SEQ FOLDER_OF_LIBRARIES ROOT FOLDER
set -euo pipefail
program=$1 libraries=$2 root=$3 folder=$4/unforeseen_test
rm -rf "$folder"
mkdir -p "$folder"

expect() { # LIBRARY PATTERN ARGUMENT...
  local library=$1 pattern=$2 status=0
  shift 2
  LD_PRELOAD=$libraries/libunforeseen_$library.so "$program" "$@" \
    >"$folder/output" 2>"$folder/errors" </dev/null || status=$?
  if ((status != 1)) || (($(wc -l <"$folder/errors") != 1)) || ! grep -qE "^seq2seq: $pattern\$" "$folder/errors"; then
    echo "seq2seq $*: exit code $status, expected 1 and '$pattern', got:" >&2
    cat "$folder/errors" >&2
    exit 1
  fi
}

expect training 'training after update 0: an error that was not foreseen: injected; please report it' \
  train --quiet --train-source "$root/data/translation/valid.en" --train-target "$root/data/translation/valid.de" \
  --tokenizer word --embedding.size 8 --encoder.size 8 --decoder.size 8 --run-directory "$folder/run"
expect loading 'loading .*demo-en-de.pt: an error that was not foreseen: injected; please report it' \
  translate --quiet --model "$root/models/demo-en-de.pt" --input "$root/data/translation/test.en"
expect decoding 'translating lines 1 to 500: an error that was not foreseen: injected; please report it' \
  translate --quiet --model "$root/models/demo-en-de.pt" --input "$root/data/translation/test.en"
