#pragma once

namespace seq2seq {

/// Makes malloc keep freed memory: training and search allocate the same large blocks at every step, whose
/// pages the kernel would have to clear each time.
void keep_large_blocks();

/// Limits the number of primitives that oneDNN caches, one for each shape; call it before the first product.
/// Decoding has another number of rows at every step, and the default of 1,024 primitives takes 200 MB.
/// Variables that are set in the environment are left unchanged.
void keep_few_shapes();

}  // namespace seq2seq
