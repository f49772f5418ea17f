#pragma once

#include <string>

namespace seq2seq {

/// Whether two names lead to one regular file, existing or not.
bool same_file(const std::string& a, const std::string& b);

}  // namespace seq2seq
