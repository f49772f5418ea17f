// Translates standard input, a sentence per line: translate MODEL < TEXT
#include <iostream>

#include "seq2seq/decode/models.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/archive/checkpoint.h"

int main(int, char** arguments) {
  const seq2seq::DecodingModels models(seq2seq::load_model(arguments[1]));
  seq2seq::DecodingPool pool(models.scorers());
  seq2seq::Translator translator(models, pool, {.search = {.beam_size = 4}});
  seq2seq::SourceLines input("-");
  for (auto lines = input.read_window(64); !lines.empty(); lines = input.read_window(64))
    for (const auto& translation : translator.translate(lines))
      std::cout << translation.outputs.front().text << "\n";
}
