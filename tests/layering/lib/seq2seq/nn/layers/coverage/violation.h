// As in text/.
#include "seq2seq/nn/layers/attention/kinds.h"
