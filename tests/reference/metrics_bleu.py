"""Writes metrics_bleu.json: BLEU by sacrebleu. Needs sacrebleu 2.6.0."""

import pathlib

import sacrebleu
from sacrebleu.metrics import BLEU

import metrics_cases

TOKENIZERS = ["none", "13a", "char", "intl"]


def record(pairs, tokenizer, lowercase, effective_order=False):
    hypotheses, references = metrics_cases.columns(pairs)
    metric = BLEU(tokenize=tokenizer, lowercase=lowercase, effective_order=effective_order, force=True)
    score = metric.corpus_score(hypotheses, references)
    return {
        "tokenizer": tokenizer,
        "lowercase": lowercase,
        "effective_order": effective_order,
        "score": score.score,
        "precisions": list(score.precisions),
        "matches": list(score.counts),
        "totals": list(score.totals),
        "brevity_penalty": score.bp,
        "ratio": score.ratio,
        "format": score.format(width=2),
        "signature": str(metric.get_signature()),
    }


def main():
    cases = []
    for name, pairs in metrics_cases.corpora().items():
        scores = [record(pairs, t, lowercase) for t in TOKENIZERS for lowercase in (False, True)]
        if len(pairs) == 1:
            scores.append(record(pairs, "13a", False, effective_order=True))
        cases.append({"name": name, "pairs": pairs, "scores": scores})
    words = []
    for text in sorted(
        {t for h, r in metrics_cases.CORPUS + list(metrics_cases.SINGLE.values()) for t in [h, *r]}
    ):
        cut = {t: " ".join(BLEU(tokenize=t).tokenizer(text.rstrip()).split()) for t in TOKENIZERS}
        words.append({"text": text, **cut})
    head = {"sacrebleu": sacrebleu.__version__, "words": words}
    metrics_cases.write_json(pathlib.Path(__file__).with_suffix(".json"), head, cases)


if __name__ == "__main__":
    main()
