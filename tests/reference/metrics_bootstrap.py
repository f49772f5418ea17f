"""Writes metrics_bootstrap.json: sacrebleu's interval and p-value on the draws of our generator.

sacrebleu draws with numpy's generator and sums in float; here its own formulas are applied to the draws of
splitmix64 (written out below) in double, so that the figures can be compared to the last digit.
Needs sacrebleu 2.6.0.
"""

import pathlib

import numpy as np
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import _compute_p_value, estimate_ci

import metrics_cases

MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        limit = MASK - MASK % bound
        value = self.next()
        while value >= limit:
            value = self.next()
        return value % bound


def mix_seed(parts):
    seed = 0x243F6A8885A308D3
    for part in parts:
        seed = SplitMix64(seed ^ SplitMix64(part).next()).next()
    return seed


def draws(sentences, samples, seed):
    generators = (SplitMix64(mix_seed([seed, sample])) for sample in range(samples))
    return np.array([[g.below(sentences) for _ in range(sentences)] for g in generators])


def worsen(text, index):
    """A plausible weaker system: every third sentence loses a word or swaps two."""
    words = text.split(" ")
    if index % 3 == 0 and len(words) > 3:
        return " ".join(words[:1] + words[2:])
    if index % 3 == 1 and len(words) > 3:
        return " ".join(words[:1] + [words[2], words[1]] + words[3:])
    return text


def compare(metric, system, baseline, references, samples, seed):
    indices = draws(len(system), samples, seed)
    scores, totals = [], []
    for hypotheses in (system, baseline):
        statistics = np.array(metric._extract_corpus_statistics(hypotheses, references), dtype="float64")
        score = lambda sums: metric._compute_score_from_stats(list(sums)).score
        totals.append(score(statistics.sum(0)))
        scores.append(np.array([score(statistics[sample].sum(0)) for sample in indices]))
    differences = np.abs(scores[0] - scores[1])
    (mean, half_width), (baseline_mean, baseline_half_width) = estimate_ci(scores[0]), estimate_ci(scores[1])
    return {
        "samples": samples,
        "seed": seed,
        "score": totals[0],
        "baseline_score": totals[1],
        "mean": mean,
        "half_width": half_width,
        "baseline_mean": baseline_mean,
        "baseline_half_width": baseline_half_width,
        "p_value": _compute_p_value(differences - differences.mean(), abs(totals[0] - totals[1])),
        "win_share": float(np.mean(scores[0] > scores[1])),
    }


def main():
    system, references = metrics_cases.columns(metrics_cases.CORPUS)
    weaker = [worsen(text, i) for i, text in enumerate(system)]
    nearly = [text if i != 5 else "Ein Junge wirft einen Ball." for i, text in enumerate(system)]
    cases = []
    for baseline_name, baseline in (("weaker", weaker), ("nearly", nearly), ("same", system)):
        for metric_name, metric in (("bleu", BLEU(force=True)), ("chrf++", CHRF(word_order=2))):
            for samples, seed in ((200, 12345), (39, 7)):
                figures = compare(metric, system, baseline, references, samples, seed)
                cases.append(
                    {"metric": metric_name, "baseline": baseline, "baseline_name": baseline_name, **figures}
                )
    metrics_cases.write_json(
        pathlib.Path(__file__).with_suffix(".json"), {"pairs": metrics_cases.CORPUS}, cases
    )


if __name__ == "__main__":
    main()
