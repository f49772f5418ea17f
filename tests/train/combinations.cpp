// Prints docs/combinations.md: which parts of a model can be combined, and the error messages for the others.

#include <algorithm>
#include <iostream>

#include "../support/combinations.h"

using namespace seq2seq::test;

namespace {

constexpr const char* introduction = R"(# What can be combined

Made by trying each combination of options; a test compares, and another trains every combination that is
accepted. Rows are encoders and decoders (`--encoder`, `--decoder`, `--decoder.attention`), columns what is
added: `--copying`, `--decoder.coverage`, `--coverage-loss`, `--decoder.context-gate`,
`--scheduled-sampling`. Dot attention is tried with states of equal widths (`--decoder.size`
against `--encoder.size`, twice that if bidirectional). A number is a refusal, explained below.

| encoder | decoder |)";

}  // namespace

int main() {
  std::cout << introduction;
  const auto features = feature_choices();
  for (const auto& feature : features) std::cout << " " << feature.name << " |";
  std::cout << "\n|---|---|";
  for (size_t i = 0; i < features.size(); ++i) std::cout << "---|";
  std::cout << "\n";
  std::vector<std::string> refusals;
  for (const auto& encoder : encoder_choices())
    for (const auto& decoder : decoder_choices()) {
      std::cout << "| " << encoder.name << " | " << decoder.name << " |";
      for (const auto& feature : features) {
        const auto refusal = combined({encoder, decoder, feature}).refusal;
        if (!refusal) {
          std::cout << " yes |";
          continue;
        }
        auto known = std::ranges::find(refusals, *refusal);
        if (known == refusals.end()) known = refusals.insert(refusals.end(), *refusal);
        std::cout << " " << known - refusals.begin() + 1 << " |";
      }
      std::cout << "\n";
    }
  std::cout << "\n";
  for (size_t i = 0; i < refusals.size(); ++i) std::cout << i + 1 << ". " << refusals[i] << "\n";
}
