#!/usr/bin/env bash
# The small study, uninterrupted and killed halfway: both have the same values, no process is left running.
#   study_command_test.sh PROGRAM SOURCE FOLDER
set -euo pipefail
program=$1 root=$2 study=$2/data/studies/small.json work=$3/study_command_test
fail() {
  echo "study_command_test: $*" >&2
  exit 1
}
# This script has no such argument; processes that end meanwhile do not count.
still_training() {
  grep -qs "$work/stopped/runs" /proc/[0-9]*/cmdline
}
rm -rf "$work"

"$program" study --config "$study" --output "$work/whole" --quiet
for file in report.html report.json figures/copying-by-length-exact.svg outputs/copying.1.txt; do
  [[ -s $work/whole/$file ]] || fail "$file is missing"
done
page=$work/whole/report.html
grep -q '<script' "$page" && fail "the page has a script"
grep -o 'https\?://[^" <]*' "$page" | grep -v '^http://www.w3.org/2000/svg$' && fail "the page names other hosts"
[[ $(tail -1 "$page") == '</body></html>' ]] || fail "the page has no end"
grep -q '"verdict": "holds"' "$work/whole/report.json" || fail "copying does not keep unseen words"

# Killed while it trains, then asked to stop, then run to its end.
wait_for_checkpoint() { # FOLDER RUN: of the study with process id $pid
  for _ in $(seq 600); do
    [[ ! -e $work/$1/runs/$2/last ]] || return 0
    kill -0 "$pid" 2>/dev/null || fail "ended before $2 was trained"
    sleep 0.1
  done
  fail "$2 has no checkpoint after a minute"
}
stop_while_training() { # RUN SIGNAL
  "$program" study --config "$study" --output "$work/stopped" --jobs 1 --quiet &
  pid=$!
  wait_for_checkpoint stopped "$1"
  kill "-$2" $pid
  status=0
  wait $pid 2>/dev/null || status=$?
  for _ in $(seq 50); do
    still_training || break
    sleep 0.1
  done
  ! still_training || fail "a run outlived the study"
}
stop_while_training fixed-context.1 KILL
[[ $status == 137 ]] || fail "a killed study ended with $status"
stop_while_training copying.1 TERM
[[ $status == 143 ]] || fail "a stopped study ended with $status"
"$program" study --config "$study" --output "$work/stopped" --quiet

# Everything except speed, memory, date and machine is the same.
figures() {
  grep -v -e second -e memory -e seq2seq "$1/report.json"
}
diff <(figures "$work/whole") <(figures "$work/stopped") || fail "stopping changed the figures"

# No other study may use the folder meanwhile; a run that is stopped from outside does not count as trained.
"$program" study --config "$study" --output "$work/disturbed" --jobs 1 2>"$work/messages" &
pid=$!
wait_for_checkpoint disturbed fixed-context.1
if "$program" study --config "$study" --output "$work/disturbed" 2>"$work/second"; then fail "two studies in one folder"; fi
grep -q '^seq2seq: .*disturbed: is in use by another study; ' "$work/second" || fail "$(cat "$work/second")"
for process in $(grep -ls "$work/disturbed/runs" /proc/[0-9]*/cmdline); do
  kill -TERM "$(basename "$(dirname "$process")")" 2>/dev/null || true  # one is grep itself
done
if wait $pid; then fail "a run that was stopped counts as trained"; fi
grep -q '^seq2seq: run fixed-context.1: was ended by signal 15; ' "$work/messages" || fail "$(cat "$work/messages")"


# Runs trained with other options are not used; missing text and failing runs are reported.
refused() { # SED-SCRIPT OUTPUT MESSAGE
  sed "$1; s|\"\.\./|\"$root/data/|g" "$study" >"$work/changed.json"
  if "$program" study --config "$work/changed.json" --output "$work/$2" 2>"$work/messages"; then
    fail "$1 was accepted"
  fi
  grep -q "^seq2seq: .*$3" "$work/messages" || fail "$1: $(cat "$work/messages")"
}
refused 's/60000/70000/' whole 'fixed-context.1: was trained with other options or text; '
refused 's|"\.\./copying/train|"nowhere|' missing 'nowhere.jsonl: '
refused 's/"clip-norm": 5/"divergence-norm": 1e-6/' diverged \
  'run [a-z-]*.1: update 1: training diverged .*; its log is .*diverged/runs/[a-z-]*.1.log'
