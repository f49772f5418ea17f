// A layer of the library in a program of one's own: what a query sees of a padded batch, with gradients.
#include <torch/types.h>

#include <iostream>

#include "seq2seq/nn/layers/attention/kinds.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/masks.h"

int main() {
  const int64_t sentences = 2, words = 4, width = 8;
  const auto attention = seq2seq::make_attention(seq2seq::AdditiveAttention{},
                                                 {.query = width, .memory = width, .hidden = width});
  seq2seq::Initializer initializer(1, 0.1);
  attention->initialize(initializer);

  const torch::Tensor states = torch::ones({sentences, words, width}).set_requires_grad(true);
  const torch::Tensor mask = seq2seq::length_mask(torch::tensor({2, 3}, torch::kLong),
                                                  torch::zeros({sentences, words}, torch::kLong));
  const seq2seq::AttentionResult result =
      attention->forward(torch::ones({sentences, width}), attention->prepare(states, mask));
  result.context.sum().backward();
  std::cout << "weights\n"
            << result.weights.detach() << "\nof padding "
            << result.weights.masked_select(~mask).sum().item<double>() << ", gradient of the states "
            << states.grad().sum().item<double>() << "\n";
}
