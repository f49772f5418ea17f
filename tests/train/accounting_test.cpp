// Every example that is read is trained on, held out, or counted under a name: over random corpora and options,
// against a count of their own.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/train/training_text.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

constexpr int draws = 600;

/// What becomes of a pair by the rules that users are told, without the library's code.
struct Pair {
  std::string source, target;
  uint64_t source_words = 0, target_words = 0;
  auto text() const { return std::pair(source, target); }
};

class Accounting : public ::testing::Test {
 protected:
  Accounting() { set_log_level(LogLevel::quiet); }
  ~Accounting() override { set_log_level(LogLevel::normal); }

  uint64_t below(uint64_t bound) { return random.below(bound); }
  bool chance(uint64_t percent) { return below(100) < percent; }

  std::string side(uint64_t& words, uint64_t kinds, uint64_t longest) {
    std::string text;
    words = chance(90) ? 1 + below(longest) : 0;
    for (uint64_t i = 0; i < words; ++i)
      text += (i == 0 ? "" : " ") + std::string(1, static_cast<char>('a' + below(kinds)));
    return words == 0 && chance(50) ? "  " : text;
  }

  void draw_pairs() {
    pairs.clear();
    const uint64_t size = 1 + below(chance(20) ? 4 : 80), kinds = 1 + below(4), longest = 1 + below(5);
    const uint64_t copies = below(100);  // in percent
    for (uint64_t i = 0; i < size; ++i) {
      Pair pair;
      pair.source = side(pair.source_words, kinds, longest);
      pair.target = side(pair.target_words, kinds, longest);
      pairs.push_back(!pairs.empty() && chance(copies) ? pairs[below(pairs.size())] : pair);
    }
    std::string source, target;
    for (const Pair& pair : pairs) {
      source += pair.source + "\n";
      target += pair.target + "\n";
    }
    options.data = {};
    options.data.train_source = folder.write("source", source);
    options.data.train_target = folder.write("target", target);
    if (chance(25)) options.data.valid = folder.write("valid.tsv", "a\tb\n");
  }

  void draw_options() {
    options.data.held_out = options.data.valid.empty() && chance(70) ? static_cast<int64_t>(1 + below(8)) : 0;
    options.filter = {.maximum_length = static_cast<int64_t>(1 + below(6)),
                      .truncate_source = chance(30),
                      .maximum_ratio = chance(30) ? 1.0 + static_cast<double>(below(3)) : 0.0,
                      .remove_duplicates = chance(30)};
    options.batch = {chance(50) ? BatchUnit::tokens : BatchUnit::sentences,
                     static_cast<int64_t>(1 + below(30)), static_cast<int64_t>(1 + below(4))};
    options.loader = {.threads = static_cast<int64_t>(1 + below(3)), .cache_mib = chance(50) ? 1 : 0};
    options.run.seed = static_cast<int64_t>(below(1000));
  }

  /// By their lengths alone.
  FilterVerdict judged(const Pair& pair) const {
    const auto most = static_cast<uint64_t>(options.filter.maximum_length);
    const uint64_t source =
        options.filter.truncate_source ? std::min(pair.source_words, most) : pair.source_words;
    const uint64_t longer = std::max(source, pair.target_words),
                   shorter = std::min(source, pair.target_words);
    if (shorter == 0) return FilterVerdict::empty;
    if (longer > most) return FilterVerdict::too_long;
    const double ratio = options.filter.maximum_ratio;
    return ratio > 0 && static_cast<double>(longer) > ratio * static_cast<double>(shorter)
               ? FilterVerdict::ratio
               : FilterVerdict::keep;
  }

  /// Different pairs that can be trained on, and how often each occurs.
  std::map<std::pair<std::string, std::string>, uint64_t> usable() const {
    std::map<std::pair<std::string, std::string>, uint64_t> counts;
    for (const Pair& pair : pairs)
      if (judged(pair) == FilterVerdict::keep) ++counts[pair.text()];
    return counts;
  }

  /// What must become of each, with the examples at `held_out` left to validation.
  std::map<FilterVerdict, std::set<uint64_t>> expected(const std::set<uint64_t>& held_out) const {
    std::set<std::pair<std::string, std::string>> held_out_pairs, seen;
    for (const uint64_t index : held_out) held_out_pairs.insert(pairs[index].text());
    std::map<FilterVerdict, std::set<uint64_t>> result;
    for (uint64_t index = 0; index < pairs.size(); ++index) {
      const Pair& pair = pairs[index];
      const bool again = !seen.insert(pair.text()).second && options.filter.remove_duplicates;
      const FilterVerdict verdict = held_out.contains(index)               ? FilterVerdict::held_out
                                    : again                                ? FilterVerdict::duplicate
                                    : held_out_pairs.contains(pair.text()) ? FilterVerdict::held_out_copy
                                                                           : judged(pair);
      result[verdict].insert(index);
    }
    return result;
  }

