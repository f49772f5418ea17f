#!/usr/bin/env bash
# Checks and measures the program on a GPU, with what scripts/gpu_pack.sh has packed. Prints a summary; JSON and logs
# stay in OUT. No stage keeps the next from running; the exit code is 1 when one has failed.
#
# usage: scripts/gpu_check.sh FOLDER [laws] [train] [speed]      (default: all)
#   laws   the tests of tensors on the GPU, in several processes; what failed is run once more on its own (2 minutes)
#   train  losses, a resumed run, scores and translations on the GPU and on the CPU, without TF32; deterministic runs
#          repeat bit for bit (2 minutes)
#   speed  training with batches of 16,384 tokens in each precision, decoding with batches of 256 lines (4 minutes)
# From the environment: OUT (FOLDER/out); TORCH, a folder with LibTorch (that of python3); DEVICE (cuda), where `cpu`
# tries the script out; SHARDS (3), processes for each test binary; QUICK=1: tiny sizes
# shellcheck disable=SC2317 # stages are called by names that are put together
set -euo pipefail
(($# > 0)) || { sed -n '2,/^# shellcheck/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
script=$(realpath "$0")
stage=
[[ $1 != --stage ]] || { stage=$2; shift 2; }
folder=$(realpath "$1") device=${DEVICE:-cuda} quick=${QUICK:-0}
shift
out=${OUT:-$folder/out}
work=$folder/work

# on SECONDS PROGRAM ARGUMENT...: one of ours, with the libraries that it needs.
on() {
  LD_LIBRARY_PATH=$LIBRARIES timeout --foreground -k 5 "$1" "$folder/bin/$2" "${@:3}"
}
# run NAME SECONDS ARGUMENT...: the program; its output to NAME.json, one line on failure.
run() {
  on "$2" seq2seq "${@:3}" >"$work/$1.json" 2>"$work/$1.err" ||
    { code=$?; echo "FAILED $1 (exit code $code): $(tail -n 1 "$work/$1.err" | cut -c 1-300)"; return 1; }
}

report() { python3 "$(dirname "$script")/gpu_report.py" "$@"; }

stage_laws() {
  export SEQ2SEQ_TEST_DEVICE=$device SEQ2SEQ_TEST_SOURCE=$folder OMP_WAIT_POLICY=passive NVIDIA_TF32_OVERRIDE=0
  local name filter shard shards=${SHARDS:-3} status=0
  while read -r name filter; do
    for ((shard = 0; shard < shards; ++shard)); do
      GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard on 80 "$name" --gtest_filter="$filter" \
        >"$work/$name.$shard.log" 2>&1 &
    done
  done <"$folder/on_device"
  wait
  report tests "$out/laws.json" "$work"/*_test.*.log >"$work/failed" || status=1
  # What an earlier failure has dragged along passes alone.
  local test log
  touch "$work/failed_alone"
  while read -r name test; do
    while (($(jobs -rp | wc -l) >= 12)); do wait -n || true; done
    log=$work/alone.$name.${test//\//-}.log
    { on 12 "$name" --gtest_filter="$test" >"$log" 2>&1 || echo "$name $test $log" >>"$work/failed_alone"; } &
  done < <(head -n 36 "$work/failed")
  wait
  [[ ! -s $work/failed ]] || echo "failed or cut off: $(wc -l <"$work/failed"); of the first 36, alone too:"
  while read -r name test log; do
    echo "  $name $test"
    grep -A 6 -m 1 'Failure$\|unknown file' "$log" | cut -c 1-160 | sed 's/^/      /' || true
  done < <(sort "$work/failed_alone" | head -n 25)
  return "$status"
}

readonly models=(rnn-attention transformer pointer-generator-coverage)
text=(--train-source "$folder/data/train.en" --train-target "$folder/data/train.de")

# config PRESET: its options, on this text.
config() {
  options=(--config "$folder/models/$1.json" --accumulation 1)
  case $1 in
    *-coverage) options+=(--coverage-loss-start 50) ;; # early enough to be compared
    *) options+=(--tokenizer.model "$folder/joint.model") ;;
  esac
}

stage_train() {
  export NVIDIA_TF32_OVERRIDE=0
  local updates=200 more=20 batch=384 lines=100 model place status=0
  ((!quick)) || { updates=6 more=2 batch=128 lines=5; }
  head -n "$lines" "$folder/data/test_2016_flickr.en" >"$work/lines"
  head -n "$lines" "$folder/data/test_2016_flickr.de" >"$work/references"
  local valid=(--valid-source "$work/lines" --valid-target "$work/references")
  # Two names, also where the device is the CPU.
  local -A devices=([one]=cpu [two]=$device)
  for model in "${models[@]}"; do
    config "$model"
    for place in one two; do
      run "train.$model.$place" 60 train "${options[@]}" "${text[@]}" "${valid[@]}" --batch-size "$batch" \
        --precision float32 --log-every 1 --seed 1 --threads 4 --max-updates "$updates" \
        --device "${devices[$place]}" --run-directory "$work/$model.$place" &
    done
  done
  wait
  for model in "${models[@]}"; do
    for place in one two; do
      [[ -e $work/$model.$place/last ]] || continue
      cp "$work/$model.$place/train.jsonl" "$work/before.$model.$place.jsonl"
      run "resume.$model.$place" 20 train --resume --run-directory "$work/$model.$place" --device "$device" \
        --threads 2 --max-updates $((updates + more)) &
    done
  done
  wait
  for model in "${models[@]}"; do
    for place in one two; do
      on_the_model "$model" "$place" &
    done
  done
  wait
  report runs "$out/train.json" "$work" "$updates" "${models[@]}" || status=1
  # A line each: that these know their device, and what bfloat16 says there.
  config rnn-attention
  local bench=(bench train "${options[@]}" "${text[@]}" --batch-size "$batch" --windows 1 --window-seconds 1
    --warmup-seconds 1 --device "$device")
  run bench.train 20 "${bench[@]}" || status=1
  run bench.decode 20 bench decode --model "$work/rnn-attention.two" --input "$work/lines" --windows 1 \
    --device "$device" || status=1
  echo "the benchmarks were on $(sed -n 's/ *"device": "\(.*\)",/\1/p' "$work"/bench.*.json | paste -sd ' ')"
  if on 20 seq2seq "${bench[@]}" --precision bfloat16 >"$work/bfloat16.log" 2>&1; then
    echo "bfloat16 works"
  else
    echo "bfloat16: $(cat "$work/bfloat16.log")"
  fi
  repeated || status=1
  return "$status"
}

# Two runs of each model with --deterministic: the same losses, bit for bit.
repeated() {
  local model turn status=0 updates=30
  ((!quick)) || updates=3
  for model in "${models[@]}"; do
    config "$model"
    for turn in 1 2; do
      run "repeat.$model.$turn" 40 train "${options[@]}" "${text[@]}" --valid-source "$work/lines" \
        --valid-target "$work/references" --batch-size 384 --precision float32 --deterministic --log-every 1 \
        --threads 4 --max-updates "$updates" --device "$device" --run-directory "$work/repeat.$model.$turn" &
    done
  done
  wait
  for model in "${models[@]}"; do
    for turn in 1 2; do
      grep -o '"loss": *[^,]*' "$work/repeat.$model.$turn/train.jsonl" >"$work/repeat.$model.$turn.losses" || true
    done
    if [[ -s $work/repeat.$model.1.losses ]] && cmp -s "$work/repeat.$model".{1,2}.losses; then
      echo "$model repeats bit for bit"
    else
      echo "FAILED: $model does not repeat bit for bit with --deterministic"
      status=1
    fi
  done
  return "$status"
}

# The model that was trained on the device, on both.
on_the_model() { # MODEL PLACE
  [[ -e $work/$1.two/last ]] || return 0
  local at=(--model "$work/$1.two" --device "${devices[$2]}" --threads 2) beam
  for beam in 5 1; do
    run "translate.$1.$beam.$2" 20 translate "${at[@]}" --quiet --beam-size "$beam" --input "$work/lines" || true
  done
  run "score.$1.$2" 20 score "${at[@]}" --quiet --source "$work/lines" --target "$work/references"
}

stage_speed() {
  local batch=16384 window=2 warmup=3 repeat=8 size=256 model precision beam status=0
  ((!quick)) || { batch=512 window=1 warmup=0 repeat=1 size=16; }
  local test=$work/test i
  for ((i = 0; i < repeat; ++i)); do cat "$folder/data/test_2016_flickr.en"; done >"$test"
  ((!quick)) || sed -i 17q "$test"
  head -n 20 "$test" >"$work/lines"
  # For decoding every output has the same length, so that training does not matter.
  local -A wide=([transformer]="--embedding.size 256 --encoder.inner-size 1024 --decoder.inner-size 1024")
  for model in "${models[@]}"; do
    config "$model"
    # shellcheck disable=SC2086
    run "speed.$model" 60 train "${options[@]}" ${wide[$model]:-} "${text[@]}" --quiet --precision float32 \
      --valid-source "$work/lines" --valid-target "$work/lines" --batch-size 1024 --max-updates 2 --threads 4 \
      --device "$device" --run-directory "$work/speed.$model" &
  done
  wait
  for model in rnn-attention transformer-base transformer pointer-generator-coverage; do
    config "$model"
    for precision in float32 tf32 bfloat16; do
      [[ $device != cpu || $precision == float32 ]] || continue
      run "speed.train.$model.$precision" 40 bench train "${options[@]}" "${text[@]}" --precision "$precision" \
        --batch-size "$batch" --windows 5 --window-seconds "$window" --warmup-seconds "$warmup" --device "$device" ||
        status=1
    done
  done
  for model in "${models[@]}"; do
    for beam in 5 1; do
      run "speed.decode.$model.$beam" 40 bench decode --model "$work/speed.$model" --input "$test" \
        --beam-size "$beam" --batch-size "$size" --min-length 15 --max-length 15 --windows 3 \
        --device "$device" || status=1
    done
  done
  return "$status"
}

if [[ -n $stage ]]; then
  "stage_$stage"
  exit
fi

mkdir -p "$out" "$work"
exec > >(tee "$out/summary.txt") 2>&1
summary=$!
trap 'exec >&- 2>&-; wait "$summary"' EXIT
torch=${TORCH:-$(python3 -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])')}
LIBRARIES=$folder/lib:$torch/lib:$(printf '%s:' "$torch"/../nvidia/*/lib)${LD_LIBRARY_PATH:-}
export LIBRARIES
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo "no nvidia-smi"
echo "LibTorch: $(sed -n "s/^__version__ = //p" "$torch/version.py"); $(nproc) processors; device $device"
on 60 seq2seq --version || LD_LIBRARY_PATH=$LIBRARIES ldd "$folder/bin/seq2seq" | grep 'not found' || true
[[ -e $folder/joint.model ]] || run vocab 60 vocab --input "$folder"/data/train.{en,de} --type sentencepiece \
  --size 8000 --output "$folder/joint.model"

declare -A limits=([laws]=125 [train]=150 [speed]=270)
(($# > 0)) || set -- laws train speed
status=0
for stage in "$@"; do
  [[ -n ${limits[$stage]:-} ]] || {
    echo "gpu_check: '$stage' is no stage; there are laws, train, speed"
    exit 2
  }
  rm -rf "$work"
  mkdir -p "$work"
  echo "== $stage"
  begin=$SECONDS code=0
  OUT=$out timeout -k 5 "${limits[$stage]}" bash "$script" --stage "$stage" "$folder" </dev/null || code=$?
  # Also of a stage that was stopped.
  [[ $stage != speed ]] || report speeds "$out/speed.json" "$work"/speed.{train,decode}.*.json ||
    code=$((code ? code : 1))
  case $code in
    0) verdict=passed ;;
    124 | 137) verdict="STOPPED after its time" status=1 ;;
    *) verdict=FAILED status=1 ;;
  esac
  echo "== $stage: $verdict, $((SECONDS - begin)) s"
  (cd "$work" && find . -maxdepth 2 -type f \( -name '*.json*' -o -name '*.err' -o -name '*.log' -o -name 'failed*' \) \
    -print0 | tar -czf "$out/$stage.tar.gz" --null -T -) || true
done
exit $status
