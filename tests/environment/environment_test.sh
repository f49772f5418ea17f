#!/usr/bin/env bash
# Runs the program where something that is usually there is missing or different.
#   environment_test.sh PROGRAM ROOT FOLDER [CASE...]      (default: every case)
# Exit code 77: this machine lacks or does not permit what a case needs.
set -euo pipefail
program=$1 root=$2 folder=$3/environment_test fake_driver=$3/fake_driver
shift 3
readonly cases=(one_core quota locales decimal_comma home_unset temporary_folder no_terminal closed_streams no_proc
  no_driver no_cuda_libraries one_start)
export OMP_WAIT_POLICY=passive

readonly text=$root/data/translation demo=$root/models/demo-en-de.pt
readonly small=(--precision float32 --tokenizer word --embedding.size 8 --encoder.size 8 --decoder.size 8
  --max-updates 3)
readonly pairs=(--train-source "$text/valid.en" --train-target "$text/valid.de" --valid-source "$text/test.en"
  --valid-target "$text/test.de")

fail() {
  echo "$case: $*" >&2
  exit 1
}

skip() {
  echo "$case: skipped: $*"
  exit 77
}

# Messages are plain lines of the program's own: no progress drawn for a terminal, no library's messages.
expect_plain() { # FILE
  if LC_ALL=C grep -n -e $'\r' -e $'\e' -e 'terminate called' -e Exception -e 'what()' -e '^Error in ' -e '^\[' \
    "$1"; then
    fail "$1 has a line that is not the program's"
  fi
}

# Runs a command that must succeed. `before` is a prefix that starts the program.
before=()
run() { # NAME ARGUMENT...
  local name=$1
  shift
  local status=0
  "${before[@]}" "$program" "$@" >"$work/$name.out" 2>"$work/$name.log" || status=$?
  ((status == 0)) || fail "$name ended with $status: $(cat "$work/$name.log")"
  expect_plain "$work/$name.log"
}

# Runs a command that must fail with a one-line message.
refuse() { # NAME MESSAGE ARGUMENT...
  local name=$1 message=$2 status=0
  shift 2
  "${before[@]}" "$program" "$@" >"$work/$name.out" 2>"$work/$name.log" || status=$?
  ((status == 1)) || fail "$name ended with $status"
  expect_plain "$work/$name.log"
  [[ $(wc -l <"$work/$name.log") == 1 ]] || fail "$name said more than a line: $(cat "$work/$name.log")"
  grep -q "^seq2seq: .*$message" "$work/$name.log" || fail "$name: $(cat "$work/$name.log")"
}

# The run is complete: its model passes its self-test, and no temporary files are left.
expect_whole() { # RUN
  run inspect inspect --verify --model "$1"
  [[ -z $(find "$1" -name '.*.tmp-*') ]] || fail "$1 has temporary files"
}

train_and_translate() {
  run train train "${small[@]}" "${pairs[@]}" --run-directory "$work/run"
  expect_whole "$work/run"
  run translate translate --model "$work/run" --input "$work/lines"
  [[ $(wc -l <"$work/translate.out") == 3 ]] || fail "3 lines became $(wc -l <"$work/translate.out")"
  run demo translate --quiet --model "$demo" --input "$work/lines"
  cmp "$work/demo.out" "$work/expected"
}

expect_threads() { # NUMBER
  grep -q "; $1 threads\?$" "$work/train.log" || fail "not $1 threads: $(cat "$work/train.log")"
}

# Starts the program after COMMAND in a mount namespace of its own, in which mounting is permitted.
with_mounts() { # COMMAND
  local unshare=(unshare --mount)
  ((EUID == 0)) || unshare+=(--map-root-user)
  "${unshare[@]}" bash -c 'mount -t tmpfs none /mnt' 2>/dev/null || skip "mounting is not permitted here"
  before=("${unshare[@]}" bash -euc "$1"' && exec "$@"' "$case")
}

one_core() {
  before=(taskset -c "$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')")
  train_and_translate
  expect_threads 1
}

# As in a container: all of the host's cores are visible, but not all of their time is available.
quota() {
  [[ -d /sys/fs/cgroup ]] || skip "no /sys/fs/cgroup"
  with_mounts 'mount -t tmpfs none /sys/fs/cgroup && echo "60000 100000" >/sys/fs/cgroup/cpu.max'
  train_and_translate
  expect_threads 1
  [[ $("${before[@]}" "$root/scripts/jobs.sh") == 1 ]] || fail "the build would run several compilers"
}

