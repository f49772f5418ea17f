#include "pair_files.h"

namespace seq2seq {

void check_pair_files(const CorpusFiles& files) {
  require_corpus_files(files, {"--source", "--target", "--input"});
}

CorpusFiles with_keys(CorpusFiles files, const ExampleKeys& keys) {
  files.keys = keys;
  return files;
}

std::vector<NamedFile> files_of(const CorpusFiles& files) {
  return {{"--source", files.source}, {"--target", files.target}, {"--input", files.combined}};
}

}  // namespace seq2seq
