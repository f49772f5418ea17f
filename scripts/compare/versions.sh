#!/usr/bin/env bash
# Compares the speed of two builds of seq2seq: training and decoding of presets, in interleaved pairs on an otherwise idle
# machine. Prints, for each, the median of the pairs' ratios NEW / OLD of target tokens a second, with the least and the
# greatest. DATA is a folder with train.en, train.de and test_2016_flickr.en
# (Multi30k); FOLDER keeps the models, which OLD trains for a minute each, and every run's JSON.
# TRAIN_FLAGS in the environment goes to both when they train, such as "--precision float32" for versions that fail to find
# out that a processor lacks bfloat16.
# usage: scripts/compare/versions.sh OLD NEW DATA FOLDER [PAIRS] [SECONDS] [PRESET...]
# (default: 7 pairs of 20 seconds, rnn-attention and transformer)
set -euo pipefail
# shellcheck disable=SC2034 # named through ${!which}
old=$(realpath "$1") new=$(realpath "$2") data=$(realpath "$3") pairs=${5:-7} seconds=${6:-20}
presets=("${@:7}")
((${#presets[@]})) || presets=(rnn-attention transformer)
mkdir -p "$4"
folder=$(realpath "$4")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ -e $folder/joint.model ]] || "$old" vocab --input "$data/train.en" "$data/train.de" --type sentencepiece --size 8000 \
  --output "$folder/joint.model"
read -ra train_flags <<<"${TRAIN_FLAGS:-}"
pairs_of_lines=("${train_flags[@]}" --train-source "$data/train.en" --train-target "$data/train.de")
# text_of PRESET: sets `text`. A preset that copies makes a vocabulary of its own, of words.
text_of() {
  text=("${pairs_of_lines[@]}")
  grep -q '"vocabulary-size"' models/"$1".json || text+=(--tokenizer sentencepiece --tokenizer.model "$folder/joint.model")
}

for preset in "${presets[@]}"; do
  text_of "$preset"
  [[ -e $folder/$preset/last ]] ||
    "$old" train --quiet --config models/"$preset".json "${text[@]}" --held-out 100 --max-minutes 1.5 \
      --run-directory "$folder/$preset"
done
# As many lines as are decoded in about the time of a window.
head -n 700 "$data/test_2016_flickr.en" >"$folder/lines.en"

bench() { # PROGRAM KIND PRESET
  if [[ $2 == train ]]; then
    text_of "$3"
    "$1" bench train --config models/"$3".json "${text[@]}" --windows 1 --window-seconds "$seconds" --warmup-seconds 3
  else
    "$1" bench decode --model "$folder/$3" --input "$folder/lines.en" --windows "${windows[$3]:-1}"
  fi
}
value() { sed -n "/\"target_tokens_per_second\"/,/}/s/.*\"median\": *\([0-9.]*\).*/\1/p" "$1"; }

# How many passes over the lines fill a window.
declare -A windows=()
for preset in "${presets[@]}"; do
  bench "$old" decode "$preset" >"$folder/pass.json"
  windows[$preset]=$(sed -n 's/^  "seconds": *\([0-9.]*\).*/\1/p' "$folder/pass.json" |
    awk -v wanted="$seconds" '{ n = int(wanted / $1) + 1; print n }')
done

printf '%-24s %8s %8s %8s   %s\n' "" median least greatest "target tokens a second, old and new (medians)"
for preset in "${presets[@]}"; do
  for kind in train decode; do
    for ((pair = 1; pair <= pairs; ++pair)); do
      order=(old new)
      ((pair % 2)) || order=(new old)
      for which in "${order[@]}"; do bench "${!which}" $kind "$preset" >"$folder/$preset-$kind-$which-$pair.json"; done
    done
    for ((pair = 1; pair <= pairs; ++pair)); do
      echo "$(value "$folder/$preset-$kind-old-$pair.json") $(value "$folder/$preset-$kind-new-$pair.json")"
    done | awk -v name="$preset, $kind" '
      function median(a, n) { asort_(a, n); return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
      function asort_(a, n, i, j, t) { for (i = 2; i <= n; ++i) for (j = i; j > 1 && a[j] < a[j - 1]; --j) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t } }
      { old[NR] = $1; new[NR] = $2; ratio[NR] = $2 / $1 }
      END { m = median(ratio, NR); printf "%-24s %8.3f %8.3f %8.3f   %.0f %.0f\n", name, m, ratio[1], ratio[NR], median(old, NR), median(new, NR) }'
  done
done
