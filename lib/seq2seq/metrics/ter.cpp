#include "seq2seq/metrics/ter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "seq2seq/metrics/ngrams.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/metrics/signature.h"

namespace seq2seq {
namespace {

// In words.
constexpr size_t band_half_width = 25, longest_shift = 10, farthest_shift = 50;
constexpr size_t most_candidates = 1000;  // shifts tried per pair of sentences

/// The alignment of a hypothesis with a reference, and which words of each do not match.
struct Alignment {
  std::vector<size_t> place;  ///< per reference word: how many hypothesis words are aligned up to it
  std::vector<bool> hypothesis_errors, reference_errors;
};

/// Edit distances between prefixes of a hypothesis and of a reference, in a band around the diagonal.
class EditTable {
 public:
  EditTable(const Symbols& hypothesis, const Symbols& reference)
      : height_(hypothesis.size()), width_(reference.size()) {
    const double slope =
        hypothesis.empty() ? 1.0 : static_cast<double>(width_) / static_cast<double>(height_);
    // If lengths differ much, the bands of neighbouring rows would not touch.
    const size_t reach = slope / 2 > band_half_width
                             ? static_cast<size_t>(std::ceil(slope / 2 + band_half_width))
                             : band_half_width;
    rows_.push_back({0, std::vector<Cell>(width_ + 1)});
    for (size_t j = 0; j <= width_; ++j) rows_[0].cells[j] = {j, Edit::insertion};
    for (size_t i = 1; i <= height_; ++i) {
      const auto diagonal = static_cast<size_t>(std::floor(static_cast<double>(i) * slope));
      const size_t begin = diagonal - std::min(diagonal, reach);
      const size_t end = i == height_ ? width_ + 1 : std::min(width_ + 1, diagonal + reach);
      rows_.push_back({begin, {}});
      for (size_t j = begin; j < end; ++j) rows_[i].cells.push_back(best_cell(hypothesis, reference, i, j));
    }
  }

  size_t distance() const { return cell(height_, width_).edits; }

  Alignment alignment() const {
    Alignment result{std::vector<size_t>(width_), std::vector<bool>(height_), std::vector<bool>(width_)};
    for (size_t i = height_, j = width_; i > 0 || j > 0;) {
      const Edit edit = cell(i, j).edit;
      if (edit != Edit::deletion) {
        result.place[j - 1] = i;
        result.reference_errors[j - 1] = edit != Edit::none;
      }
      if (edit != Edit::insertion) result.hypothesis_errors[i - 1] = edit != Edit::none;
      i -= edit != Edit::insertion;
      j -= edit != Edit::deletion;
    }
    return result;
  }

 private:
  enum class Edit : uint8_t { none, substitution, deletion, insertion };
  struct Cell {
    size_t edits = unreachable;
    Edit edit = Edit::none;
  };
  struct Row {
    size_t begin;  ///< the column of the first cell
    std::vector<Cell> cells;
  };
  static constexpr size_t unreachable = std::numeric_limits<size_t>::max() / 2;

  Cell cell(size_t i, size_t j) const {
    const Row& row = rows_[i];
    return j >= row.begin && j < row.begin + row.cells.size() ? row.cells[j - row.begin] : Cell{};
  }

  /// Of equally good edits, the one offered first.
  Cell best_cell(const Symbols& hypothesis, const Symbols& reference, size_t i, size_t j) const {
    Cell best;
    const auto offer = [&](const Cell& before, size_t cost, Edit edit) {
      if (before.edits + cost < best.edits) best = {before.edits + cost, edit};
    };
    if (j > 0) {
      const bool same = hypothesis[i - 1] == reference[j - 1];
      offer(cell(i - 1, j - 1), same ? 0 : 1, same ? Edit::none : Edit::substitution);
    }
    offer(cell(i - 1, j), 1, Edit::deletion);
    if (j > 0) offer(cell(i, j - 1), 1, Edit::insertion);
    return best;
  }

  size_t height_, width_;
  std::vector<Row> rows_;
};

/// Moves the words [begin, end) in front of the word at `target` (an index before the move). A target within
/// [begin, end] moves them by target - begin positions to the right.
Symbols shifted(const Symbols& words, size_t begin, size_t end, size_t target) {
  Symbols result = words;
  const auto at = [&](size_t place) {
    return result.begin() + static_cast<std::ptrdiff_t>(std::min(place, result.size()));
  };
  if (target < begin)
    std::rotate(at(target), at(begin), at(end));
  else
    std::rotate(at(begin), at(end), at(target > end ? target : target + end - begin));
  return result;
}

/// A hypothesis after a shift.
struct Shifted {
  Symbols words;
  size_t distance;  ///< remaining edits
  size_t length, begin, target;

