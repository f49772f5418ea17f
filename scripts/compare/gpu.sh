#!/usr/bin/env bash
# Training and decoding beside OpenNMT-py and CTranslate2 on one GPU, one measurement at a time, with what
# scripts/gpu_pack.sh and scripts/compare/gpu_pack.sh have packed. Prints a table; JSON and logs stay in OUT.
#
# usage: FOLDER/compare/gpu.sh FOLDER [train] [decode]      (default: both)
#   train   rnn-attention and transformer-base with batches of 16,384 tokens of the same text, beside OpenNMT-py
#   decode  batches of 256 lines, every output 15 tokens long: rnn-attention beside OpenNMT-py, a Transformer of 4+4
#           layers, 256/1024, beside CTranslate2
# From the environment:
#   OUT (FOLDER/out)
#   LIMIT (190)            seconds for all of it; what does not fit is left out, the least important last
#   PRECISIONS (float32 tf32 bfloat16) and WORKERS (1 2 4)   of seq2seq, in training and in decoding
#   PEER_SECONDS (7)       of training that are measured of OpenNMT-py
#   PEER_BUCKET (4)        of the lines of Multi30k it sorts together; 1 starts sooner and pads twice as much
#   DECODE_FLAGS           further options of seq2seq bench decode
#   TIMES=1                tells how long each process took
#   CUDNN_ATTENTION=1      leaves OpenNMT-py's attention to cuDNN where PyTorch prefers it
#   DEVICE=cpu QUICK=1     tries the script out with tiny sizes
#   PYTHON (python3)       3.12 with torch 2.11
#   FORK=0                 starts Python anew for each measurement, instead of importing torch once
set -euo pipefail
(($# > 0)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
here=$(dirname "$(realpath "$0")")
folder=$(realpath "$1") python=${PYTHON:-python3}
shift
(($# > 0)) || set -- train decode
out=${OUT:-$folder/out}
work=$folder/work/compare
rm -rf "$work"
mkdir -p "$out" "$work/cuda12"
torch=$("$python" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])')
# CTranslate2 opens cuBLAS by the name that CUDA 12 has for it.
libraries=
while IFS= read -r library; do libraries+=$library:; done < <(find -L "$torch/../nvidia" -type d -name lib 2>/dev/null)
for name in libcublas libcublasLt; do
  found=$(find -L "$torch/../nvidia" -name "$name.so.13" -print -quit 2>/dev/null || true)
  [[ -z $found ]] || ln -s "$(realpath "$found")" "$work/cuda12/$name.so.12"
done
export LD_LIBRARY_PATH=$libraries$work/cuda12${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export OWN_LIBRARIES=$folder/lib:$torch/lib:$LD_LIBRARY_PATH PYTHONPATH=$folder/py:$work
export TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore
tar -C "$work" -xJf "$folder/ct2.tar.xz"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo "no nvidia-smi"
code=0
# The limit is kept within; this is for what hangs.
timeout -k 5 $((${LIMIT:-190} + 10)) "$python" "$here/gpu.py" "$folder" "$work" "$out" "$@" 2>&1 </dev/null |
  tee "$out/compare.txt" || code=$?
(cd "$work" && tar -czf "$out/compare.tar.gz" -- *.out *.err) || true
rm -rf "$work"
find "$folder/py" -name __pycache__ -prune -exec rm -r {} +
exit $code
