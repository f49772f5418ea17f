// As in text/.
#include "seq2seq/nn/ops/linear.h"
