#!/usr/bin/env bash
# Packs what scripts/gpu_check.sh needs on a machine that has a GPU and Python's torch 2.11, but neither a network nor
# our Debian packages: the program and the tests built against that LibTorch, libraries, text, presets. Needs no GPU, but
# nvcc.
#
# usage: scripts/gpu_pack.sh FOLDER DATA [TORCH]
#   FOLDER  where all of it goes, 45 MiB
#   DATA    folder with train, val and test_2016_flickr in .en and .de (Multi30k, raw text)
#   TORCH   the torch folder of the wheel; without it the wheel is downloaded below build/gpu
set -euo pipefail
(($# == 2 || $# == 3)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
data=$(realpath "$2") torch=${3:+$(realpath "$3")}
mkdir -p "$1"
folder=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly build=build/gpu version=2.11.0

if [[ -z $torch ]]; then
  torch=$PWD/$build/wheel/torch
  if [[ ! -e $torch/lib/libtorch_cuda.so ]]; then
    python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
      --platform manylinux_2_28_x86_64 -d $build/wheel torch==$version
    unzip -q $build/wheel/torch-$version-*.whl 'torch/include/*' 'torch/lib/*' -d $build/wheel
  fi
fi

cmake --preset release -B $build -DSEQ2SEQ_TORCH="$torch"
mapfile -t tests < <(cut -d ' ' -f 1 $build/tests/on_device)
cmake --build $build --parallel "$(scripts/jobs.sh)" --target seq2seq_app seq2seq_cuda "${tests[@]}"

rm -rf "${folder:?}"/{bin,lib,data,models,tests,joint.model,work,out}
mkdir -p "$folder"/{bin,lib,data,tests/reference}
cp $build/seq2seq "$folder/bin"
for test in "${tests[@]}"; do cp $build/tests/*/"$test" "$folder/bin"; done
strip "$folder"/bin/*
# What Debian's packages brought; the C and C++ libraries are those of the other machine.
for library in $(LD_LIBRARY_PATH=$torch/lib ldd "$folder"/bin/* | awk '$3 ~ "^(/usr)?/lib/" {print $3}' | sort -u); do
  [[ $library =~ /(ld-linux|lib(c|m|dl|rt|util|pthread|stdc\+\+|gcc_s|gomp)\.) ]] || cp -L "$library" "$folder/lib"
done
cp $build/libseq2seq_cuda.so "$folder/lib"
strip --strip-unneeded "$folder"/lib/*
cp "$data"/{train,val,test_2016_flickr}.{en,de} "$folder/data"
cp -r models "$folder"
rm -f "$folder"/models/*.pt
cp tests/reference/*.json "$folder/tests/reference"
cp $build/tests/on_device scripts/gpu_check.sh scripts/gpu_report.py "$folder"
# The program runs here only where the libraries are that torch loads at its start; otherwise gpu_check.sh makes this model.
libraries=$folder/lib:$torch/lib$(printf ':%s' "$torch"/../nvidia/*/lib):${LD_LIBRARY_PATH:-}
LD_LIBRARY_PATH=$libraries "$folder/bin/seq2seq" vocab --input "$folder"/data/train.{en,de} --type sentencepiece \
  --size 8000 --output "$folder/joint.model" || echo "no SentencePiece model was made"
du -sh "$folder"
