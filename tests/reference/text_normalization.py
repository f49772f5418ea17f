"""Expected values for tests/text: NFKC and lowercase by Python's unicodedata and str.lower, and the first invalid
byte of byte strings by its UTF-8 decoder.

    python3 tests/reference/text_normalization.py     # writes text_normalization.json beside itself
"""

import json
import pathlib
import random
import unicodedata

TEXTS = [
    "Plain ASCII stays.",
    "Ｆｕｌｌ－ｗｉｄｔｈ，１２３",
    "ﬁne ﬂow ½ m² ㎏ № ™ …",
    "a\u00a0b\u3000c\u2009d",
    "e\u0301 cafe\u0301 A\u030a \u212b",
    "q\u0323\u0307 q\u0307\u0323",
    "\uffa1\uffc2 ᄒ\u1161\u11ab 한",
    "ﾊﾞｶﾞ ㍿",
    "ÄÖÜ ẞ Straße ÇĞŞ",
    "ΟΔΟΣ ΣΑΣ Σ ΑΣ. ΑΣ'Α ΟΔΥΣΣΕΥΣ!",
    "İstanbul IĞDIR",
    "ПРИВЕТ, МИР",
    "ǅ Ǆ Ⅷ",
    "𝐁𝐨𝐥𝐝 𝔉 𐐀",
    "שלום עולם مرحبا ﷺ",
    "Σ\u0301 Α\u0301Σ\u0301 Α\u00adΣ",
    "\u00a8 \u00b4x ＄",
    "日本語、中文",
    "👩\u200d🚀 ✌\U0001f3fd 🇩🇪",
    "\u0958 \u09c7\u09be \u0f43",
]

BYTES = [
    b"", b"abc", "ä€😀".encode(), b"\xc0\x80", b"a\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xe0\xa0\x80",
    b"\xed\x9f\xbf", b"\xed\xa0\x80", b"x\xed\xbf\xbf", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80\x80",
    b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"ab\xc3", b"ab\xe2\x82", b"ab\xf0\x9f\x98",
    b"\x80", b"12345678\x80", b"1234567\xc3\xa41234567\xc3", b"\xc3\x28", b"\xe2\x28\xa1", b"\xf0\x9f\x28\x80",
]


def first_invalid(data):
    try:
        data.decode("utf-8")
        return -1
    except UnicodeDecodeError as error:
        return error.start


def random_bytes(count):
    generator = random.Random(7)
    pool = [b"a", b" ", "ß".encode(), "€".encode(), "𝄞".encode(), b"\xc3", b"\xe2\x82", b"\xf0\x9d", b"\x84", b"\xed", b"\xa0"]
    return [b"".join(generator.choices(pool, [9, 9, 4, 4, 4, 1, 1, 1, 1, 1, 1], k=20)) for _ in range(count)]


def main():
    result = {
        "normalization": [
            {
                "text": text,
                "nfkc": unicodedata.normalize("NFKC", text),
                "lowercase": text.lower(),
                "both": unicodedata.normalize("NFKC", text).lower(),
            }
            for text in TEXTS
        ],
        "utf8": [{"hex": data.hex(), "first_invalid": first_invalid(data)} for data in BYTES + random_bytes(60)],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
