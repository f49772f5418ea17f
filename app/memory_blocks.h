#pragma once

namespace seq2seq {

/// Training and search free and take the same large blocks at every step: keeps them rather than asking the
/// kernel each time, which has to clear every page again.
void keep_large_blocks();

}  // namespace seq2seq
