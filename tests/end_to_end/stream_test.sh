#!/usr/bin/env bash
# Two thousand mixed lines through stdin: each is answered in its place, bad ones are reported.
#   stream_test.sh SEQ2SEQ ROOT FOLDER
set -euo pipefail
program=$1 root=$2 folder=$3/stream_test
model=$root/models/demo-en-de.pt
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

awk 'NR % 10 == 1 {print ""; next}
     NR % 10 == 2 {print $1; next}
     NR % 10 == 3 {for (i = 0; i < 25; ++i) printf "%s ", $0; print ""; next}
     NR % 10 == 4 {printf "bad \377 %s\n", $0; next}
     NR % 10 == 5 {print "\360\237\230\200 " $0; next}
     NR % 10 == 6 {gsub(" ", "\t"); print; next}
     {print}' <(for _ in 1 2 3 4; do cat "$root/data/translation/test.en"; done) >lines
awk 'BEGIN {for (i = 0; i < 600000; ++i) printf "a "; print ""}' >long
{ head -n 1000 lines; cat long; tail -n +1001 lines; } >input

status=0
"$program" translate --model "$model" --beam-size 1 --max-wait-ms 5 <input \
  >output 2>messages || status=$?
[[ $status == 1 ]] # some lines could not be read
[[ $(wc -l <output) == 2001 ]]
[[ $(grep -c '^warning: standard input:[0-9]*: .*(its output line is empty)' messages) == 201 ]]
# Only bad and empty lines have empty outputs; a line has the same output alone and among others.
paste -d '|' <(cut -c 1-200 input | LC_ALL=C sed 's/\xff/BAD/') output | LC_ALL=C awk -F '|' '
  {wanted_empty = $1 == "" || $1 ~ /^bad BAD/ || NR == 1001}
  ($2 == "") != wanted_empty {if (!failed) print "line " NR ": " $0; failed = 1}
  END {exit failed}'
LC_ALL=C sed -n '7p;8p;9p' input >three
"$program" translate --quiet --model "$model" --beam-size 1 --input three >alone
sed -n '7p;8p;9p' output | cmp - alone
