#!/usr/bin/env bash
# Builds seq2seq, runs the study of information loss and makes the README's picture again (docs/study.md). About 9
# minutes a seed on two cores; once stopped or killed, the same command goes on.
# usage: scripts/study.sh [FOLDER] [SEEDS]   (default: build/study, 3)
set -euo pipefail
folder=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/../build/study}") seeds=${2:-3}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
scripts/build.sh program
build/release/seq2seq study --config data/studies/information-loss.json --output "$folder" --seeds "$seeds"
cp "$folder/figures/remedy-by-remedy-by-length-exact-but-unseen.svg" docs/images/study.svg
