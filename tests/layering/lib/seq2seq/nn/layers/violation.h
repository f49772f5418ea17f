// As in text/.
#include "seq2seq/nn/cpu/parallel.h"
#include "seq2seq/nn/layers/coverage/kinds.h"
#include "seq2seq/nn/ops/checked.h"
