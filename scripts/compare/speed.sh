#!/usr/bin/env bash
# Training and decoding speed beside OpenNMT-py with the same model, one after the other on the same machine. Prints a
# table of ratios; JSON and logs stay in WORK.
#
# usage: scripts/compare/speed.sh rnn|transformer DATA PEERS WORK [MODEL]
#   rnn          the model of models/rnn-attention.json
#   transformer  4+4 layers of width 256, inner width 1,024, 4 heads, all embeddings tied
#   DATA   folder with train.en, train.de, val.en, val.de, test_2016_flickr.en (Multi30k, raw text)
#   PEERS  folder with two virtual environments: onmt (OpenNMT-py 3.5.1, numpy<2) and pt (sentencepiece)
#   WORK   scratch folder
#   MODEL  a run of that model to decode with; without it only training is compared
# From the environment: ROUNDS (2), THREADS (2), PEER_SECONDS (150): training time of the peer in a round
set -euo pipefail
(($# == 4 || $# == 5)) && [[ $1 == rnn || $1 == transformer ]] || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
architecture=$1 data=$(realpath "$2") peers=$(realpath "$3") model=${5:+$(realpath "$5")}
mkdir -p "$4"
work=$(realpath "$4")/$architecture
mkdir -p "$work"
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "$here/../.."
seq2seq=build/release/seq2seq
export OMP_NUM_THREADS=${THREADS:-2} MKL_NUM_THREADS=${THREADS:-2} CUDA_VISIBLE_DEVICES=
rounds=${ROUNDS:-2}
case $architecture in
  rnn) own=(--config models/rnn-attention.json) ;;
  transformer)
    own=(--config models/transformer.json --embedding.size 256)
    for side in encoder decoder; do
      own+=("--$side.inner-size" 1024 "--$side.attention-dropout" 0.1 "--$side.activation-dropout" 0.3)
    done
    ;;
esac

[[ -e $work/joint.model ]] || "$seq2seq" vocab --input "$data/train.en" "$data/train.de" --type sentencepiece \
  --size 8000 --output "$work/joint.model"
for file in train.en train.de val.en val.de test_2016_flickr.en; do
  [[ -e $work/$file ]] || "$peers/pt/bin/python" "$here/encode.py" "$work/joint.model" "$data/$file" "$work/$file" \
    "$work/vocabulary"
done

number() { sed -n 's/.*"'"$1"'": *\([0-9.]*\).*/\1/p' "$2" | head -1; }
speed() { grep -A1 '"target_tokens_per_second"' "$1" | sed -n 's/.*"median": *\([0-9.]*\).*/\1/p'; }

peer_train() { # ROUND -> tokens/s, median of its own windows after the first three
  rm -rf "$work/peer"
  mkdir -p "$work/peer"
  timeout -s TERM "${PEER_SECONDS:-150}" "$peers/onmt/bin/onmt_train" -config "$here/onmt_$architecture.yaml" \
    -data "{train: {path_src: $work/train.en, path_tgt: $work/train.de, transforms: [], weight: 1}, valid: {path_src: $work/val.en, path_tgt: $work/val.de, transforms: []}}" \
    -src_vocab "$work/vocabulary" -tgt_vocab "$work/vocabulary" -save_model "$work/peer/model" \
    -save_checkpoint_steps 20 -keep_checkpoint 1 -train_steps 1000000 -valid_steps 1000000 -report_every 5 \
    >"$work/peer_train.$1.log" 2>&1 || [[ $? == 124 ]] || { tail -3 "$work/peer_train.$1.log" >&2; exit 1; }
  sed -n 's|.*; *[0-9]*/ *\([0-9]*\) tok/s.*|\1|p' "$work/peer_train.$1.log" | tail -n +4 | sort -n |
    awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}
own_train() { # ROUND PRECISION
  "$seq2seq" bench train "${own[@]}" --batch-size 4096 --precision "$2" --threads \
    "$OMP_NUM_THREADS" --train-source "$data/train.en" --train-target "$data/train.de" \
    --tokenizer.model "$work/joint.model" --windows 5 --window-seconds 10 --warmup-seconds 10 \
    >"$work/train.$2.$1.json"
  speed "$work/train.$2.$1.json"
}
peer_decode() { # ROUND BEAM: BEAM 1 is the toolkit's greedy search
  local greedy=()
  (($2 > 1)) || greedy=(-random_sampling_topk 1)
  "$peers/onmt/bin/onmt_translate" -model "$(ls "$work"/peer/model_step_*.pt | tail -1)" -src "$work/test_2016_flickr.en" \
    -output "$work/peer_decode.$2.txt" -beam_size "$2" "${greedy[@]}" -batch_size 32 -batch_type sents \
    -min_length 15 -max_length 15 -report_time >"$work/peer_decode.$2.$1.log" 2>&1
  awk -v words="$(wc -w <"$work/peer_decode.$2.txt")" '/Total translation time/ {print words / $NF}' \
    "$work/peer_decode.$2.$1.log"
}
own_decode() { # ROUND BEAM
  "$seq2seq" bench decode --model "$model" --input "$data/test_2016_flickr.en" --beam-size "$2" --batch-size 32 \
    --min-length 15 --max-length 15 --threads "$OMP_NUM_THREADS" --windows 3 >"$work/decode.$2.$1.json"
  speed "$work/decode.$2.$1.json"
}
row() { # NAME OWN PEER
  awk -v name="$1" -v own="$2" -v peer="$3" 'BEGIN {printf "%-34s %10.0f %12.0f %8.2f\n", name, own, peer, own / peer}'
}

printf '%-34s %10s %12s %8s\n' "target tokens/s" seq2seq OpenNMT-py ratio
for ((round = 1; round <= rounds; ++round)); do
  peer=$(peer_train "$round")
  row "train, 4096 tokens, float32" "$(own_train "$round" float32)" "$peer"
  row "train, 4096 tokens, auto" "$(own_train "$round" auto)" "$peer"
  [[ -n $model ]] || continue
  row "decode, beam 5, batch 32" "$(own_decode "$round" 5)" "$(peer_decode "$round" 5)"
  row "decode, greedy, batch 32" "$(own_decode "$round" 1)" "$(peer_decode "$round" 1)"
done
echo "GEMM speed of the machine: $(number machine_gemm_gflops "$work/train.float32.1.json") GFLOP/s;" \
  "share reached in float32 training: $(number gemm_share "$work/train.float32.1.json")"
