// A program of somebody else's: one call into the library without LibTorch, one into the library on it.

#include <torch/types.h>

#include <iostream>

#include "seq2seq/metrics/bleu.h"
#include "seq2seq/nn/masks.h"

int main() {
  const std::string sentence = "a small cat sleeps on the warm mat";
  const double score = seq2seq::corpus_bleu({sentence}, {{sentence}}).score;
  const auto lengths = torch::tensor({2, 3}, torch::kLong);
  const auto mask = seq2seq::length_mask(lengths, torch::zeros({2, 4}, torch::kLong));
  std::cout << "BLEU " << score << ", attended " << mask.sum().item<int64_t>() << " on " << mask.numel()
            << "\n";
}
