// As in text/.
#include "seq2seq/nn/cpu/parallel.h"
#include "seq2seq/nn/ops/checked.h"
