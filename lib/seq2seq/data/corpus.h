#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/example.h"

namespace seq2seq {

/// The files of a corpus: two parallel text files, or one TSV or JSON-lines file; each may be gzipped (.gz).
struct CorpusFiles {
  std::string source, target;  ///< parallel text, one example per line
  std::string combined;        ///< .tsv (source, tab, target) or .jsonl
  ExampleKeys keys = {};       ///< of JSON lines
  bool empty() const { return source.empty() && target.empty() && combined.empty(); }
  std::vector<std::string> paths() const;  ///< those that are given: source and target, or the combined one
  std::string describe() const;            ///< "train.en + train.de"
};

/// The flags that name them.
struct CorpusFlags {
  std::string source, target, combined;
};
/// "--train-source", "--train-target", "--train".
CorpusFlags corpus_flags(const std::string& combined);

/// Throws UsageError when a side is missing or one file is given beside two. `require` wants some.
void check_corpus_files(const CorpusFiles& files, const CorpusFlags& flags);
void require_corpus_files(const CorpusFiles& files, const CorpusFlags& flags);

struct FileFingerprint;

/// A file that a corpus is read from no longer has the content that it had when the corpus was opened.
class ChangedText : public Error {
 public:
  using Error::Error;
};

/// Random access to the examples of a corpus that may be larger than memory: lines are read when they are asked
/// for, and their offsets take 8 bytes per line and file. A .gz file is first decompressed into a cache file
/// (unpacked_copy.h says where), which is reused while the original is unchanged.
///
/// The constructor checks every line: valid UTF-8, at most 1 MiB, equal line counts, well-formed TSV and
/// JSON; the first fault throws Error("file:line", ...). CRLF line ends are accepted.
///
/// Files that change meanwhile do no harm: an example is either what it was or ChangedText is thrown.
class Corpus {
 public:
  explicit Corpus(const CorpusFiles& files);
  ~Corpus();
  Corpus(Corpus&&) noexcept;
  Corpus& operator=(Corpus&&) noexcept;

  uint64_t size() const;
  RawExample at(uint64_t index) const;  ///< thread-safe; throws ChangedText
  /// "train.en:17", for messages about example `index` (0-based) on the source or target side.
  std::string place(uint64_t index, bool target = false) const;
  const CorpusFiles& files() const;
  /// Of JSON lines, the keys that are read if they are not `source` and `target`.
  const ExampleKeys& other_keys() const;

  /// Throws ChangedText if a file has another content than at construction. Costs little: a file is read only
  /// when its size, place on disk or time of modification are others.
  void require_same() const;
  /// Of each file, in the order of CorpusFiles::paths, as they were at construction.
  std::vector<FileFingerprint> fingerprints() const;
  /// The same of the text in them, which .gz files hold packed.
  std::vector<FileFingerprint> text_fingerprints() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

inline constexpr size_t maximum_line_bytes = size_t{1} << 20;

}  // namespace seq2seq
