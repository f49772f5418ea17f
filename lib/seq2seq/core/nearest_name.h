#pragma once

#include <span>
#include <string>
#include <string_view>

namespace seq2seq {

/// The candidate with the smallest edit distance to `name`; empty when none is near enough to be a likely
/// slip.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// "did you mean 'x'?", or "valid: a, b, c" when nothing is near (at most 20 names are listed).
std::string suggest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace seq2seq
