#!/usr/bin/env bash
# Runs the checks that take too long for every change, one after the other, and closes with a table of their verdicts
# and times; docs/testing.md says what each is. What a step prints goes to build/check_all/STEP.log. A step that fails
# does not keep the others from running; the exit code is 1 then.
# usage: scripts/check_all.sh [STEP...]     (default: every step)
# shellcheck disable=SC2317 # steps are called by names that are put together
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# To add a step, name it here and write step_NAME: what it prints is its log, and it fails by its exit code. Exit code
# 77 means that this machine cannot do it.
readonly steps=(debug clang qemu asan mutations)

# Every file alone, where the release build reads several in one go: all warnings are seen.
step_debug() {
  scripts/setup.sh
  cmake --preset debug -B build/check_all/debug -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
  cmake --build build/check_all/debug --parallel "$(scripts/jobs.sh)" -- --quiet
}

# Another compiler, whose own OpenMP flags are not used: everything that CI runs at the full level, and one OpenMP
# runtime alone.
step_clang() {
  scripts/provide.sh clang++ clang
  scripts/setup.sh
  CXX=clang++ cmake --preset release -B build/check_all/clang
  cmake --build build/check_all/clang --parallel "$(scripts/jobs.sh)" -- --quiet
  ! ldd build/check_all/clang/seq2seq | grep -E 'libi?omp' || return 1
  ctest --test-dir build/check_all/clang --parallel "$(scripts/jobs.sh)" --output-on-failure --label-regex 'unit|e2e'
}

# Programs built for a CPU of 2008: any instruction of AVX or later that is not asked for first ends them. (Sums
# under an emulated AVX2 are wrong, so that nothing can be learned from a later CPU.)
step_qemu() {
  scripts/provide.sh qemu-x86_64 qemu-user
  build release seq2seq_app nn_test level
  # Otherwise the program starts itself again for these, and is not emulated any more.
  export OMP_WAIT_POLICY=passive MIMALLOC_PAGE_RESET=0 MIMALLOC_DECOMMIT_DELAY=1000 MIMALLOC_PURGE_DELAY=1000
  local old=(qemu-x86_64 -cpu Nehalem) program=build/release/seq2seq text=data/translation work=$results/qemu
  local kernels='*Kernel*:Linear*:Product*:GatheredGradients*:Bfloat16*:WeightStore*:Int8Product*:TopK*:Capabilities*'
  rm -rf "$work"
  mkdir -p "$work"
  "${old[@]}" build/release/tests/nn/nn_test --gtest_brief=1 --gtest_filter="$kernels"
  # A level that this machine lacks is one line.
  SEQ2SEQ_INSTRUCTION_SET=avx2 "${old[@]}" build/release/tests/build/level avx2 AVX2 >"$work/level" 2>&1 && return 1
  [[ $(cat "$work/level") == "level: SEQ2SEQ_INSTRUCTION_SET: this processor lacks avx2; it has baseline; "* ]]
  (($(wc -l <"$work/level") == 1))
  "${old[@]}" "$program" train --precision float32 --tokenizer word --embedding.size 8 --encoder.size 8 \
    --decoder.size 8 --batch-size 128 --max-updates 20 --run-directory "$work/run" --train-source "$text/valid.en" \
    --train-target "$text/valid.de" --valid-source "$text/test.en" --valid-target "$text/test.de"
  "${old[@]}" "$program" inspect --verify --model "$work/run" | grep -A 2 '^verification'
  head -n 20 "$text/test.en" >"$work/lines"
  "${old[@]}" "$program" translate --model models/demo-en-de.pt --input "$work/lines" --output "$work/emulated"
  "$program" translate --model models/demo-en-de.pt --input "$work/lines" --output "$work/native"
  cmp "$work/emulated" "$work/native"
}

# The unit tests under AddressSanitizer and UndefinedBehaviorSanitizer; files read together as in release, which takes a
# third of the time.
step_asan() {
  scripts/setup.sh
  cmake --preset asan -B build/check_all/asan -DCMAKE_UNITY_BUILD=ON
  cmake --build build/check_all/asan --parallel "$(scripts/jobs.sh)" -- --quiet
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 ctest --test-dir build/check_all/asan --output-on-failure \
    --parallel "$(scripts/jobs.sh)" --label-regex unit
}

# Deliberately wrong versions, each of which a test must catch.
step_mutations() { tests/mutations/run.sh; }

# build PRESET [TARGET...]: the default is every target.
build() {
  local preset=$1 targets=()
  shift
  (($# == 0)) || targets=(--target "$@")
  scripts/setup.sh
  cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$(scripts/jobs.sh)" "${targets[@]}" -- --quiet
}

results=$PWD/build/check_all
mkdir -p "$results"

# Each step is a process of its own, so that its first failing command ends it.
if [[ ${1:-} == --step ]]; then
  "step_$2"
  exit
fi

(($# > 0)) || set -- "${steps[@]}"
for step in "$@"; do
  [[ " ${steps[*]} " == *" $step "* ]] || {
    echo "check_all: '$step' is no step; there are: ${steps[*]}" >&2
    exit 2
  }
done

status=0
table=()
for step in "$@"; do
  echo "$step: running, see build/check_all/$step.log"
  begin=$SECONDS code=0
  scripts/check_all.sh --step "$step" >"$results/$step.log" 2>&1 </dev/null || code=$?
  case $code in
    0) verdict=passed ;;
    77) verdict=skipped ;;
    *) verdict=FAILED status=1 ;;
  esac
  ((code == 0)) || tail -n 10 "$results/$step.log" | sed "s/^/  /"
  seconds=$((SECONDS - begin))
  table+=("$(printf '%-12s %-8s %3d:%02d' "$step" $verdict $((seconds / 60)) $((seconds % 60)))")
done
echo
printf '%-12s %-8s %6s\n' step verdict time
printf '%s\n' "${table[@]}"
exit $status
