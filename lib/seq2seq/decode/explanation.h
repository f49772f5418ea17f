#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/decode/translation.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

/// How an output came about, token by token.
struct Explanation {
  struct Token {
    std::string text;     ///< as it stands in the vocabulary, or in the source when it was copied
    bool copied = false;  ///< copying gave it more probability than the vocabulary did
    int64_t
        source_position;  ///< of the source token it was copied from, or else looked at most; -1 = no word
    double probability;   ///< by either way
    double generation;    ///< p_gen (See et al. 2017, eq. 8); 1 when the model does not copy
    std::vector<double> attention;  ///< of each source token
    std::vector<double> coverage;   ///< attention on each source token before this one
  };
  std::vector<std::string> source;  ///< tokens, </s> last; <s> between the sentences of a document
  std::vector<Token> tokens;        ///< </s> last
};

/// Goes through an output once more, word by word as it was written. The model has attention; `output` is
/// what its own translator made of `source`, which is not empty.
Explanation explain(const TranslationModel& model, const NumberedSource& source,
                    const Translation::Output& output);

/// One line of JSON (docs/formats.md), attention with four decimals. `line` counts from 0, `output` too.
std::string explanation_json(const Explanation& explanation, const Translation::Output& output, int64_t line,
                             int64_t rank);

}  // namespace seq2seq
