#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/core/options.h"

namespace seq2seq {

struct NormalizationOptions {
  bool nfkc = false;
  bool lowercase = false;
  static void fields(auto& o, auto& f) {
    f("nfkc", o.nfkc, "Unicode NFKC: full-width letters, ligatures and the like become plain ones");
    f("lowercase", o.lowercase, "lowercase the text (the model then writes lowercase)");
  }
};

/// NFKC (Unicode Standard Annex 15), then lowercase with the language-independent special cases (final sigma,
/// dotted capital I). `text` is valid UTF-8.
std::string normalize(std::string_view text, const NormalizationOptions& options);

/// Normalized text and, for each of its bytes, the offset in the original text.
struct NormalizedText {
  std::string text;
  std::vector<size_t> origins;  ///< one more than `text` has bytes, ascending; empty = identity
  /// Offset in the original text of byte `at` of `text`. Where one character became several, the first of
  /// them covers the whole original and the others cover nothing.
  size_t origin(size_t at) const { return origins.empty() ? at : origins[at]; }
};
NormalizedText normalize_with_origins(std::string_view text, const NormalizationOptions& options);

}  // namespace seq2seq
