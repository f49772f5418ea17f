"""Writes metrics_chrf.json: chrF and chrF++ by sacrebleu. Needs sacrebleu 2.6.0."""

import pathlib

import sacrebleu
from sacrebleu.metrics import CHRF

import metrics_cases


def record(pairs, word_order, lowercase):
    hypotheses, references = metrics_cases.columns(pairs)
    metric = CHRF(word_order=word_order, lowercase=lowercase)
    score = metric.corpus_score(hypotheses, references)
    return {
        "word_order": word_order,
        "lowercase": lowercase,
        "score": score.score,
        "name": score.name,
        "signature": str(metric.get_signature()),
    }


def main():
    cases = []
    for name, pairs in metrics_cases.corpora().items():
        scores = [record(pairs, order, lowercase) for order in (0, 2) for lowercase in (False, True)]
        cases.append({"name": name, "pairs": pairs, "scores": scores})
    head = {"sacrebleu": sacrebleu.__version__}
    metrics_cases.write_json(pathlib.Path(__file__).with_suffix(".json"), head, cases)


if __name__ == "__main__":
    main()
