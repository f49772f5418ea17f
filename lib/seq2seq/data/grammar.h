#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/core/random.h"

namespace seq2seq {

/// A synchronous context-free grammar (Aho and Ullman 1969) whose nonterminals carry features (agreement by
/// expansion) and yield several named strings per side (Seki et al. 1991), so that a German verb bracket can
/// open and close around its objects. data/README.md describes the JSON form.
///
/// Every source sentence is meant to have one target: what only the target mentions must not have a choice.
class Grammar {
 public:
  struct Pair {
    std::string source, target;
    /// Words of generators marked "unseen", which splits must not share.
    std::vector<std::string> unseen;
  };

  /// Throws Error naming the file, the nonterminal and the production at fault.
  static Grammar load(const std::string& path);
  /// `most_bytes`: what texts and names may take once each feature has each value. Memory is about four times that.
  static Grammar parse(const std::string& json, const std::string& origin,
                       size_t most_bytes = size_t{128} << 20);
  ~Grammar();
  Grammar(Grammar&&) noexcept;
  Grammar& operator=(Grammar&&) noexcept;

  /// Samples one pair; the same state of `random` yields the same pair on every platform.
  Pair sample(Random& random) const;
  const std::string& origin() const;

 private:
  struct Implementation;
  explicit Grammar(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Samples `counts[i]` pairs for each split i. All sources differ, and no "unseen" word occurs in two splits.
/// The splits are filled in a shuffled order, so that all have the same distribution. Throws Error when the
/// grammar has too few sentences.
std::vector<std::vector<Grammar::Pair>> generate_splits(const Grammar& grammar,
                                                        const std::vector<uint64_t>& counts, uint64_t seed);

/// Writes pairs as parallel text, or as one .tsv or .jsonl file (by its name), each file atomically.
void write_parallel_text(const std::vector<Grammar::Pair>& pairs, const std::string& source_path,
                         const std::string& target_path);
void write_examples(const std::vector<Grammar::Pair>& pairs, const std::string& path);

}  // namespace seq2seq
