#!/usr/bin/env bash
# Whether the C++ modules, the archive's traced methods and Python agree: for every preset, a model trained for a few
# updates, greedy outputs and log-probabilities of 1,000 lines, at batch sizes never used in tracing.
#   archive_agreement.sh DATA WORK PYTHON [UPDATES [PRESET...]]
# DATA holds train.en, train.de and a test file test_2016_flickr.en of Multi30k; PYTHON has torch. WORK is kept: runs
# that are there are not trained again. SEQ2SEQ names the program.
set -euo pipefail
data=$1 work=$2 python=$3 updates=${4:-150}
(($# < 5)) || presets=("${@:5}")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${SEQ2SEQ:-$root/build/release/seq2seq}
mkdir -p "$work"
[[ -n ${presets:-} ]] || mapfile -t presets < <(cd "$root/models" && printf '%s\n' *.json)
head -n 1000 "$data/test_2016_flickr.en" >"$work/lines"

for preset in "${presets[@]/#/$root/models/}"; do
  preset=${preset%.json}.json
  name=$(basename "$preset" .json)
  if [[ ! -e $work/$name/last/model.pt ]]; then
    "$program" train --quiet --config "$preset" --train-source "$data/train.en" --train-target "$data/train.de" \
      --run-directory "$work/$name" --max-updates "$updates"
  fi
  "$program" inspect --model "$work/$name" --verify --verify-input "$work/lines" --json >"$work/$name.json"
  "$python" -W ignore - "$name" "$work/$name.json" <<'PYTHON'
import json, sys
import torch

name, file = sys.argv[1:]
inspected = json.load(open(file))
cases = inspected["verification"]["lines"]
model = torch.jit.load(inspected["file"])
differing, difference = 0, 0.0
with torch.no_grad(), torch.jit.optimized_execution(False):
    for begin in range(0, len(cases), 23):
        batch = cases[begin : begin + 23]
        def rectangle(key, before=(), after=()):
            rows = [list(before) + case[key] + list(after) for case in batch]
            width = max(map(len, rows))
            return torch.tensor([row + [0] * (width - len(row)) for row in rows])
        source = rectangle("source")
        lengths = torch.tensor([len(case["source"]) for case in batch])
        output = model.greedy(source, lengths, 50).tolist()
        memory = model.encode(source, lengths)
        state = model.start(memory)
        inputs, targets = rectangle("target", before=[2]), rectangle("target", after=[3])
        total = torch.zeros(len(batch), dtype=torch.double)
        for step in range(inputs.size(1)):
            scores, _, state = model.step(memory, inputs[:, step], state)
            found = scores.gather(1, targets[:, step : step + 1]).squeeze(1).double()
            total += torch.where(targets[:, step].ne(0), found, torch.zeros_like(found))
        for row, case, sum in zip(output, batch, total.tolist()):
            differing += [id for id in row if id not in (0, 3)] != case["target"]
            difference = max(difference, abs(sum - case["log-probability"]))
traced = inspected["verification"]["lines by both"]
print(json.dumps({"preset": name, "lines": len(cases), "traced_differing": traced["differing-outputs"],
                  "traced_difference": traced["largest-difference"], "python_differing": differing,
                  "python_difference": difference}))
PYTHON
done
