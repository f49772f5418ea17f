#include "seq2seq/data/corpus.h"

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/data/indexed_lines.h"

namespace seq2seq {

std::vector<std::string> CorpusFiles::paths() const {
  std::vector<std::string> given;
  for (const std::string& path : {source, target, combined})
    if (!path.empty()) given.push_back(path);
  return given;
}

std::string CorpusFiles::describe() const {
  return combined.empty() ? source + " + " + target : combined;
}

CorpusFlags corpus_flags(const std::string& combined) {
  return {combined + "-source", combined + "-target", combined};
}

void check_corpus_files(const CorpusFiles& files, const CorpusFlags& flags) {
  const bool parallel = !files.source.empty() || !files.target.empty();
  if (parallel && !files.combined.empty())
    throw UsageError(flags.combined,
                     "'" + files.combined + "' is given beside " + flags.source + " / " + flags.target,
                     "give either one file or two");
  if (parallel && (files.source.empty() || files.target.empty()))
    throw UsageError(files.source.empty() ? flags.source : flags.target, "is missing",
                     "parallel text needs a file for each side");
}

void require_corpus_files(const CorpusFiles& files, const CorpusFlags& flags) {
  if (files.empty())
    throw UsageError(flags.source, "is missing",
                     "give " + flags.source + " and " + flags.target + ", or " + flags.combined);
  check_corpus_files(files, flags);
}

struct Corpus::Implementation {
  explicit Implementation(const CorpusFiles& given) : files(given) {
    require_corpus_files(files, {"source", "target", "combined"});
    if (!files.combined.empty()) {
      format = example_format(files.combined);
      source = std::make_unique<IndexedLines>(files.combined);
      for (uint64_t index = 0; index < source->size(); ++index)
        parse_example((*source)[index], format, source->place(index), TargetField::required, files.keys,
                      &notes);
      return;
    }
    source = std::make_unique<IndexedLines>(files.source);
    target = std::make_unique<IndexedLines>(files.target);
    if (source->size() != target->size())
      throw Error(files.source + " has " + format_count(static_cast<int64_t>(source->size())) + " lines, " +
                      files.target + " has " + format_count(static_cast<int64_t>(target->size())),
                  "line N of one file must translate line N of the other", "make the line counts equal");
  }

  CorpusFiles files;
  ExampleFormat format = ExampleFormat::tsv;
  std::unique_ptr<IndexedLines> source, target;
  ExampleNotes notes;
};

Corpus::Corpus(const CorpusFiles& files) : implementation_(std::make_unique<Implementation>(files)) {}
Corpus::~Corpus() = default;
Corpus::Corpus(Corpus&&) noexcept = default;
Corpus& Corpus::operator=(Corpus&&) noexcept = default;

uint64_t Corpus::size() const {
  return implementation_->source->size();
}

RawExample Corpus::at(uint64_t index) const {
  const auto& state = *implementation_;
  if (!state.target)
    return parse_example_again((*state.source)[index], state.format, state.source->place(index),
                               state.files.keys);
  return {(*state.source)[index], (*state.target)[index], {}, {}};
}

std::string Corpus::place(uint64_t index, bool target) const {
  const auto& state = *implementation_;
  return (target && state.target ? *state.target : *state.source).place(index);
}

const CorpusFiles& Corpus::files() const {
  return implementation_->files;
}

void Corpus::require_same() const {
  for (const auto* side : {&implementation_->source, &implementation_->target})
    if (*side) (*side)->require_same();
}

std::vector<FileFingerprint> Corpus::fingerprints() const {
  std::vector<FileFingerprint> all;
  for (const auto* side : {&implementation_->source, &implementation_->target})
    if (*side) all.push_back((*side)->fingerprint());
  return all;
}

std::vector<FileFingerprint> Corpus::text_fingerprints() const {
  std::vector<FileFingerprint> all;
  for (const auto* side : {&implementation_->source, &implementation_->target})
    if (*side) all.push_back((*side)->text_fingerprint());
  return all;
}

const ExampleKeys& Corpus::other_keys() const {
  return implementation_->notes.other_keys();
}

}  // namespace seq2seq
