#pragma once

#include <string>
#include <string_view>

namespace seq2seq {

/// The stem of a lowercase English word by suffix stripping (Porter 1980, "An algorithm for suffix
/// stripping"), with the changes that NLTK makes by default: a table of irregular forms, "ies" and "ied"
/// after one letter ("dies" -> "die"), "y" to "i" only after a consonant, the suffixes "bli", "fulli" and
/// "logi", words of one or two letters unchanged. Bytes other than a, e, i, o, u and y are consonants.
std::string porter_stem(std::string_view word);

}  // namespace seq2seq
