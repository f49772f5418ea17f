#include "seq2seq/decode/source_lines.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {

SourceLines::SourceLines(const std::string& path, const Companions& companions, ExampleKeys keys)
    : reader_(path), keys_(std::move(keys)) {
  if (has_example_format(path)) format_ = example_format(path);
  if (!companions.prefixes.empty()) prefixes_ = std::make_unique<LineReader>(companions.prefixes);
  if (!companions.required.empty()) required_ = std::make_unique<LineReader>(companions.required);
}

std::string SourceLines::companion_line(LineReader& companion, SourceLine& source) const {
  std::string line;
  if (!companion.next(line)) {
    std::string place = companion.place();
    const bool empty = place.ends_with(":0");
    if (empty) place.resize(place.size() - 2);
    throw Error(
        place,
        (empty ? "is empty, but the input goes on at " : "is the last line, but the input goes on at ") +
            reader_.place(),
        "give a line, which may be empty, for each line of the input");
  }
  std::string problem;
  if (companion.too_long()) {
    problem = companion.place() + ": the line is longer than 1 MiB; shorten it";
  } else if (const auto invalid = find_invalid_utf8(line)) {
    problem =
        companion.place() + ": byte " + std::to_string(*invalid + 1) + " is not valid UTF-8; " + utf8_remedy;
  }
  if (problem.empty()) return line;
  if (source.problem.empty()) source.problem = problem;
  return {};
}

SourceLine SourceLines::checked(std::string line) {
  SourceLine result{{}, {}, reader_.place(), {}};
  if (reader_.too_long()) {
    result.problem = result.place + ": the line is longer than 1 MiB; split it";
  } else if (const auto invalid = find_invalid_utf8(line)) {
    result.problem =
        result.place + ": byte " + std::to_string(*invalid + 1) + " is not valid UTF-8; " + utf8_remedy;
  } else if (format_) {
    try {
      RawExample example = parse_example(line, *format_, result.place, TargetField::optional, keys_, &notes_);
      result.text = std::move(example.source);
      result.sentences = std::move(example.source_sentences);
    } catch (const Error& error) {
      result.problem = error.what();
    }
  } else {
    result.text = std::move(line);
  }
  return result;
}

std::vector<SourceLine> SourceLines::read_window(size_t limit, int64_t wait) {
  std::vector<SourceLine> window;
  std::string line;
  Clock::time_point end;
  const auto left = [&] {
    return std::max<int64_t>(
        0, std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count());
  };
  while (window.size() < limit && (window.empty() || reader_.ready(left()))) {
    if (!reader_.next(line)) {
      for (LineReader* companion : {prefixes_.get(), required_.get()})
        if (companion != nullptr && companion->next(line))
          throw Error(companion->place(), "has no line of the input beside it",
                      "give as many lines as the input has");
      break;
    }
    if (window.empty()) end = Clock::now() + std::chrono::milliseconds(wait);
    SourceLine& source = window.emplace_back(checked(std::exchange(line, {})));
    if (prefixes_) {
      source.prefix = companion_line(*prefixes_, source);
      if (with_plain_spaces(source.prefix).empty()) source.prefix.clear();
      source.prefix_place = prefixes_->place();
    }
    if (!required_) continue;
    std::istringstream phrases(companion_line(*required_, source));
    source.required_place = required_->place();
    for (std::string phrase; std::getline(phrases, phrase, '\t');)
      if (!with_plain_spaces(phrase).empty()) source.required.push_back(phrase);
  }
  return window;
}

}  // namespace seq2seq
