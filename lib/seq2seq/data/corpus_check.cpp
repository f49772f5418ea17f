#include "seq2seq/data/corpus_check.h"

#include <algorithm>
#include <cstdio>

#include "seq2seq/core/join.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/wrap.h"
#include "seq2seq/data/corpus_scan.h"
#include "seq2seq/data/unknown_tokens.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr size_t columns = 80;
constexpr size_t usual_vocabulary = 8000;

std::string count_text(uint64_t count) {
  return format_count(static_cast<int64_t>(count));
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// Shortens a word that is wider than a line at its front: the end of a path says most.
std::string shorten(const std::string& word, size_t width) {
  const auto characters = utf8_characters(word);
  if (characters.size() <= width) return word;
  std::string result = "...";
  for (size_t i = characters.size() - (width - 3); i < characters.size(); ++i) result += characters[i];
  return result;
}

/// `label` and `text`, wrapped at spaces; further lines are indented by the width of the label.
std::string paragraph(const std::string& label, const std::string& text) {
  const size_t width = columns - label.size();
  std::string words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words += (begin == 0 ? "" : " ") + shorten(text.substr(begin, end - begin), width);
    begin = end + 1;
  }
  std::string result = label;
  for (const char c : wrap(words, width)) {
    result += c;
    if (c == '\n') result.append(label.size(), ' ');
  }
  return result + "\n";
}

class Report {
 public:
  explicit Report(const CheckSettings& settings) : settings_(settings) {}

  CheckReport write() {
    const auto limit = static_cast<uint64_t>(settings_.maximum_length);
    const CorpusScan train = scan_corpus(settings_.train, limit, nullptr);
    CorpusScan valid;
    const bool has_valid = !settings_.valid.empty();
    if (has_valid) valid = scan_corpus(settings_.valid, limit, &train);

    text_ += paragraph("Training    ", settings_.train.describe());
    text_ += paragraph("Validation  ", has_valid ? settings_.valid.describe()
                                                 : "none: a small part of the training data is held out");
    write_counts(train, has_valid ? &valid : nullptr);
    write_lengths(train, has_valid ? &valid : nullptr);
    if (has_valid) write_unknown(train, valid);
    write_estimates(train);
    judge("training", settings_.train, train);
    if (has_valid) {
      judge("validation", settings_.valid, valid);
      judge_overlap(valid);
      judge_unknown(train, valid);
    } else {
      judge_held_out(train);
    }
    if (settings_.given_source && trainable_) judge_given();
    text_ += "\nFindings\n" + (findings_.empty() ? std::string("  none\n") : findings_);
    text_ += trainable_ ? "\nThese files can be trained on.\n"
                        : "\nThese files cannot be trained on: mend what is called an error.\n";
    return {text_, trainable_};
  }

 private:
  void row(const std::string& name, const std::string& first, const std::string& second = {}) {
    text_ += format("  %-34s%12s%14s\n", name.c_str(), first.c_str(), second.c_str());
    while (text_.ends_with(" \n")) text_.erase(text_.size() - 2, 1);
  }

  void write_counts(const CorpusScan& train, const CorpusScan* valid) {
    auto line = [&](const char* name, auto value) {
      row(name, count_text(value(train)), valid ? count_text(value(*valid)) : "");
    };
    text_ += "\n";
    row("Pairs", "training", valid ? "validation" : "");
    line("lines", [](const CorpusScan& s) { return std::max(s.sides[0].lines, s.sides[1].lines); });
    line("usable pairs", [](const CorpusScan& s) { return s.usable; });
    line("empty source lines", [](const CorpusScan& s) { return s.sides[0].empty.count; });
    line("empty target lines", [](const CorpusScan& s) { return s.sides[1].empty.count; });
    line("duplicate pairs", [](const CorpusScan& s) { return s.duplicates.count; });
    line("pairs over --max-length", [](const CorpusScan& s) { return s.over_length.count; });
    if (valid) {
      row("pairs also in training", "", count_text(valid->seen_pairs.count));
      row("other sources also in training", "", count_text(valid->seen_sources.count));
    }
  }

