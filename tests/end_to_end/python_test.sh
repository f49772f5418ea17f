#!/usr/bin/env bash
# The Python code in docs/archives.md, and the export of a model.
#   python_test.sh SEQ2SEQ ROOT FOLDER
# Python is $SEQ2SEQ_TEST_PYTHON, else python3; without torch the test is skipped.
set -euo pipefail
program=$1 root=$2 folder=$3/python_test
python=${SEQ2SEQ_TEST_PYTHON:-python3}
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "skipped: $python has no torch; name one that has in SEQ2SEQ_TEST_PYTHON"
  exit 77
fi
rm -rf "$folder"
mkdir -p "$folder/run/best"
cp "$root/models/demo-en-de.pt" "$folder/run/best/model.pt"
cd "$folder"

# Every Python block of the document, in order.
awk '/^```python/ { inside = 1; next } /^```/ { inside = 0 } inside' "$root/docs/archives.md" >snippet.py
[[ -s snippet.py ]]
"$python" -W ignore snippet.py >whole
# The same methods of an archive with weights in int8.
for format in int8 bfloat16; do
  "$program" quantize --quiet --model "$root/models/demo-en-de.pt" --format $format --output run/best/model.pt
  "$python" -W ignore snippet.py >rounded
  [[ -s rounded && $(wc -l <rounded) == $(wc -l <whole) ]]
done

"$python" -W ignore "$root/examples/export_model.py" out
printf 'a small house\nhere is unknown\n\n' >lines
translate() {
  "$program" translate --quiet --model out/model.pt --source-vocabulary out/source.txt \
    --target-vocabulary out/target.txt --input lines --no-replace-unknown "$@"
}
translate --beam-size 1 >greedy
"$python" -W ignore - >expected <<'PYTHON'
import torch
model = torch.jit.load("out/model.pt")
words = ["<pad>", "<unk>", "<s>", "</s>"] + open("out/target.txt").read().split()
ids = {word: 4 + i for i, word in enumerate(open("out/source.txt").read().split())}
for line in open("lines").read().split("\n")[:-1]:
    source = [ids.get(word, 1) for word in line.split()] + [3]
    output, token = [], 2
    if len(source) > 1:
        memory = model.encode(torch.tensor([source]), torch.tensor([len(source)]))
        state = model.start(memory)
        while len(output) < 2 * (len(source) - 1) + 20:
            scores, attention, state = model.step(memory, torch.tensor([token]), state)
            scores[:, [0, 2]] = float("-inf")
            token = int(scores.argmax())
            if token == 3:
                break
            output.append(words[token])
    print(" ".join(output))
PYTHON
cmp greedy expected
[[ $(wc -l <greedy) == 3 ]]
[[ $(translate --n-best 3 --beam-size 4 | grep -c ' ||| ') == 7 ]]  # the empty line has one output
