"""Cuts text into pieces for toolkits that read tokens. usage: encode.py MODEL INPUT OUTPUT [VOCABULARY]

With VOCABULARY, also writes the model's pieces, one a line with a count, as OpenNMT-py reads them.
"""
import sys

import sentencepiece

model, source, target, *vocabulary = sys.argv[1:]
pieces = sentencepiece.SentencePieceProcessor(model_file=model)
with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
    for line in lines:
        out.write(" ".join(pieces.encode(line.rstrip("\n"), out_type=str)) + "\n")
if vocabulary:
    with open(vocabulary[0], "w", encoding="utf-8") as out:
        for i in range(pieces.get_piece_size()):
            blank = not pieces.id_to_piece(i).strip()  # white space of some kind, which the reader cannot tell apart
            if not (blank or pieces.is_control(i) or pieces.is_unknown(i)):
                out.write(f"{pieces.id_to_piece(i)}\t1\n")