  /// Lower is better: fewer edits, then more words, then the earlier `begin`, then the earlier `target`.
  auto rank() const { return std::tuple(distance, ~length, begin, target); }
};

bool any_in(const std::vector<bool>& errors, size_t begin, size_t length) {
  const auto from = errors.begin() + static_cast<std::ptrdiff_t>(begin);
  return std::find(from, from + static_cast<std::ptrdiff_t>(length), true) !=
         from + static_cast<std::ptrdiff_t>(length);
}

/// Tries to shift runs of words that the reference has elsewhere, where neither run is fully correct yet, to
/// the positions aligned with the reference's run. Counts the shifts in `tried` and stops at the limit.
std::optional<Shifted> best_shift(const Symbols& words, const Symbols& reference, size_t& tried) {
  const Alignment alignment = EditTable(words, reference).alignment();
  std::optional<Shifted> best;
  const auto try_run = [&](size_t begin, size_t in_reference, size_t length) {
    const size_t end = begin + length, aligned = alignment.place[in_reference];
    if (!any_in(alignment.hypothesis_errors, begin, length) ||
        !any_in(alignment.reference_errors, in_reference, length) || (aligned > begin && aligned <= end))
      return;
    std::optional<size_t> before;
    for (size_t k = 0; k <= length; ++k) {
      const size_t next = in_reference + k;  // the run is placed before this reference word
      const size_t target = next == 0 ? 0 : alignment.place[next - 1];
      if (target == before) continue;
      before = target;
      Symbols moved = shifted(words, begin, end, target);
      const size_t distance = EditTable(moved, reference).distance();
      Shifted candidate{std::move(moved), distance, length, begin, target};
      ++tried;
      if (!best || candidate.rank() < best->rank()) best = std::move(candidate);
    }
  };
  for (size_t begin = 0; begin < words.size(); ++begin) {
    const size_t last = std::min(reference.size(), begin + farthest_shift + 1);
    for (size_t other = begin - std::min(begin, farthest_shift); other < last; ++other)
      for (size_t length = 1;
           length <= longest_shift && begin + length <= words.size() && other + length <= reference.size() &&
           words[begin + length - 1] == reference[other + length - 1];
           ++length) {
        try_run(begin, other, length);
        if (tried >= most_candidates) return best;
      }
  }
  return best;
}

size_t edits_between(Symbols words, const Symbols& reference) {
  size_t distance = EditTable(words, reference).distance();
  for (size_t shifts = 0, tried = 0;; ++shifts) {
    auto best = best_shift(words, reference, tried);
    if (tried >= most_candidates || !best || best->distance >= distance) return shifts + distance;
    words = std::move(best->words);
    distance = best->distance;
  }
}

}  // namespace

SentenceStatistics ter_statistics(const ScoredTexts& texts) {
  SentenceStatistics result;
  result.width = 2;  // edits, words of the reference
  for (size_t i = 0; i < texts.hypotheses.size(); ++i) {
    std::vector<std::u32string> lines{lowercase_text(decode_text(texts.hypotheses[i]))};
    for (const auto& reference : texts.references[i]) lines.push_back(lowercase_text(decode_text(reference)));
    SymbolTable<std::u32string_view> table;
    const Symbols hypothesis = table.number(split_words(lines[0]));
    size_t fewest = std::numeric_limits<size_t>::max(), words = 0;
    for (size_t r = 1; r < lines.size(); ++r) {
      const Symbols reference = table.number(split_words(lines[r]));
      fewest = std::min(fewest, edits_between(hypothesis, reference));
      words += reference.size();
    }
    result.values.push_back(static_cast<double>(fewest));
    result.values.push_back(static_cast<double>(words) / static_cast<double>(lines.size() - 1));
  }
  result.score = [](std::span<const double> sums) {
    if (sums[1] > 0) return 100 * (sums[0] / sums[1]);
    return sums[0] > 0 ? 100.0 : 0.0;
  };
  return result;
}

std::string ter_signature(const ScoredTexts& texts) {
  return "nrefs:" + describe_reference_count(texts.references) +
         "|case:lc|tok:tercom|norm:no|punct:yes|asian:no|" + signature_version;
}

}  // namespace seq2seq