# File names and text beyond ASCII; numbers with a decimal point.
in_locale() { # LOCALE
  export LC_ALL=$1
  rm -rf "$work/größe.run"
  cp "$work/lines" "$work/größe.en"
  run train train "${small[@]}" "${pairs[@]}" --learning-rate 0.5 --run-directory "$work/größe.run"
  expect_threads '[0-9]*'
  expect_whole "$work/größe.run"
  run translate translate --quiet --model "$demo" --input "$work/größe.en" --details "$work/details.jsonl"
  cmp "$work/translate.out" "$work/expected"
  run evaluate evaluate --hypothesis "$work/translate.out" --reference "$work/expected" --metric bleu --metric chrf
  grep -q '"score": 100\.0' "$work/evaluate.out" || fail "$(cat "$work/evaluate.out")"
  grep -q '"learning-rate": 0\.5' "$work/größe.run/config.json" || fail "$(cat "$work/größe.run/config.json")"
  grep -q '"accuracy":[0-9]*\.[0-9]' "$work/größe.run/train.jsonl" || fail "$(cat "$work/größe.run/train.jsonl")"
  grep -q '"score":-[0-9]*\.[0-9]' "$work/details.jsonl" || fail "$(cat "$work/details.jsonl")"
  if grep -E '"(score|accuracy|loss|learning-rate)": *-?[0-9]+,[0-9]' "$work"/{evaluate.out,details.jsonl} \
    "$work/größe.run"/*.json*; then
    fail "a number with a comma in $1"
  fi
}

locales() {
  in_locale C
  in_locale C.UTF-8
}

decimal_comma() {
  command -v localedef >/dev/null || skip "no localedef"
  mkdir -p "$work/locales"
  localedef -i de_DE -f UTF-8 "$work/locales/de_DE.UTF-8" >/dev/null 2>&1 || skip "no sources of locales"
  export LOCPATH=$work/locales
  [[ $(LC_ALL=de_DE.UTF-8 locale decimal_point) == , ]] || skip "the locale that was made is not used"
  in_locale de_DE.UTF-8
}

# An unpacked copy of each .gz file is kept in the user's cache; without a home, in the temporary folder.
home_unset() {
  unset HOME XDG_CACHE_HOME
  export TMPDIR=$work/temporary
  mkdir "$TMPDIR"
  train_and_translate
  pack_text
  run packed train "${small[@]}" "${packed[@]}" --run-directory "$work/packed"
  expect_whole "$work/packed"
  ls "$TMPDIR/seq2seq-$EUID"/*.txt >/dev/null || fail "no unpacked copies in $TMPDIR"
  export TMPDIR=$work/nowhere
  (cd "$work" && refuse nowhere "no folder can be written for its unpacked copy; set XDG_CACHE_HOME" \
    train "${small[@]}" "${packed[@]}" --run-directory "$work/none")
  [[ ! -e $work/seq2seq-$EUID ]] || fail "a folder for copies was made where nobody asked for it"

  # CMake looks for LibTorch where setup.sh unpacks it: in the home directory that the system knows.
  local said
  said=$(env -u SEQ2SEQ_CACHE -u SEQ2SEQ_TORCH -u Torch_DIR -u CMAKE_PREFIX_PATH cmake -DSEQ2SEQ_PYTHON=/bin/false \
    -P "$root/cmake/Seq2seqTorch.cmake" 2>&1 | tr -s ' \n' ' ') || true # a script can only look for LibTorch
  grep -q "LibTorch [0-9.]*: $(getent passwd $EUID | cut -d: -f6)/\.cache/\|none was found\. Run scripts/setup\.sh" \
    <<<"$said" || fail "the configuration step: $said"
}

# Sets `packed`.
pack_text() {
  gzip -c "$text/valid.en" >"$work/text.en.gz"
  gzip -c "$text/valid.de" >"$work/text.de.gz"
  packed=(--train-source "$work/text.en.gz" --train-target "$work/text.de.gz" --valid-source "$text/test.en"
    --valid-target "$text/test.de")
}

# Files are written next to their targets, so that they never have to be renamed across file systems.
temporary_folder() {
  [[ -d /dev/shm && -w /dev/shm && $(stat -c %d /dev/shm) != $(stat -c %d "$work") ]] ||
    skip "no other file system at /dev/shm"
  unset HOME XDG_CACHE_HOME
  TMPDIR=$(mktemp -d /dev/shm/seq2seq-test.XXXXXX)
  export TMPDIR
  # shellcheck disable=SC2064
  trap "rm -rf '$TMPDIR'" EXIT
  pack_text
  run train train "${small[@]}" "${packed[@]}" --run-directory "$work/run"
  expect_whole "$work/run"
  [[ $(find "$TMPDIR" -type f | wc -l) == 2 && $(find "$TMPDIR" -name '*.txt' | wc -l) == 2 ]] ||
    fail "not just two unpacked copies: $(find "$TMPDIR")"
  # The other way round: the run and the outputs are on the other file system.
  run other train "${small[@]}" "${pairs[@]}" --run-directory "$TMPDIR/run"
  expect_whole "$TMPDIR/run"
  run average average --models "$work/run" --output "$TMPDIR/average.pt"
  run translate translate --quiet --model "$TMPDIR/average.pt" --input "$work/lines" --output "$TMPDIR/output"
  [[ $(wc -l <"$TMPDIR/output") == 3 ]] || fail "3 lines became $(wc -l <"$TMPDIR/output")"
}

no_terminal() {
  before=(setsid --wait)
  train_and_translate </dev/null
  run closed train "${small[@]}" "${pairs[@]}" --run-directory "$work/closed" <&-
  expect_whole "$work/closed"
}

# Output to a stream that the caller has closed must not end up in a file opened in its place.
closed_streams() {
  "$program" train "${small[@]}" "${pairs[@]}" --run-directory "$work/run" <&- >&- 2>&- || fail "training ended with $?"
  expect_whole "$work/run"
  if grep -v '^{.*}$' "$work/run/train.jsonl"; then fail "train.jsonl has other lines"; fi
  "$program" translate --model "$demo" --input "$work/lines" --output "$work/output" <&- >&- 2>&- ||
    fail "translating ended with $?"
  cmp "$work/output" "$work/expected"
  refuse reading 'standard input: cannot be read' translate --model "$demo" <&-
  local status=0
  "$program" translate --quiet --model "$demo" --input "$work/lines" >&- 2>"$work/writing.log" || status=$?
  [[ $status == 1 && $(cat "$work/writing.log") == 'seq2seq: standard output: cannot be written'* ]] ||
    fail "writing ended with $status: $(cat "$work/writing.log")"
}

no_proc() {
  with_mounts 'mount -t tmpfs none /proc'
  train_and_translate
  run threads translate --quiet --threads 2 --model "$demo" --input "$work/lines"
  cmp "$work/threads.out" "$work/expected"
  [[ $("${before[@]}" "$root/scripts/jobs.sh") -ge 1 ]] || fail "the build does not know how many compilers to run"
  # A study starts this program again for each run.
  sed "s|\"\.\./|\"$root/data/|g; s/\"max-target-tokens\": [0-9]*/\"max-target-tokens\": 2000/" \
    "$root/data/studies/small.json" >"$work/study.json"
  unset OMP_WAIT_POLICY # the program starts itself again for it
  run study study --config "$work/study.json" --output "$work/study"
  [[ -s $work/study/report.html ]] || fail "no report"
}