  void write_lengths(const CorpusScan& train, const CorpusScan* valid) {
    text_ += format("\n  %-24s%8s%8s%8s%8s%8s\n", "Words in a line", "shortest", "median", "90%", "99%",
                    "longest");
    auto line = [&](const char* name, const SideScan& side) {
      text_ += format("  %-24s", name);
      for (const double share : {0.0, 0.5, 0.9, 0.99, 1.0})
        text_ += format("%8s", count_text(side.length_quantile(share)).c_str());
      text_ += "\n";
    };
    line("training source", train.sides[0]);
    line("training target", train.sides[1]);
    if (!valid) return;
    line("validation source", valid->sides[0]);
    line("validation target", valid->sides[1]);
  }

  void write_unknown(const CorpusScan& train, const CorpusScan& valid) {
    text_ += "\n";
    row("Unknown words of the validation", "8,000 types", "all types");
    for (const size_t side : {0, 1}) {
      const double usual = unknown_share(valid.sides[side], train.sides[side], usual_vocabulary);
      const double all = unknown_share(valid.sides[side], train.sides[side], 0);
      const std::string name = std::string(side == 0 ? "source" : "target") + " (training has " +
                               count_text(train.sides[side].word_counts.size()) + " types)";
      row(name, format("%.1f%%", 100 * usual), format("%.1f%%", 100 * all));
    }
  }

  // Memory of the reference model (embeddings of 256, LSTM decoder of 512): weights, gradients and two Adam
  // moments of 4 bytes each, and the logits of 4,096 tokens with their gradients.
  void write_estimates(const CorpusScan& train) {
    const double tokens = static_cast<double>(train.usable_target_words + train.usable);
    auto types = [&](size_t side) {
      return static_cast<double>(std::min(train.sides[side].word_counts.size(), usual_vocabulary));
    };
    const double parameters = 4.5e6 + 256 * types(0) + 768 * types(1);
    const double model = 16 * parameters + 8 * 4096 * types(1);
    const double index =
        (settings_.train.combined.empty() ? 16.0 : 8.0) * static_cast<double>(train.sides[0].lines);
    text_ += "\n  Rough estimates\n";
    row("target words an epoch, with </s>", count_text(static_cast<uint64_t>(tokens)));
    row(format("time an epoch at %s tokens/s",
               count_text(static_cast<uint64_t>(settings_.tokens_per_second)).c_str()),
        format_duration(tokens / settings_.tokens_per_second));
    row("memory, corpus index", format("%.1f MB", index / 1e6));
    row("memory, rnn-attention at 8,000 types", format("%.0f MB", model / 1e6));
    text_ +=
        paragraph("  ",
                  "Subwords make 1.1 to 1.5 tokens of a word. --tokens-per-second sets the assumed speed; "
                  "'seq2seq bench train' measures it.");
  }

  void add(bool error, const std::string& what, const Occurrences& found, const std::string& remedy) {
    if (found.count == 0) return;
    if (error) trainable_ = false;
    std::string places = joined(found.places);
    if (!places.empty() && found.count > found.places.size()) places += ", ...";
    findings_ +=
        paragraph(error ? "  error  " : "  note   ", what + (places.empty() ? "" : " (" + places + ")"));
    findings_ += paragraph("         ", "-> " + remedy);
  }

