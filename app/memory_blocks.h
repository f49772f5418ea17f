#pragma once

namespace seq2seq {

/// Training and search free and take the same large blocks at every step: keeps them rather than asking the
/// kernel each time, which has to clear every page again.
void keep_large_blocks();

/// Before the first product: lets oneDNN keep the programs it has made for few shapes only. Decoding meets a
/// new number of rows at every step, and 1,024 programs, its default, take 200 MB. What the user's
/// environment says stands.
void keep_few_shapes();

}  // namespace seq2seq