  void expect_good_draw(const HeldOut& held_out) const {
    if (!options.data.valid.empty()) {
      EXPECT_TRUE(held_out.examples.empty());
      return;
    }
    const auto counts = usable();
    uint64_t once = 0, copies = 0, repeated = 0;
    for (const auto& [text, count] : counts) once += count == 1 ? 1 : 0;
    std::set<std::pair<std::string, std::string>> drawn;
    for (const uint64_t index : held_out.examples) {
      const auto found = counts.find(pairs[index].text());
      ASSERT_NE(found, counts.end()) << "of no use";
      EXPECT_TRUE(drawn.insert(found->first).second) << "drawn twice";
      copies += found->second - 1;
      repeated += found->second > 1 ? 1 : 0;
    }
    EXPECT_EQ(held_out.copies, copies);
    EXPECT_EQ(repeated, drawn.size() - std::min<uint64_t>(once, drawn.size()));
    if (options.data.held_out > 0)
      EXPECT_EQ(drawn.size(), static_cast<uint64_t>(options.data.held_out));
    else
      EXPECT_EQ(drawn.size(), 1U);  // of less than 200
    EXPECT_LT(drawn.size(), counts.size());
  }

  /// Whether there is something to train on beside what is to be held out.
  bool possible() const {
    const auto wanted = static_cast<uint64_t>(options.data.held_out);
    return usable().size() > (options.data.valid.empty() ? std::max<uint64_t>(1, wanted) : 0);
  }

  void expect_accounts(TrainingText& text) {
    text.hold_out(HeldOutRule::usable_pairs, options.filter, codecs);
    expect_good_draw(text.held_out());
    auto should = expected({text.held_out().examples.begin(), text.held_out().examples.end()});
    const auto loader = text.loader(options, codecs, {});
    std::multiset<uint64_t> handed_out;
    for (LoadedBatch loaded; loaded.after.epoch == 0;) {
      loaded = loader->next();
      handed_out.insert(loaded.batch.indices.begin(), loaded.batch.indices.end());
      const FilterCounts so_far = loader->counts();
      ASSERT_EQ(so_far.trained_on(), handed_out.size());
    }
    const FilterCounts counts = loader->counts();
    const auto number = [&](FilterVerdict verdict) { return should[verdict].size(); };
    EXPECT_EQ(counts.total(), pairs.size());
    EXPECT_EQ(counts.waiting, 0U);
    EXPECT_EQ(counts.kept, number(FilterVerdict::keep));
    EXPECT_EQ(counts.empty, number(FilterVerdict::empty));
    EXPECT_EQ(counts.too_long, number(FilterVerdict::too_long));
    EXPECT_EQ(counts.ratio, number(FilterVerdict::ratio));
    EXPECT_EQ(counts.duplicate, number(FilterVerdict::duplicate));
    EXPECT_EQ(counts.held_out, number(FilterVerdict::held_out));
    EXPECT_EQ(counts.held_out_copies, number(FilterVerdict::held_out_copy));
    const auto& kept = should[FilterVerdict::keep];
    EXPECT_EQ(handed_out, std::multiset<uint64_t>(kept.begin(), kept.end()));
  }

  Random random{20240607};
  TemporaryFolder folder;
  TrainOptions options = small_training();
  std::vector<Pair> pairs;
  const std::shared_ptr<const TextCodec> codec = std::make_shared<const TextCodec>(
      WhitespaceTokenizerOptions{}, NormalizationOptions{}, "", Vocabulary({"a", "b"}));
  const TextCodecs codecs{codec, codec, {}};
};

TEST_F(Accounting, OfRandomCorporaAndOptionsAddsUp) {
  int trained = 0;
  for (int draw = 0; draw < draws; ++draw) {
    draw_pairs();
    draw_options();
    SCOPED_TRACE("draw " + std::to_string(draw));
    const auto account = [&] {
      TrainingText text(options.data, static_cast<uint64_t>(options.run.seed));
      expect_accounts(text);
    };
    if (possible()) {
      account();
      ++trained;
    } else {
      // What is refused names what helps: something else than holding out, or holding out less.
      const std::string error = error_of(account);
      const size_t left = usable().size();
      if (left == 0 && (pairs.size() > 1 || !options.data.valid.empty()))
        EXPECT_NE(error.find("no pair is left to train on"), std::string::npos) << error;
      else if (left < 2)
        EXPECT_NE(error.find("; give validation files"), std::string::npos) << error;
      else
        EXPECT_NE(error.find("lower --held-out to " + std::to_string(left - 1) + " or less"),
                  std::string::npos)
            << error;
    }
    if (HasFailure()) return;
  }
  EXPECT_GE(trained, 300);
}

}  // namespace
}  // namespace seq2seq::test