  void judge(const std::string& name, const CorpusFiles& files, const CorpusScan& scan) {
    const std::string in = " in " + name;
    auto lines = [](const Occurrences& found) {
      return count_text(found.count) + (found.count == 1 ? " line" : " lines");
    };
    auto pairs = [](const Occurrences& found) {
      return count_text(found.count) + (found.count == 1 ? " pair" : " pairs");
    };
    add(true, scan.unreadable.detail, unplaced(scan.unreadable), scan.unreadable_remedy);
    add(true, scan.unequal_counts.detail, unplaced(scan.unequal_counts),
        "make line N of one translate line N of the other");
    add(true,
        lines(scan.invalid_utf8) + " of invalid UTF-8" + in + ", the first at " + scan.invalid_utf8.detail,
        scan.invalid_utf8, utf8_remedy);
    add(true, lines(scan.line_too_long) + " over 1 MiB" + in, scan.line_too_long, "split or remove them");
    add(true, lines(scan.malformed) + " not understood" + in + ": " + scan.malformed.detail,
        unplaced(scan.malformed), "mend them");
    if (scan.unreadable.count == 0 && scan.usable == 0) {
      add(true, "no usable pair in " + files.describe(), once(), "give other files, or raise --max-length");
    }
    add(false, pairs(scan.empty_pairs) + " with an empty side" + in, scan.empty_pairs,
        "nothing to do: they are left out");
    if (name != "training") return;
    add(false,
        pairs(scan.duplicates) + (scan.duplicates.count == 1 ? " repeats" : " repeat") + " an earlier one",
        scan.duplicates, "--remove-duplicates");
    add(false,
        pairs(scan.over_length) + " over " + count_text(static_cast<uint64_t>(settings_.maximum_length)) +
            " words, left out",
        scan.over_length, "--max-length " + std::to_string(longest(scan)) + " keeps them");
    add(false, pairs(scan.unlike_lengths) + " with one side over 4 times as long as the other",
        scan.unlike_lengths, "--max-ratio 4");
  }

  static Occurrences once() { return {1, {}, {}}; }
  static Occurrences unplaced(Occurrences found) {
    found.places.clear();
    return found;
  }

  static uint64_t longest(const CorpusScan& scan) {
    return std::max(scan.sides[0].length_quantile(1), scan.sides[1].length_quantile(1));
  }

  void judge_overlap(const CorpusScan& valid) {
    add(false,
        count_text(valid.seen_pairs.count) +
            " of the validation pairs also in training, which flatters the scores",
        valid.seen_pairs,
        "take them out of the training files, or give another --valid-source and --valid-target");
    add(false,
        count_text(valid.seen_sources.count) + " of the validation sources in training with another target",
        valid.seen_sources, "take them out of the training files");
  }

  void judge_unknown(const CorpusScan& train, const CorpusScan& valid) {
    for (const size_t side : {0, 1}) {
      const double share = unknown_share(valid.sides[side], train.sides[side], usual_vocabulary);
      if (share < 0.02) continue;
      add(false,
          format("%.1f%% of the validation's %s words are unknown at 8,000 types", 100 * share,
                 side == 0 ? "source" : "target"),
          once(), "use subwords, which know every word: --tokenizer sentencepiece");
    }
  }

  void judge_held_out(const CorpusScan& train) {
    if (train.usable > 0 && train.pairs.size() == 1)
      add(true, "one different pair in training: held out for validation, it leaves nothing", once(),
          "give validation files: --valid-source and --valid-target, or --valid");
  }

  /// What `seq2seq train` counts before it begins.
  void judge_given() {
    const auto [source, target] = count_unknown_tokens(Corpus(settings_.train), *settings_.given_source,
                                                       *settings_.given_target, settings_.form);
    text_ += "\n";
    row("Given vocabularies", "tokens", "unknown");
    for (const auto& [name, side] : {std::pair("source", source), std::pair("target", target)}) {
      row(std::string(name) + ", first " + count_text(side.pairs) + " pairs", count_text(side.tokens),
          format("%.1f%%", 100 * side.share()));
      const bool refused = side.share() > settings_.maximum_unknown;
      if (refused || side.share() > notable_unknown_share)
        add(refused, side.describe(name), once(),
            settings_.given_remedy + (refused ? ", or raise --max-unknown" : ""));
    }
  }

  const CheckSettings& settings_;
  std::string text_, findings_;
  bool trainable_ = true;
};

}  // namespace

CheckReport check_corpora(const CheckSettings& settings) {
  return Report(settings).write();
}

}  // namespace seq2seq
