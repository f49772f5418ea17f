#include "memory_blocks.h"

#include <malloc.h>

namespace seq2seq {

void keep_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
}

}  // namespace seq2seq
