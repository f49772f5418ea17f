#include "seq2seq/core/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "seq2seq/core/join.h"

namespace seq2seq {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
  std::string best;
  size_t best_distance = name.size() / 3 + 2;  // at most a third of the letters, and one more, may be wrong
  for (const auto& candidate : candidates) {
    // A missing prefix ("layers" for "encoder.layers") is the most common mistake.
    const bool suffix =
        candidate.size() > name.size() + 1 && candidate.ends_with(name) &&
        !std::isalnum(static_cast<unsigned char>(candidate[candidate.size() - name.size() - 1]));
    const size_t distance = suffix ? 1 : edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggest_name(std::string_view name, std::span<const std::string> candidates) {
  if (const auto best = nearest_name(name, candidates); !best.empty()) return "did you mean '" + best + "'?";
  constexpr size_t most = 20;
  if (candidates.size() <= most) return "valid: " + joined(candidates);
  return "valid: " + joined(candidates.first(most)) + ", ...";
}

}  // namespace seq2seq
