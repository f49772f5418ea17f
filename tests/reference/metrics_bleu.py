"""Writes metrics_bleu.json: BLEU by sacrebleu. Needs sacrebleu 2.6.0 and sentencepiece 0.2.

The model of "spm" is metrics_pieces.model, which `metrics_bleu.py --train` makes anew.
"""

import pathlib
import sys
import zlib

import sacrebleu
import sentencepiece
from sacrebleu.metrics import BLEU, bleu
from sacrebleu.tokenizers.tokenizer_spm import TokenizerSPM

import metrics_cases

MODEL = pathlib.Path(__file__).parent / "metrics_pieces.model"
TOKENIZERS = ["none", "13a", "char", "intl", "zh", "pieces"]


class Pieces(TokenizerSPM):
    """sacrebleu's, with another model."""

    def __init__(self):
        self.name = f"spm:{MODEL.name}:{zlib.crc32(MODEL.read_bytes()):08x}"
        self.sp = sentencepiece.SentencePieceProcessor()
        self.sp.Load(str(MODEL))


def train():
    texts = [t for h, r in [*metrics_cases.CORPUS, *metrics_cases.SCRIPTS.values()] for t in [h, *r]]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(MODEL.with_suffix("")),
        vocab_size=400,
        character_coverage=0.98,
        normalization_rule_name="identity",
        split_digits=True,  # "00 0" and "0 00" would be a tie, which versions of sentencepiece break differently
    )
    MODEL.with_suffix(".vocab").unlink()


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
    if "--train" in sys.argv:
        train()
    original = bleu._get_tokenizer
    bleu._get_tokenizer = lambda name: Pieces if name == "pieces" else original(name)
    cases = []
    scripts = {name: [pair] for name, pair in metrics_cases.SCRIPTS.items()}
    for name, pairs in {**metrics_cases.corpora(), **scripts}.items():
        scores = [record(pairs, t, lowercase) for t in TOKENIZERS for lowercase in (False, True)]
        if len(pairs) == 1:
            scores.append(record(pairs, "13a", False, effective_order=True))
        cases.append({"name": name, "pairs": pairs, "scores": scores})
    words = []
    for text in sorted(
        {
            t
            for h, r in [*metrics_cases.CORPUS, *metrics_cases.SINGLE.values(), *metrics_cases.SCRIPTS.values()]
            for t in [h, *r]
        }
    ):
        cut = {t: " ".join(BLEU(tokenize=t).tokenizer(text.rstrip()).split()) for t in TOKENIZERS}
        words.append({"text": text, **cut})
    head = {"sacrebleu": sacrebleu.__version__, "words": words}
    metrics_cases.write_json(pathlib.Path(__file__).with_suffix(".json"), head, cases)


if __name__ == "__main__":
    main()
