// Not compiled: each line breaks one rule that check.cmake must report.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "seq2seq/data/corpus.h"
#include "vocabulary.h"
