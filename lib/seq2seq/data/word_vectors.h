#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace seq2seq {

/// Calls `use` for each vector of a file, in their order, with its token (any bytes, not always UTF-8) and
/// its `width` numbers, all of them finite: text of GloVe, word2vec or fastText, in which the last `width`
/// fields of a line are the numbers, so that a token may hold spaces; or word2vec's binary form. A file named
/// .gz is unpacked. Warns when a text has another number of vectors than its first line says. Throws Error
/// naming the line, or the number of the vector.
void read_word_vectors(const std::string& path, int64_t width,
                       const std::function<void(std::string_view token, std::span<const float> vector)>& use);

}  // namespace seq2seq
