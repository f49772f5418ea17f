#include "seq2seq/decode/hypothesis.h"

#include "seq2seq/core/error.h"

namespace seq2seq {

const char* reason_of(NoOutput why) {
  switch (why) {
    case NoOutput::none:
      break;
    case NoOutput::rules:
      return "the rules left no word to write";
    case NoOutput::zeros:
      return "the model gave every word that could follow the probability 0";
    case NoOutput::endless:
      return "the model gave the end of every output of the maximum length the probability 0";
    case NoOutput::not_numbers:
      return "the model's probabilities are not numbers (NaN)";
    case NoOutput::not_distribution:
      return "the model's probabilities do not sum to 1, not even within 5%";
  }
  return "";
}

const Hypothesis& SentenceOutputs::best() const {
  if (empty())
    throw Error("model", std::string("has no output for a sentence: ") + reason_of(why),
                "use an earlier checkpoint");
  return front();
}

}  // namespace seq2seq
