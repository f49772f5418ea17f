#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/core/random.h"

namespace seq2seq {

/// A synchronous context-free grammar whose nonterminals carry features (agreement by expansion) and yield
/// several named strings a side (so that a German verb bracket can open and close around its objects); after
/// Aho and Ullman 1969 and, for the several strings, Seki et al. 1991. data/README.md describes the JSON
/// form.
///
/// Every source sentence is meant to have one target: a part that only the target mentions may not have a
/// choice.
class Grammar {
 public:
  struct Pair {
    std::string source, target;
    std::vector<std::string>
        unseen;  ///< words made by generators marked "unseen", which splits may not share
  };

  /// Throws Error naming the file, the nonterminal and the production at fault.
  static Grammar load(const std::string& path);
  static Grammar parse(const std::string& json, const std::string& origin);
  ~Grammar();
  Grammar(Grammar&&) noexcept;
  Grammar& operator=(Grammar&&) noexcept;

  /// Draws one pair; the same state of `random` gives the same pair on every platform.
  Pair sample(Random& random) const;
  const std::string& origin() const;

 private:
  struct Implementation;
  explicit Grammar(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Draws `counts[i]` pairs for each split i. No source occurs twice in all of them, and no "unseen" word
/// occurs in two splits. The splits are filled in a shuffled order, so that all have the same distribution.
/// Throws Error when the grammar has too few sentences.
std::vector<std::vector<Grammar::Pair>> generate_splits(const Grammar& grammar,
                                                        const std::vector<uint64_t>& counts, uint64_t seed);

/// Writes pairs as parallel text, or as one .tsv or .jsonl file (by its name). Files appear whole or not at
/// all.
void write_parallel_text(const std::vector<Grammar::Pair>& pairs, const std::string& source_path,
                         const std::string& target_path);
void write_examples(const std::vector<Grammar::Pair>& pairs, const std::string& path);

}  // namespace seq2seq
