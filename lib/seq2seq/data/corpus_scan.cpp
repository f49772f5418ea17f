#include "seq2seq/data/corpus_scan.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/plain_text.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/hash.h"
#include "seq2seq/data/line_reader.h"
#include "seq2seq/text/tokenizer.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {

void Occurrences::add(const std::string& place, const std::string& what) {
  if (count++ == 0) detail = what;
  if (places.size() < 3) places.push_back(place);
}

uint64_t SideScan::length_quantile(double share) const {
  uint64_t total = 0, passed = 0;
  for (const auto& [length, count] : lengths) total += count;
  for (const auto& [length, count] : lengths) {
    passed += count;
    if (static_cast<double>(passed) >= share * static_cast<double>(total)) return length;
  }
  return 0;
}

namespace {

class Scanner {
 public:
  Scanner(uint64_t maximum_length, const CorpusScan* seen)
      : maximum_length_(maximum_length),
        seen_(seen),
        tokenizer_(make_tokenizer(WordTokenizerOptions{}, {})) {}

  CorpusScan scan(const CorpusFiles& files) {
    try {
      files.combined.empty() ? scan_parallel(files.source, files.target)
                             : scan_combined(files.combined, files.keys);
    } catch (const Error& failure) {  // a file that cannot be opened, damaged compression
      result_.unreadable.add(files.describe(), failure.place() + ": " + failure.problem());
      result_.unreadable_remedy = failure.remedy();
    }
    return std::move(result_);
  }

 private:
  // False at the end of the file. An unusable line is counted as a fault and returned as nullopt.
  bool next(LineReader& reader, SideScan& side, std::optional<std::string>& line) {
    std::string bytes;
    line.reset();
    if (!reader.next(bytes)) return false;
    if (++side.lines == 1) side.first_has_return = bytes.find('\r') != std::string::npos;
    side.bytes += bytes.size() + 1;
    if (reader.too_long())
      result_.line_too_long.add(reader.place());
    else if (const auto fault = find_invalid_utf8(bytes))
      result_.invalid_utf8.add(reader.place(), "byte " + std::to_string(*fault + 1));
    else
      line = std::move(bytes);
    return true;
  }

  void scan_parallel(const std::string& source_path, const std::string& target_path) {
    LineReader source(source_path), target(target_path);
    std::optional<std::string> source_line, target_line;
    for (;;) {
      const bool has_source = next(source, result_.sides[0], source_line);
      const bool has_target = next(target, result_.sides[1], target_line);
      if (!has_source && !has_target) break;
      if (source_line && target_line) add_pair(*source_line, *target_line, source.place(), target.place());
    }
    refuse_single_line(source_path, result_.sides[0]);
    refuse_single_line(target_path, result_.sides[1]);
    const auto& [left, right] = result_.sides;
    auto count = [](uint64_t lines) { return format_count(static_cast<int64_t>(lines)); };
    if (left.lines != right.lines)
      result_.unequal_counts.add(source_path, source_path + " has " + count(left.lines) + " lines, " +
                                                  target_path + " has " + count(right.lines));
  }

  void scan_combined(const std::string& path, const ExampleKeys& keys) {
    const ExampleFormat format = example_format(path);
    ExampleNotes notes;
    LineReader reader(path);
    std::optional<std::string> line;
    while (next(reader, result_.sides[0], line)) {
      ++result_.sides[1].lines;
      if (!line) continue;
      try {
        const RawExample example =
            parse_example(*line, format, reader.place(), TargetField::required, keys, &notes);
        add_pair(example.source, example.target, reader.place(), reader.place());
      } catch (const Error& failure) {
        result_.malformed.add(reader.place(), failure.what());
      }
    }
    refuse_single_line(path, result_.sides[0]);
  }

  static void refuse_single_line(const std::string& path, const SideScan& side) {
    if (side.lines == 1 && side.first_has_return) throw carriage_returns_alone(path);
  }

  uint64_t add_words(SideScan& side, const std::string& line, const std::string& place) {
    const auto tokens = tokenizer_->tokenize(line);
    if (tokens.empty() || is_blank(line)) {
      side.empty.add(place);
      return 0;
    }
    for (const auto& token : tokens) ++side.word_counts[hash_bytes(token.text)];
    side.words += tokens.size();
    ++side.lengths[tokens.size()];
    return tokens.size();
  }

  void add_pair(const std::string& source, const std::string& target, const std::string& source_place,
                const std::string& target_place) {
    const uint64_t source_words = add_words(result_.sides[0], source, source_place);
    const uint64_t target_words = add_words(result_.sides[1], target, target_place);
    const auto [shorter, longer] = std::minmax(source_words, target_words);
    if (shorter == 0) return result_.empty_pairs.add(source_words == 0 ? source_place : target_place);

    const uint64_t pair = hash_pair(source, target), source_hash = hash_bytes(source);
    if (!result_.pairs.insert(pair).second) result_.duplicates.add(source_place);
    result_.sources.insert(source_hash);
    if (seen_ != nullptr && seen_->pairs.contains(pair))
      result_.seen_pairs.add(source_place);
    else if (seen_ != nullptr && seen_->sources.contains(source_hash))
      result_.seen_sources.add(source_place);

    if (longer > maximum_length_) return result_.over_length.add(source_place);
    if (static_cast<double>(longer) > unlike_ratio * static_cast<double>(shorter) && longer > 8)
      result_.unlike_lengths.add(source_place);
    ++result_.usable;
    result_.usable_target_words += target_words;
  }

  const uint64_t maximum_length_;
  const CorpusScan* const seen_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  CorpusScan result_;
};

}  // namespace

CorpusScan scan_corpus(const CorpusFiles& files, uint64_t maximum_length, const CorpusScan* seen) {
  return Scanner(maximum_length, seen).scan(files);
}

double unknown_share(const SideScan& text, const SideScan& vocabulary, size_t size) {
  uint64_t known = 0;
  std::vector<std::pair<uint64_t, uint64_t>> words;  // frequency, hash
  words.reserve(vocabulary.word_counts.size());
  for (const auto& [hash, count] : vocabulary.word_counts) words.emplace_back(count, hash);
  if (size > 0 && size < words.size()) {
    std::nth_element(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(size), words.end(),
                     std::greater<>());
    words.resize(size);
  }
  for (const auto& [count, hash] : words)
    if (const auto found = text.word_counts.find(hash); found != text.word_counts.end())
      known += found->second;
  return text.words == 0 ? 0.0 : 1.0 - static_cast<double>(known) / static_cast<double>(text.words);
}

}  // namespace seq2seq
