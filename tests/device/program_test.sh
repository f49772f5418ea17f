#!/usr/bin/env bash
# The real program on a device that is not the CPU: every command that takes --device works there, and says so where it
# reports it. The shadow device's library is preloaded.
#   program_test.sh SEQ2SEQ SHADOW_DEVICE ROOT FOLDER
set -euo pipefail
program=$1 device=$2 root=$3 folder=$4/program_test
rm -rf "$folder"
mkdir -p "$folder"
export OMP_WAIT_POLICY=passive
text=(--train-source "$root/data/translation/valid.en" --train-target "$root/data/translation/valid.de")
tiny=(--tokenizer word --embedding.size 8 --encoder.size 8 --decoder.size 8 --batch-size 128)
head -n 5 "$root/data/translation/test.en" >"$folder/lines"

on_device() { # ARGUMENT...
  LD_PRELOAD=$device SEQ2SEQ_TEST_DEVICE=shadow "$program" "$@" --device shadow 2>"$folder/errors" || {
    echo "seq2seq $* --device shadow:" >&2
    cat "$folder/errors" >&2
    exit 1
  }
}

on_device train --quiet "${text[@]}" "${tiny[@]}" --max-updates 3 --run-directory "$folder/run"
"$program" train --quiet --resume --run-directory "$folder/run" --device cpu --max-updates 5
on_device train --quiet --resume --run-directory "$folder/run" --max-updates 7
on_device translate --quiet --model "$folder/run" --input "$folder/lines" >"$folder/shadow.de"
"$program" translate --quiet --model "$folder/run" --input "$folder/lines" >"$folder/cpu.de"
cmp "$folder/shadow.de" "$folder/cpu.de"
on_device score --quiet --model "$folder/run" --source "$folder/lines" --target "$folder/shadow.de" >"$folder/shadow.scores"
grep -q . "$folder/shadow.scores"
on_device bench train "${text[@]}" "${tiny[@]}" --windows 1 --window-seconds 0.1 --warmup-seconds 0 |
  grep '"device": "shadow:0"' >/dev/null
on_device bench decode --model "$folder/run" --input "$folder/lines" --windows 1 | grep '"device": "shadow:0"' >/dev/null
on_device report "$folder/run" >/dev/null
grep -q '<h2>Examples</h2>' "$folder/run/report.html"

# A device that is not there is refused at once.
status=0
LD_PRELOAD=$device SEQ2SEQ_TEST_DEVICE=shadow "$program" bench train --train-source /nowhere --train-target /nowhere \
  --device shadow:5 2>"$folder/errors" || status=$?
((status == 1)) && grep -q '^seq2seq: --device: there is no shadow:5; there is one, number 0$' "$folder/errors"
