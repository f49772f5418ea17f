#include "memory_blocks.h"

#include <malloc.h>

#include <cstdlib>
#include <initializer_list>

namespace seq2seq {

void keep_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
}

void keep_few_shapes() {
  // oneDNN's own cache, and the one that LibTorch has in front of it.
  for (const char* store : {"ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"})
    ::setenv(store, "16", /*overwrite=*/0);
}

}  // namespace seq2seq
