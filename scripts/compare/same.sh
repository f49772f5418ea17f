#!/usr/bin/env bash
# Runs two versions of seq2seq beside one another with plain kernels and in float32, and compares by the bit what they
# write: weights, optimizer states, logs and texts of five presets in training, resuming, averaging, translating with several
# sets of options, scoring and evaluating, and a study's outputs and figures. Times, speeds and memory are left out.
# Batches and vocabularies are small. Prints a line for each comparison; exit code 1 when any differs.
#   OLD   a build whose kernels are plain unless told otherwise (of a version without --kernels: its `plain_kernels` begins true)
#   NEW   is given --kernels plain
#   DATA  train.en, train.de, val.en, val.de (Multi30k), of which the first lines are used
# usage: scripts/compare/same.sh OLD NEW DATA FOLDER [PRESET...]
# shellcheck disable=SC2317 # functions are called by names that are handed over
set -euo pipefail
(($# >= 4)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
# shellcheck disable=SC2034 # named through ${!which}
old=$(realpath "$1") new=$(realpath "$2") data=$(realpath "$3")
mkdir -p "$4"
folder=$(realpath "$4")
presets=("${@:5}")
((${#presets[@]})) || presets=(rnn-attention gru transformer pointer-generator-coverage hierarchical)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export OMP_WAIT_POLICY=passive

rm -rf "$folder"/{old,new}
mkdir -p "$folder"/{old,new}
for side in en de; do
  head -n 6000 "$data/train.$side" >"$folder/train.$side"
  head -n 150 "$data/val.$side" >"$folder/valid.$side"
  tail -n 120 "$data/val.$side" >"$folder/lines.$side"
done
awk 'NR % 3 == 0 {print "Ein"; next} {print ""}' "$folder/lines.en" >"$folder/prefixes"

# Both programs in turn, each in a folder of its own, so that no path tells them apart.
both() { # COMMAND ARGUMENT...
  local which kernels
  for which in old new; do
    kernels=()
    [[ $which == old || ! " train translate score " == *" $1 "* ]] || kernels=(--kernels plain)
    (cd "$folder/$which" && "${!which}" "$1" "${kernels[@]}" "${@:2}" >printed 2>"$folder/$which.messages") || {
      cat "$folder/$which.messages" >&2
      exit 1
    }
  done
}

# The sums of all stored tensors; in the order of their bytes, since a file may list them in another order.
tensors() { # FILE
  python3 - "$1" <<'PYTHON'
import hashlib, re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as file:
    names = [name for name in file.namelist() if re.search(r"/data/\d+$", name)]
    print("\n".join(sorted(hashlib.sha256(file.read(name)).hexdigest() for name in names)))
PYTHON
}
# JSON or lines of JSON without what depends on time, memory or version, and without figures that only newer versions have.
figures() { # FILE
  python3 - "$1" <<'PYTHON'
import json, re, sys
def timeless(value):
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in sorted(value.items())
                if not re.search("second|memory|speed|wait|conditions|version|kernels|^ter$", k)}
    return [timeless(v) for v in value] if isinstance(value, list) else value
text = open(sys.argv[1]).read()
try:
    values = [json.loads(text)]
except ValueError:
    values = [json.loads(line) for line in text.splitlines()]
for value in values:
    print(json.dumps(timeless(value), indent=1))
PYTHON
}

failed=0
compare() { # NAME FORM FILE: what FORM prints of both files
  local which
  for which in old new; do $2 "$folder/$which/$3" >"$folder/$which.form"; done
  if cmp -s "$folder/old.form" "$folder/new.form"; then
    printf '%-28s %-24s equal\n' "$preset" "$1"
  else
    printf '%-28s %-24s DIFFERS: %s\n' "$preset" "$1" \
      "$(diff "$folder/old.form" "$folder/new.form" | sed -n '2p; /^---$/{n;p;q}' | cut -c 1-160 | paste -sd ' ')"
    failed=1
  fi
}

for preset in "${presets[@]}"; do
  text=(--train-source ../train.en --train-target ../train.de --valid-source ../valid.en --valid-target ../valid.de)
  measures=(--valid-metrics bleu rouge1 repetition --valid-beam-size 2)
  [[ $preset != hierarchical ]] || measures=(--valid-beam-size 2)
  both train --config "$root/models/$preset.json" "${text[@]}" "${measures[@]}" --run-directory run-"$preset" --precision float32 \
    --vocabulary-size 3000 --batch-unit tokens --batch-size 150 --accumulation 2 --average-decay 0.99 --max-updates 110 --valid-every 50 \
    --checkpoint-every 50 --keep-checkpoints 9 --log-every 10 --gradient-flow-every 40 --quiet
  both train --resume --run-directory run-"$preset" --max-updates 200 --quiet
  run=run-$preset
  for step in 50 110 200; do
    compare "weights, update $step" tensors "$run/checkpoints/step-$step/model.pt"
    compare "state, update $step" tensors "$run/checkpoints/step-$step/state.pt"
  done
  compare "log" figures "$run/train.jsonl"
  both average --quiet --models "$run"/checkpoints/step-150 "$run"/checkpoints/step-200 --output average.pt
  compare "average" tensors average.pt

  translate() { # NAME FLAG...
    both translate --quiet --model "$run"/last --input ../lines.en --output output "${@:2}"
    compare "translate $1" cat output
  }
  translate "beam" --beam-size 5 --scores --details details.jsonl
  compare "details" figures details.jsonl
  translate "greedy" --beam-size 1 --scores --no-replace-unknown
  translate "n-best" --beam-size 4 --n-best 3 --length-penalty wu --length-penalty-alpha 0.6
  translate "rules" --no-repeat-ngram 2 --repetition-penalty 1.2 --ban einen --bias ist=2 --min-length 4
  translate "groups" --beam-size 4 --beam-groups 2 --diversity 0.5 --n-best 4
  translate "sample" --sample --beam-size 2 --n-best 2 --seed 7 --temperature 0.8 --sample-top-k 20
  translate "prefixes" --prefixes ../prefixes --batch-size 7
  translate "batch-invariant" --batch-invariant --scores --beam-size 3
  both evaluate --hypothesis output --reference ../lines.de --metric bleu chrf chrf++ rouge summary --bootstrap 200
  compare "evaluate" figures printed
  both score --quiet --model "$run"/last average.pt --source ../lines.en --target ../lines.de \
    --tokens --threads 1 --output scores  # the sums of more threads than one depend on their number
  compare "score" cat scores
done

preset=study
for which in old new; do
  python3 - "$root/data/studies/small.json" "$folder/$which/study.json" $which <<'PYTHON'
import json, os, sys
study = json.load(open(sys.argv[1]))
beside = os.path.dirname(os.path.abspath(sys.argv[1]))
for side, name in study["base"]["data"].items():
    study["base"]["data"][side] = os.path.join(beside, name)
study["test"]["input"] = os.path.join(beside, study["test"]["input"])
study["base"]["limits"] = {"max-updates": 200}
study["base"].setdefault("optimization", {})["precision"] = "float32"
if sys.argv[3] == "new":
    study["base"]["run"]["kernels"] = "plain"
json.dump(study, open(sys.argv[2], "w"))
PYTHON
done
both study --quiet --config study.json --output study --jobs 1
for output in "$folder"/old/study/outputs/*; do compare "$(basename "$output")" cat "study/outputs/$(basename "$output")"; done
compare "report" figures study/report.json
exit $failed
