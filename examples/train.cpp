// A training loop of one's own, from text to an archive: train PAIRS.jsonl MODEL.pt
#include <exception>
#include <iostream>

#include "seq2seq/data/loader.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/new_model.h"
#include "seq2seq/train/update.h"

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: train PAIRS.jsonl MODEL.pt\n";
    return 2;
  }
  try {
    // The keys are those of configuration files; what is left out has its default.
    const auto options = seq2seq::options_from_json<seq2seq::TrainOptions>(R"({
      "text": {"tokenizer": {"type": "word"}, "minimum-frequency": 5},
      "model": {
        "embedding": {"size": 32},
        "encoder": {"type": "rnn", "cell": "gru", "size": 32},
        "decoder": {"type": "rnn", "cell": "gru", "size": 64, "attention": "additive"},
        "copying": true
      },
      "batch": {"batch-unit": "tokens", "batch-size": 512},
      "optimization": {"clip-norm": 5}
    })",
                                                                           "options");
    const uint64_t seed = 1;
    const seq2seq::Corpus corpus({.combined = arguments[1]});
    seq2seq::TranslationModel model = seq2seq::new_model(options, corpus, seed);
    seq2seq::Update update(model.model, options.optimization, seed);
    seq2seq::Loader loader(
        corpus, *model.text.source, *model.text.target,
        {.batch = options.batch, .filter = options.filter, .seed = seed, .form = model.text.form});
    for (int64_t number = 1; number <= 60; ++number) {
      const seq2seq::UpdateResult result = update.run({loader.next().batch}, number, 0.005);
      if (number % 20 == 0)
        std::cout << "update " << number << ": loss "
                  << result.sums.loss / static_cast<double>(result.sums.target_tokens) << " per token\n";
    }
    seq2seq::save_model(model, arguments[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
