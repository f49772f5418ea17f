// As in text/.
#include "seq2seq/nn/engine/kernel_set.h"
