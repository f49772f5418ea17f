#!/usr/bin/env bash
# Decoding speed beside OpenNMT-py (recurrent model) and CTranslate2 (Transformer), one after the other on the same
# machine, every output forced to 15 pieces, loading excluded. Prints a table; JSON and logs stay in WORK.
#
# usage: scripts/compare/decoding.sh DATA PEERS WORK RNN TRANSFORMER [SHORTLIST]
#   DATA         folder with train.en, train.de, val.en, val.de, test_2016_flickr.en (Multi30k, raw text)
#   PEERS        folder with two virtual environments: onmt (OpenNMT-py 3.5.1, numpy<2, ctranslate2) and pt
#                (sentencepiece, ctranslate2)
#   WORK         scratch folder; models of the peers that are there are not trained again
#   RNN          a run of models/rnn-attention.json
#   TRANSFORMER  a run of 4+4 layers of width 256, inner width 1,024, 4 heads, all embeddings tied (as in speed.sh)
#   SHORTLIST    of RNN, made by seq2seq shortlist
# From the environment: ROUNDS (2). Two threads; single lines are also decoded by two workers of one thread each.
set -euo pipefail
(($# == 5 || $# == 6)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
data=$(realpath "$1") peers=$(realpath "$2") rnn=$(realpath "$4") transformer=$(realpath "$5")
shortlist=${6:+$(realpath "$6")}
mkdir -p "$3"
work=$(realpath "$3")
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "$here/../.."
seq2seq=${SEQ2SEQ:-build/release/seq2seq}
export CUDA_VISIBLE_DEVICES=
input=$data/test_2016_flickr.en

[[ -e $work/joint.model ]] || "$seq2seq" vocab --input "$data/train.en" "$data/train.de" --type sentencepiece \
  --size 8000 --output "$work/joint.model"
for file in train.en train.de val.en val.de test_2016_flickr.en; do
  [[ -e $work/$file ]] || "$peers/pt/bin/python" "$here/encode.py" "$work/joint.model" "$data/$file" "$work/$file" \
    "$work/vocabulary"
done

peer_model() { # rnn|transformer: what is trained does not matter to the time of outputs of one length
  [[ -e $work/$1.pt ]] && return
  OMP_NUM_THREADS=2 MKL_NUM_THREADS=2 "$peers/onmt/bin/onmt_train" -config "$here/onmt_$1.yaml" \
    -data "{train: {path_src: $work/train.en, path_tgt: $work/train.de, transforms: [], weight: 1}, valid: {path_src: $work/val.en, path_tgt: $work/val.de, transforms: []}}" \
    -src_vocab "$work/vocabulary" -tgt_vocab "$work/vocabulary" -save_model "$work/peer_$1" \
    -save_checkpoint_steps 10 -train_steps 10 -valid_steps 1000 >"$work/peer_$1.log" 2>&1
  mv "$work/peer_$1_step_10.pt" "$work/$1.pt"
}
peer_model rnn
peer_model transformer
if [[ ! -d $work/ct2 ]]; then # the converter knows this attention by another name
  "$peers/onmt/bin/python" - "$work/transformer.pt" "$work/renamed.pt" <<'PYTHON'
import sys, torch
checkpoint = torch.load(sys.argv[1], map_location="cpu")
checkpoint["opt"].self_attn_type = "scaled-dot"
checkpoint.pop("optim", None)
torch.save(checkpoint, sys.argv[2])
PYTHON
  "$peers/onmt/bin/ct2-opennmt-py-converter" --model_path "$work/renamed.pt" --output_dir "$work/ct2" \
    --quantization float32 --unsafe_deserialization >"$work/convert.log" 2>&1
fi

onmt() { # BEAM BATCH
  local greedy=()
  (($1 > 1)) || greedy=(-random_sampling_topk 1)
  OMP_NUM_THREADS=2 MKL_NUM_THREADS=2 "$peers/onmt/bin/onmt_translate" -model "$work/rnn.pt" \
    -src "$work/test_2016_flickr.en" -output "$work/onmt.txt" -beam_size "$1" "${greedy[@]}" -batch_size "$2" \
    -batch_type sents -min_length 15 -max_length 15 -report_time >"$work/onmt.$1.$2.log" 2>&1
  awk -v words="$(wc -w <"$work/onmt.txt")" '/Total translation time/ {print words / $NF}' "$work/onmt.$1.$2.log"
}
ct2() { # BEAM BATCH: two workers of one thread
  OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 "$peers/pt/bin/python" - "$work/ct2" "$work/test_2016_flickr.en" "$1" "$2" <<'PYTHON'
import sys, time
import ctranslate2
folder, source, beam, batch = sys.argv[1:]
translator = ctranslate2.Translator(folder, device="cpu", compute_type="float32", inter_threads=2, intra_threads=1)
lines = [line.split() for line in open(source, encoding="utf-8")]
options = dict(beam_size=int(beam), max_batch_size=int(batch), min_decoding_length=15, max_decoding_length=15)
translator.translate_batch(lines[:64], **options)
begin = time.perf_counter()
results = translator.translate_batch(lines, **options)
print(sum(len(result.hypotheses[0]) for result in results) / (time.perf_counter() - begin))
PYTHON
}
own() { # NAME MODEL BEAM BATCH [FLAG...]
  local name=$1 model=$2 beam=$3 batch=$4
  shift 4
  "$seq2seq" bench decode --model "$model" --input "$input" --beam-size "$beam" --batch-size "$batch" --min-length 15 \
    --max-length 15 --threads 2 --windows 3 "$@" >"$work/$name.json"
  grep -A1 '"target_tokens_per_second"' "$work/$name.json" | sed -n 's/.*"median": *\([0-9.]*\).*/\1/p'
}
row() { # NAME OWN PEER
  awk -v name="$1" -v own="$2" -v peer="$3" 'BEGIN {printf "%-52s %8.0f %8.0f %6.2f\n", name, own, peer, own / peer}'
}

printf '%-52s %8s %8s %6s\n' "output tokens/s" seq2seq peer ratio
for ((round = 1; round <= ${ROUNDS:-2}; ++round)); do
  row "RNN, OpenNMT-py, beam 5, batch 32" "$(own rnn.5.32 "$rnn" 5 32)" "$(onmt 5 32)"
  row "RNN, OpenNMT-py, greedy, batch 32" "$(own rnn.1.32 "$rnn" 1 32)" "$(onmt 1 32)"
  single=$(onmt 5 1)
  row "RNN, OpenNMT-py, beam 5, single lines, two workers" "$(own rnn.5.1 "$rnn" 5 1)" "$single"
  row "RNN, OpenNMT-py, beam 5, one stream of single lines" \
    "$(own rnn.stream "$rnn" 5 1 --one-by-one --workers 1)" "$single"
  [[ -z $shortlist ]] || row "RNN, beam 5, batch 32, with / without a shortlist" \
    "$(own rnn.short "$rnn" 5 32 --shortlist "$shortlist")" "$(own rnn.5.32 "$rnn" 5 32)"
  row "Transformer, CTranslate2 float32, beam 5, batch 32" "$(own t.5.32 "$transformer" 5 32)" "$(ct2 5 32)"
  row "Transformer, CTranslate2 float32, greedy, batch 32" "$(own t.1.32 "$transformer" 1 32)" "$(ct2 1 32)"
  row "Transformer, CTranslate2 float32, beam 5, single lines" "$(own t.5.1 "$transformer" 5 1)" "$(ct2 5 1)"
done
echo "one stream, milliseconds a line: $(grep -A3 latency_milliseconds "$work/rnn.stream.json" | tr -d '\n {}')"
