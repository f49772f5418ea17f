#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/metrics/scored_texts.h"

namespace seq2seq {

/// Translation edit rate (Snover et al. 2006), equal to sacrebleu 2 with its default settings: the number of
/// edits (insertion, deletion or substitution of a word, shift of a run of words) that turn a hypothesis
/// into the reference that takes fewest, per 100 words of the reference (of several, their mean length).
/// Words are separated by white space; case is ignored. Shifts are found greedily among a limited number of
/// candidates and edits in a band around the diagonal, so the number may exceed the minimum. Lower is
/// better; there is no upper bound.
SentenceStatistics ter_statistics(const ScoredTexts& texts);

/// "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:seq2seq-0.1.0"
std::string ter_signature(const ScoredTexts& texts);

}  // namespace seq2seq
