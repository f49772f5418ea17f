"""Writes metrics_ter.json: TER by sacrebleu, of corpora and of their sentences. Needs sacrebleu 2.6.0."""

import pathlib

import sacrebleu
from sacrebleu.metrics import TER

import metrics_cases

# What shifts do, and where their limits lie.
SHIFTS = {
    "a run moved": ("d e a b c", ["a b c d e"]),
    "two runs moved": ("c d x y a b", ["a b x c d y"]),
    "a move that saves nothing": ("b a c", ["a b d"]),
    "moved and wrong": ("on the mat the cat sat down", ["the cat sat on the rug"]),
    "a run within itself": ("a a b a b a c", ["b a a c a b a"]),
    "longest run that moves": (" ".join("abcdefghijklxyz"), [" ".join("xyzabcdefghijkl")]),
    "farther than moves go": (
        "x " + " ".join(f"w{i}" for i in range(60)),
        [" ".join(f"w{i}" for i in range(60)) + " x"],
    ),
    "more candidates than are tried": (
        " ".join("abcab"[i % 5] for i in range(60)),
        [" ".join("bacca"[i % 5] for i in range(60))],
    ),
    "much shorter": ("a b", [" ".join("abcd"[i % 4] for i in range(130))]),
    "much longer": (" ".join("abcd"[i % 4] for i in range(130)), ["a b"]),
    "the reference with fewest edits": ("a b c", ["x y z w v", "a b d", ""]),
}


def record(pairs):
    hypotheses, references = metrics_cases.columns(pairs)
    metric = TER()
    score = metric.corpus_score(hypotheses, references)
    signature = str(metric.get_signature())  # before sentences with other numbers of references
    return {
        "score": score.score,
        "edits": score.num_edits,
        "reference_words": score.ref_length,
        "sentences": [metric.sentence_score(h, r).score for h, r in pairs],
        "signature": signature,
    }


def main():
    corpora = metrics_cases.corpora()
    corpora.update({"one: " + name: [pair] for name, pair in SHIFTS.items()})
    corpora["shifts"] = list(SHIFTS.values())
    cases = [{"name": name, "pairs": pairs, **record(pairs)} for name, pairs in corpora.items()]
    head = {"sacrebleu": sacrebleu.__version__}
    metrics_cases.write_json(pathlib.Path(__file__).with_suffix(".json"), head, cases)


if __name__ == "__main__":
    main()
