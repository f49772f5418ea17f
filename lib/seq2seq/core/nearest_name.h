#pragma once

#include <span>
#include <string>
#include <string_view>

namespace seq2seq {

/// The candidate with the smallest edit distance to `name`; empty if none is close enough for a typing error.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// "did you mean 'x'?", or "valid: a, b, c" if none is close (at most 20 names are listed).
std::string suggest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace seq2seq