# For threads that sleep the program starts itself again, but before the libraries start, which takes long.
one_start() {
  unset OMP_WAIT_POLICY
  before=(env LD_DEBUG=files "LD_DEBUG_OUTPUT=$work/loaded")
  run version --version
  grep -q 'calling preinit' "$work"/loaded.* || skip "the linker does not tell what it starts"
  [[ $(cat "$work"/loaded.* | grep -c 'calling preinit: ') == 2 ]] || fail "the program did not start itself again"
  [[ $(cat "$work"/loaded.* | grep -c 'calling init: .*libtorch_cpu') == 1 ]] || fail "LibTorch started twice"
  before=(env GOMP_SPINCOUNT=100 LD_DEBUG=files "LD_DEBUG_OUTPUT=$work/asked")
  run asked --version
  [[ $(cat "$work"/asked.* | grep -c 'calling preinit: ') == 1 ]] || fail "what the user asked for is not kept"
}

# Of a GPU nothing is loaded and nothing is said, unless one is asked for.
no_driver() {
  ! { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep 'libcuda\.so\.1 ' >/dev/null ||
    skip "there is an NVIDIA driver"
  local given=(--model "$demo" --input "$work/lines")
  refuse cuda "--device: this machine has no NVIDIA driver; .*--device cpu$" translate "${given[@]}" --device cuda
  before=(env LD_DEBUG=files "LD_DEBUG_OUTPUT=$work/loaded")
  run auto translate --quiet "${given[@]}"
  cmp "$work/auto.out" "$work/expected"
  grep -q 'calling init: .*libtorch_cpu' "$work"/loaded.* || fail "what is loaded is not told"
  if grep -E 'calling init: .*lib(torch_cuda|c10_cuda|cublas|cudnn|cuda\.)' "$work"/loaded.*; then
    fail "libraries of a GPU are loaded"
  fi
  before=()
  # What the user said stays with the run, which goes on anywhere.
  run train train --quiet "${small[@]}" "${pairs[@]}" --run-directory "$work/run"
  [[ ! -s $work/train.log ]] || fail "$(cat "$work/train.log")"
  grep -q '"device": "auto"' "$work/run/config.json" || fail "$(cat "$work/run/config.json")"
  run resume train --resume --run-directory "$work/run" --device cpu --max-updates 4
  run devices inspect --devices
  grep -q '^cpu .*float32' "$work/devices.out" || fail "$(cat "$work/devices.out")"
  grep -q '^cuda    none: this machine has no NVIDIA driver$' "$work/devices.out" || fail "$(cat "$work/devices.out")"
}

# The driver lists a GPU, but LibTorch has not what it takes to use it.
no_cuda_libraries() {
  local given=(translate --model "$demo" --input "$work/lines") torch libraries
  libraries=$(ldd "$program")
  torch=$(awk '$1 == "libtorch_cpu.so" {print $3}' <<<"$libraries")
  [[ ! -e ${torch%/*}/libtorch_cuda.so ]] || skip "this LibTorch has CUDA"
  [[ -e $fake_driver/libcuda.so.1 ]] || skip "no stand-in for the driver in $fake_driver"
  with_driver() { before=(env "LD_LIBRARY_PATH=$fake_driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"); }
  local missing="this LibTorch has no CUDA libraries (no .*libtorch_cuda\.so); run scripts/setup\.sh --cuda"
  with_driver
  refuse cuda "--device: $missing" "${given[@]}" --device cuda
  refuse number "--device: there is no cuda:7; there is one, number 0$" "${given[@]}" --device cuda:7
  run auto "${given[@]}"
  cmp "$work/auto.out" "$work/expected"
  grep -q "^device: the CPU, not Fake GPU 0: $missing" "$work/auto.log" || fail "$(cat "$work/auto.log")"
  run devices inspect --devices
  grep -q "^cuda:0  Fake GPU 0, compute capability 9\.0, 8,192 MiB; .*; does not work: $missing" "$work/devices.out" ||
    fail "$(cat "$work/devices.out")"
  run json inspect --devices --json
  grep -q '"usable": false' "$work/json.out" || fail "$(cat "$work/json.out")"
  with_driver FAKE_DRIVER_GPUS=2
  refuse two "--device: there is no cuda:2; they are numbered from 0 to 1$" "${given[@]}" --device cuda:2
  with_driver FAKE_DRIVER_STATUS=999
  refuse broken "--device: the NVIDIA driver does not start (CUDA error 999)" "${given[@]}" --device cuda
  with_driver FAKE_DRIVER_GPUS=0
  refuse none "--device: the NVIDIA driver shows no GPU" "${given[@]}" --device cuda
  run silent "${given[@]}"
  if grep device "$work/silent.log"; then fail "a GPU that is not there is spoken of"; fi
  if [[ $libraries == *libcudart.so.1[0-9]* ]]; then # LibTorch knows which CUDA it was built with
    with_driver FAKE_DRIVER_VERSION=9020
    refuse old "--device: the NVIDIA driver is too old: it knows CUDA 9\.2, this LibTorch needs 1[0-9]; update" \
      "${given[@]}" --device cuda
  fi
}

if (($# == 0)); then set -- "${cases[@]}"; fi
for case in "$@"; do
  [[ " ${cases[*]} " == *" $case "* ]] || fail "is no case; there are: ${cases[*]}"
  work=$folder/$case
  rm -rf "$work"
  mkdir -p "$work"
  head -n 2 "$text/test.en" >"$work/lines"
  printf 'naïve “日本” 😀 Zürich\n' >>"$work/lines"
  "$program" translate --quiet --model "$demo" --input "$work/lines" --output "$work/expected"
  grep -q 'ä' "$work/expected" || fail "the expected translation is all ASCII"
  if (($# == 1)); then
    "$case"
  else
    status=0
    ("$case") || status=$?
    ((status == 0 || status == 77)) || exit $status
  fi
done
