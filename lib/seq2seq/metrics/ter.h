#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/metrics/scored_texts.h"

namespace seq2seq {

/// Translation edit rate (Snover et al. 2006), the numbers of sacrebleu 2 with its usual settings: how many
/// edits (a word inserted, deleted or replaced, or a run of words moved) turn a hypothesis into the reference
/// that takes fewest, to each 100 words of a reference (of several, their mean number). Words stand between
/// white space; case is ignored. Moves are found greedily among some candidates, edits in a band around the
/// diagonal, so both may be more than the fewest. Lower is better; the score has no upper end.
SentenceStatistics ter_statistics(const ScoredTexts& texts);

/// "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:seq2seq-0.1.0"
std::string ter_signature(const ScoredTexts& texts);

}  // namespace seq2seq
