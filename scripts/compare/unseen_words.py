"""Share of the reference's words that never occur in training which an output reproduces.

usage: unseen_words.py TRAIN.jsonl TEST.jsonl OUTPUT...
"""
import collections
import json
import re
import sys

train, test, *outputs = sys.argv[1:]


def words(text):
    return re.findall(r"\w+", text)


seen = set()
for line in open(train, encoding="utf-8"):
    example = json.loads(line)
    seen.update(words(example["source"]) + words(example["target"]))
references = [json.loads(line)["target"] for line in open(test, encoding="utf-8")]
for output in outputs:
    found = wanted = 0
    for reference, text in zip(references, open(output, encoding="utf-8"), strict=True):
        unseen = collections.Counter(w for w in words(reference) if w not in seen)
        wanted += unseen.total()
        found += (unseen & collections.Counter(words(text))).total()
    print(f"{output}: {found} of {wanted} unseen words, {100 * found / wanted:.1f}%")
