#!/usr/bin/env bash
# Files of an earlier version (made by make.sh) keep their meaning: translating, scoring, training, resuming,
# averaging and studies produce the same texts, and numbers within 1e-5 (processors round differently).
#   compatibility_test.sh PROGRAM FILES FOLDER [PART...]      (default: every part)
set -euo pipefail
program=$(realpath "$1") files=$(realpath "$2") work=$(realpath "$3")/compatibility_test
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly parts=(archives configurations runs study)
shift 3
# shellcheck source=steps.sh
. "$here/steps.sh"

failures=0
fail() {
  echo "$*" >&2
  failures=$((failures + 1))
}

# Reports the first difference.
compare() { # FILE [TOLERANCE]
  LC_ALL=C awk -v name="$(basename "$1")" -v tolerance="${2:-1e-5}" -v verbose="${SEQ2SEQ_TEST_VERBOSE:-}" \
    -f "$here/compare.awk" "expected/$1" "found/$1" >&2 || failures=$((failures + 1))
}

compare_translations() { # NAME
  compare "$1.beam.jsonl"
  compare "$1.greedy.jsonl"
}

archives() {
  local archive name
  for archive in archives/*.pt; do
    name=$(basename "$archive" .pt)
    "$program" inspect --verify --model "$archive" >found/inspection 2>&1 ||
      fail "$name: inspect --verify: $(tail -n 5 found/inspection)"
    if ! { translate_lines "$archive" "found/$name" && score_lines "$archive" "found/$name"; } then
      fail "$name: cannot be translated with"
      continue
    fi
    compare_translations "$name"
    compare "$name.scores" 1.1e-4 # has four decimals
    [[ -e configurations/$name.json ]] || continue # averages have none
    if train_further "$archive" "configurations/$name.json" "found/$name"; then
      compare "$name.training"
    else
      fail "$name: cannot be trained further"
    fi
  done
}

# A configuration resolved by the earlier version has every option, so changed defaults are detected as well.
configurations() {
  local configuration
  for configuration in configurations/*.json presets/*.json; do
    if ! resolve_configuration "$configuration" >found/short; then
      fail "$configuration: is refused"
    elif cmp -s found/short "resolved/$configuration"; then
      continue # identical
    elif ! resolve_configuration "resolved/$configuration" >found/full; then
      fail "resolved/$configuration: is refused"
    else
      diff found/short found/full >found/difference ||
        fail "$configuration: is another configuration with what were defaults: $(cat found/difference)"
    fi
  done
}

runs() {
  local run
  for run in rnn transformer; do
    if resume_run "runs/$run" "found/$run" && translate_lines "runs/$run" "found/$run"; then
      compare "$run.log"
      compare_translations "$run"
    else
      fail "$run: cannot be resumed"
    fi
  done
  # From the original files: resuming has removed checkpoints.
  if "$program" average --quiet --models "$files"/runs/rnn/checkpoints/* --output found/average.pt &&
    translate_lines found/average.pt found/average; then
    compare_translations average
  else
    fail "average: cannot be made"
  fi
}

# One run has been measured, the other only trained: neither is trained again, nor the first measured again.
study() {
  local version
  version=$("$program" --version | cut -d ' ' -f 2)
  sed -i "s|\"program\": \".*\"|\"program\": \"$version\"|" study/results/*.json # another version would measure again
  cp -r study found/before
  if ! run_study study found/study; then
    fail "study: is refused"
    return
  fi
  diff -r found/before/runs study/runs >found/difference || fail "study: runs changed: $(cat found/difference)"
  diff -r found/before/results/attention.* study/results/attention.* >found/difference ||
    fail "study: what was measured changed: $(cat found/difference)"
  # Values that the earlier version did not measure are no difference.
  awk 'FNR == NR {known[$1]; next} $1 !~ /^".*":$/ || $1 in known' expected/study.figures found/study.figures >found/known
  mv found/known found/study.figures
  compare study.figures
}

for part in "${@:-${parts[@]}}"; do
  rm -rf "${work:?}/$part"
  mkdir -p "$work/$part"
  cp -r "$files/." "$work/$part"
  cd "$work/$part"
  mkdir found
  grep -rlIF @FOLDER@ . | xargs sed -i "s|@FOLDER@|$PWD|g"
  "$part"
  cd /
done
if ((failures > 0)); then
  echo "compatibility_test: $failures differences from what $(basename "$files") did" >&2
  exit 1
fi
