#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/decode/translation.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

/// How an output was generated, token by token.
struct Explanation {
  struct Token {
    std::string text;     ///< of the vocabulary, or the source's surface form if not in it
    bool copied = false;  ///< copying contributes more of its probability than generation
    /// Of the source token that it was copied from, else of the most attended one; -1 = none.
    int64_t source_position;
    double probability;             ///< of generating or copying it, together
    double generation;              ///< p_gen (See et al. 2017, eq. 8); 1 when the model does not copy
    std::vector<double> attention;  ///< of each source token
    std::vector<double> coverage;   ///< sum of earlier attention on each source token
  };
  std::vector<std::string> source;  ///< tokens, </s> last; <s> between the sentences of a document
  std::vector<Token> tokens;        ///< </s> last
};

/// Runs the model over an output again, teacher-forced. The model must have attention; `output` must be its
/// own translation of `source`, which must not be empty.
Explanation explain(const TranslationModel& model, const NumberedSource& source,
                    const Translation::Output& output);

/// One line of JSON (docs/formats.md), attention with four decimals. `line` and `rank` count from 0.
std::string explanation_json(const Explanation& explanation, const Translation::Output& output, int64_t line,
                             int64_t rank);

}  // namespace seq2seq
