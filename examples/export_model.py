"""Exports an encoder-decoder of PyTorch as a TorchScript archive that `seq2seq translate` decodes with:

    python export_model.py out
    seq2seq translate --model out/model.pt --source-vocabulary out/source.txt --target-vocabulary out/target.txt

Put your own weights in place of the random ones. Ids 0 to 3 are <pad>, <unk>, <s> and </s>; a source ends in </s>.
"""
import os
import sys
from typing import List, Tuple

import torch
from torch import Tensor, nn


class Exported(nn.Module):
    def __init__(self, source_words: int, target_words: int, size: int):
        super().__init__()
        self.source_embedding = nn.Embedding(source_words, size)
        self.target_embedding = nn.Embedding(target_words, size)
        self.encoder = nn.GRU(size, size, batch_first=True)
        self.decoder = nn.GRUCell(size, size)
        self.output = nn.Linear(2 * size, target_words)

    @torch.jit.export
    def encode(self, source_ids: Tensor, source_lengths: Tensor) -> List[Tensor]:
        """ids [B, S], lengths [B] -> what is known of each sentence: any tensors with a row a sentence."""
        states = self.encoder(self.source_embedding(source_ids))[0]  # [B, S, H]
        last = states[torch.arange(states.size(0), device=states.device), source_lengths - 1]
        return [states, source_ids.ne(0), last]

    @torch.jit.export
    def start(self, memory: List[Tensor]) -> List[Tensor]:
        """The state before the first word: any tensors with a row a sentence."""
        return [memory[2]]

    @torch.jit.export
    def step(self, memory: List[Tensor], tokens: Tensor, state: List[Tensor]) -> Tuple[Tensor, Tensor, List[Tensor]]:
        """The word before [B] (first <s>) -> log-probabilities [B, V], attention [B, S], the next state."""
        hidden = self.decoder(self.target_embedding(tokens), state[0])  # [B, H]
        scores = torch.bmm(memory[0], hidden.unsqueeze(2)).squeeze(2)  # [B, S]
        attention = scores.masked_fill(~memory[1], float("-inf")).softmax(1)
        context = torch.bmm(attention.unsqueeze(1), memory[0]).squeeze(1)
        return self.output(torch.cat([hidden, context], 1)).log_softmax(1), attention, [hidden]


def main(folder: str) -> None:
    words = {"source": ["a", "small", "house", "is", "here"], "target": ["ein", "kleines", "Haus", "ist", "hier"]}
    os.makedirs(folder, exist_ok=True)
    for side, tokens in words.items():
        with open(os.path.join(folder, side + ".txt"), "w", encoding="utf-8") as file:
            file.writelines(token + "\n" for token in tokens)
    torch.manual_seed(1)
    model = Exported(len(words["source"]) + 4, len(words["target"]) + 4, 16)
    torch.jit.script(model.eval()).save(os.path.join(folder, "model.pt"))


if __name__ == "__main__":
    main(sys.argv[1])
