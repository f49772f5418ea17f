#pragma once

#include <string>
#include <string_view>

#include "seq2seq/core/error.h"

namespace seq2seq {

/// What becomes of a file whose name ends in .gz where the text is read.
enum class GzipFiles { unpacked, refused };

/// Throws Error if the first bytes of a file show that it is no text in UTF-8: that it is packed, holds other
/// files, or is in UTF-16 or UTF-32. The error says what it is and how to turn it into text.
void require_plain_text(std::string_view first_bytes, const std::string& path,
                        GzipFiles gzip = GzipFiles::unpacked);

/// Of a file that would be a single line because its lines end in carriage returns alone.
Error carriage_returns_alone(const std::string& path);

}  // namespace seq2seq
