#include "pair_files.h"

#include "seq2seq/core/error.h"

namespace seq2seq {

void check_pair_files(const CorpusFiles& files) {
  if (files.combined.empty() && (files.source.empty() || files.target.empty()))
    throw UsageError(files.source.empty() ? "--source" : "--target", "is missing",
                     "give --source and --target, or --input");
  if (!files.combined.empty() && !(files.source.empty() && files.target.empty()))
    throw UsageError("--input", "is given beside --source or --target", "give one of them");
}

std::vector<NamedFile> files_of(const CorpusFiles& files) {
  return {{"--source", files.source}, {"--target", files.target}, {"--input", files.combined}};
}

}  // namespace seq2seq
