#!/usr/bin/env bash
# Makes the files of compatibility_test.sh with the program of an earlier version.
#   make.sh PROGRAM FOLDER
# FOLDER contains the inputs corpus/, configurations/, presets/ and study.json; all else in it is created.
set -euo pipefail
program=$(realpath "$1")
# shellcheck source=steps.sh
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/steps.sh"
cd "$(realpath "$2")"
rm -rf archives expected resolved runs study
mkdir archives expected resolved runs

for configuration in configurations/*.json presets/*.json; do
  mkdir -p "resolved/$(dirname "$configuration")"
  resolve_configuration "$configuration" >"resolved/$configuration"
done

# Long enough for a clear margin of the most probable outputs: other processors must find the same ones.
for configuration in configurations/*.json; do
  name=$(basename "$configuration" .json)
  "$program" train --quiet --config "$configuration" "${text[@]}" --run-directory made --threads 1 --seed 3 \
    --batch-size 256 --learning-rate 0.01 --initial-range 0.6 --max-updates 300 --valid-every 150
  mv made/last/model.pt "archives/$name.pt"
  rm -r made
  translate_lines "archives/$name.pt" "expected/$name"
  score_lines "archives/$name.pt" "expected/$name"
  train_further "archives/$name.pt" "$configuration" "expected/$name"
done

# Two runs that stop between two validations, one recurrent and one Transformer.
train_and_stop() { # CONFIGURATION NAME ARGUMENT...
  local name=$2
  "$program" train --quiet --config "configurations/$1.json" "${text[@]}" --run-directory "runs/$name" --threads 1 --seed 4 \
    --batch-size 128 --max-updates 25 --valid-every 20 --log-every 1 --schedule inverse-square-root --warmup-updates 5 \
    "${@:3}"
  cp -r "runs/$name" resumed
  resume_run resumed "expected/$name"
  translate_lines resumed "expected/$name"
  rm -r resumed
}
train_and_stop lstm-additive-coverage-copying rnn --learning-rate 0.02 --accumulation 2 --average-decay 0.9 \
  --label-smoothing 0.1 --valid-criterion rougeL
train_and_stop transformer-post-rotary-copying transformer --optimizer adamw --learning-rate 0.01 --keep-checkpoints 1

mapfile -t checkpoints < <(printf '%s\n' runs/rnn/checkpoints/*)
"$program" average --quiet --models "${checkpoints[@]}" --output archives/average.pt
translate_lines archives/average.pt expected/average
score_lines archives/average.pt expected/average

# The first run has been measured and no longer needs checkpoints; the second is trained, but not measured.
run_study study expected/study
rm -r study/runs/attention.*/{checkpoints,best,last} study/results/copying.* study/outputs/copying.* study/figures \
  study/report.*
# Runs and studies contain absolute paths.
grep -rlIF "$PWD" runs study | xargs sed -i "s|$PWD|@FOLDER@|g"
