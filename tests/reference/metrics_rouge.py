"""Writes metrics_rouge.json: ROUGE by rouge-score, and metrics_stems.json: NLTK's stems of a word list.

Needs rouge-score 0.1.2 and nltk 3.10.
"""

import itertools
import json
import pathlib
import unicodedata

from nltk.stem import porter
from rouge_score import rouge_scorer, tokenize, tokenizers

import metrics_cases

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


BY_CHARACTER = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC ",
    "HIRAGANA ",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "THAI ",
)


class UnicodeTokenizer(tokenizers.Tokenizer):
    """Case-folded runs of letters, marks and digits; Han, kana and Thai by character."""

    def tokenize(self, text):
        spaced = ""
        for c in text.casefold():
            name, category = unicodedata.name(c, ""), unicodedata.category(c)
            if category[0] not in "LM" and category != "Nd" and name != "IDEOGRAPHIC NUMBER ZERO":
                spaced += " "
            elif name.startswith(BY_CHARACTER):
                spaced += f" {c} "
            else:
                spaced += c
        return spaced.split()


class CharacterTokenizer(tokenizers.Tokenizer):
    """Every character but white space, case-folded."""

    def tokenize(self, text):
        return list("".join(text.casefold().split()))


TOKENIZERS = {"rouge-score": None, "unicode": UnicodeTokenizer(), "char": CharacterTokenizer()}


def record(pairs, stem, tokenizer="rouge-score"):
    scorer = rouge_scorer.RougeScorer(TYPES, use_stemmer=stem, tokenizer=TOKENIZERS[tokenizer])
    scored = [scorer.score_multi(references, hypothesis) for hypothesis, references in pairs]
    return {
        "tokenizer": tokenizer,
        "stem": stem,
        **{
            t: {
                part: sum(getattr(s[t], part) for s in scored) / len(scored)
                for part in ("precision", "recall", "fmeasure")
            }
            for t in TYPES
        },
    }


# Bases and suffixes, combined below, so that every rule of every step meets stems of measure 0, 1 and more.
BASES = (
    """a be ti sk bl at rat hop fall fil hiss fizz tann troubl conflat siz plaster motor agr f pon cat care
 caress happ enjo sp fl tr geo archaeo theo radic differ vil analog vietnam predic oper feud decis hope
 call form sens electr triplic good reviv allow infer airlin gyroscop adjust defens irrit replac depend
 adopt homolog commun activ angular effect bowdler prob rat ceas control roll syzyg toy yell x y1 b2b
 1990 str oat ivy tree troub priv orrer skill will box wax cow nation ration condition digit conform
 hesit val use""".split()
)
SUFFIXES = (
    """s es ies sses ss ed ied eed ing y ly ily ational tional enci ency anci ancy izer bli ably alli ally
 entli ently eli ely ousli ously ization ation ator alism iveness fulness ousness aliti ality iviti
 ivity biliti bility fulli fully logi logy icate ative alize iciti icity ical ful ness al ance ence er
 ic able ible ant ement ment ent sion tion ion ou ism ate iti ous ive ize e ll lle le ationally
 rationalli yy eds ings inging eding""".split()
)
IRREGULAR = (
    """sky skies dying lying tying news inning innings outing outings canning cannings howe proceed exceed
 succeed dies died ties tied lies lied pies spied spies flies cries a is by yes was us ness ing eed ed y
 yy yyy yyyy ayyb byyyb relational rationally generalizations oscillators multidimensional
 characterization""".split()
)


def stems():
    stemmer = porter.PorterStemmer()
    words = set(IRREGULAR) | set(BASES) | {b + s for b, s in itertools.product(BASES, SUFFIXES)}
    for hypothesis, references in metrics_cases.CORPUS + list(metrics_cases.SINGLE.values()):
        for text in [hypothesis, *references]:
            words |= set(tokenize.tokenize(text, None))
    return [[word, stemmer.stem(word)] for word in sorted(words)]


def main():
    settings = [(False, "rouge-score"), (True, "rouge-score"), (False, "unicode"), (False, "char")]
    corpora = metrics_cases.corpora()
    corpora.update({name: [pair] for name, pair in metrics_cases.SCRIPTS.items()})
    cases = [
        {"name": name, "pairs": pairs, "scores": [record(pairs, *setting) for setting in settings]}
        for name, pairs in corpora.items()
    ]
    words = [
        {"text": text, "unicode": TOKENIZERS["unicode"].tokenize(text), "char": TOKENIZERS["char"].tokenize(text)}
        for hypothesis, references in metrics_cases.SCRIPTS.values()
        for text in [hypothesis, *references]
    ]
    folder = pathlib.Path(__file__).parent
    metrics_cases.write_json(folder / "metrics_rouge.json", {"rouge_score": "0.1.2", "words": words}, cases)
    lines = ",\n".join(json.dumps(pair) for pair in stems())
    (folder / "metrics_stems.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
