#!/usr/bin/env bash
# Adds to what scripts/gpu_pack.sh has packed what scripts/compare/gpu.sh needs besides: OpenNMT-py and CTranslate2 for
# Python 3.12, and text in pieces. Needs no GPU; 17 MiB.
#
# usage: scripts/compare/gpu_pack.sh FOLDER DATA
#   FOLDER  of scripts/gpu_pack.sh, with joint.model
#   DATA    folder with train and test_2016_flickr in .en and .de (Multi30k, raw text)
# From the environment: PYTHON (python3), 3.11 to 3.13, for text in pieces; WHEELS (build/gpu/peers), kept downloads
set -euo pipefail
(($# == 2)) || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
folder=$(realpath "$1") data=$(realpath "$2") python=${PYTHON:-python3}
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "$here/../.."
wheels=${WHEELS:-build/gpu/peers}
[[ -e $folder/joint.model ]] || {
  echo "gpu_pack: $folder/joint.model is missing: scripts/gpu_pack.sh makes it" >&2
  exit 1
}
mkdir -p "$wheels"
wheels=$(realpath "$wheels")
rm -rf "${folder:?}"/{py,enc,compare,ct2.tar.xz} "$wheels/ct2"

grep -v sentencepiece "$here/gpu_peers.txt" >"$wheels/packed.txt"
platforms=()
for platform in 17 27 28; do platforms+=(--platform "manylinux_2_${platform}_x86_64"); done
"$python" -m pip download -q --no-deps --require-hashes --only-binary=:all: --python-version 3.12 --implementation cp \
  "${platforms[@]}" -d "$wheels" -r "$wheels/packed.txt"

mkdir -p "$folder"/{py,enc,compare}
unzip -q "$wheels/OpenNMT_py-*.whl" 'onmt/*' -d "$folder/py"
unzip -q "$wheels/configargparse-*.whl" '*.py' -d "$folder/py"
cp "$here"/stubs/*.py "$folder/py"
# Imported by transforms of text that are not used.
for module in ahocorasick fasttext spacy; do touch "$folder/py/$module.py"; done
echo "fuzz = process = None" >"$folder/py/rapidfuzz.py"

unzip -q "$wheels/ctranslate2-4*.whl" 'ctranslate2/*' 'ctranslate2.libs/*' -d "$wheels/ct2"
find "$wheels/ct2" -name '*.so*' -exec strip -g {} +
tar -C "$wheels/ct2" -cJf "$folder/ct2.tar.xz" ctranslate2 ctranslate2.libs

export PYTHONPATH=$wheels/encoder
"$python" -c "import sentencepiece" 2>/dev/null || {
  grep sentencepiece "$here/gpu_peers.txt" >"$wheels/encoder.txt"
  "$python" -m pip install -q --no-deps --require-hashes --only-binary=:all: --target "$wheels/encoder" \
    -r "$wheels/encoder.txt"
}
for file in train.en train.de test_2016_flickr.en; do
  "$python" "$here/encode.py" "$folder/joint.model" "$data/$file" "$folder/enc/$file" "$folder/enc/vocabulary"
  gzip -9 -n "$folder/enc/$file"
done
cp "$here"/{gpu.sh,gpu.py,onmt_rnn.yaml,onmt_transformer.yaml} "$folder/compare"
du -csh "$folder"/{py,enc,compare,ct2.tar.xz} | tail -n 1
du -sh "$folder"
