#include "seq2seq/study/study.h"

#include <c10/util/Exception.h>

#include <algorithm>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/study/study_metrics.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

/// Reads a JSON object and refuses unknown keys.
class Fields {
 public:
  Fields(const Json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object()) throw Error(place_, "is not an object", "write {...}");
  }

  std::string text(const std::string& key, const std::string& otherwise) {
    return get(key, otherwise, "a text");
  }
  std::string text(const std::string& key) {
    require(key);
    return text(key, "");
  }
  int64_t number(const std::string& key, int64_t otherwise, const OptionRange& range) {
    const int64_t value = get(key, otherwise, "a whole number");
    const auto plain = static_cast<double>(value);
    if (plain < range.minimum || plain > range.maximum)
      throw Error(place_of(key), std::to_string(value) + " is out of range", "give " + range.describe());
    return value;
  }
  std::vector<std::string> texts(const std::string& key) {
    return get(key, std::vector<std::string>(), "a list of texts");
  }
  std::vector<int64_t> numbers(const std::string& key) {
    return get(key, std::vector<int64_t>(), "a list of whole numbers");
  }
  /// Any value; null if absent.
  const Json& part(const std::string& key) {
    static const Json null;
    known_.push_back(key);
    return object_.contains(key) ? object_.at(key) : null;
  }
  void require(const std::string& key) const {
    if (!object_.contains(key))
      throw Error(place_, "has no '" + key + "'", "add it; docs/study.md has an example");
  }
  std::string place_of(const std::string& key) const { return place_ + ": " + key; }

  /// To be called after all keys have been read.
  void refuse_others() const {
    for (const auto& [key, value] : object_.items())
      if (std::find(known_.begin(), known_.end(), key) == known_.end())
        throw Error(place_, "'" + key + "' is unknown", suggest_name(key, known_));
  }

 private:
  template <class T>
  T get(const std::string& key, const T& otherwise, const char* kind) {
    known_.push_back(key);
    if (!object_.contains(key)) return otherwise;
    const Json& value = object_.at(key);
    const auto rounded = [](const Json& part) { return part.is_number_float(); };
    if (rounded(value) || (value.is_array() && std::any_of(value.begin(), value.end(), rounded)))
      throw Error(place_of(key), "is not " + std::string(kind));
    try {
      return value.get<T>();
    } catch (const Json::exception&) {
      throw Error(place_of(key), "is not " + std::string(kind));
    }
  }

  const Json& object_;
  std::string place_;
  std::vector<std::string> known_;
};

void check_name(const std::string& place, const std::string& what, const std::string& name,
                const std::vector<std::string>& valid) {
  if (std::find(valid.begin(), valid.end(), name) == valid.end())
    throw Error(place, "'" + name + "' is no " + what, suggest_name(name, valid));
}

constexpr size_t most_entries = 200;  // runs are compared with one another

/// Calls `read` with the fields of each object in a list.
template <class Read>
void for_each_object(Fields& fields, const std::string& key, const Read& read) {
  const Json& list = fields.part(key);
  if (list.is_null()) return;
  if (!list.is_array()) throw Error(fields.place_of(key), "is not a list", "write [...]");
  if (list.size() > most_entries)
    throw Error(fields.place_of(key), "has " + std::to_string(list.size()) + " entries",
                "give at most " + std::to_string(most_entries));
  for (size_t i = 0; i < list.size(); ++i) {
    Fields inner(list[i], fields.place_of(key) + "[" + std::to_string(i) + "]");
    read(inner);
    inner.refuse_others();
  }
}

std::vector<std::string> names_of(const std::vector<Study::Run>& runs) {
  std::vector<std::string> names;
  for (const auto& run : runs) names.push_back(run.name);
  return names;
}

/// Messages about a study name options by their keys.
std::string option_key(const OptionField& field) {
  return field.path;
}

void check_run(const std::string& path, const Study::Run& run) {
  TrainOptions options = run.options;
  options.run.directory = run.name;
  try {
    check_named(option_fields(options), option_key, [&] { check(options); });
  } catch (const Error& error) {
    throw Error(path + ": run '" + run.name + "'", error.what());
  }
}

void read_runs(Study& study, Fields& fields, const fs::path& folder) {
  fields.require("base");
  const auto patch_of = [&, catalogue = option_catalogue<TrainOptions>()](const Json& options,
                                                                          const std::string& place) {
    OptionPatch patch = OptionPatch::from_json(options.dump(), place);
    patch.resolve_paths(catalogue, folder);
    return patch;
  };
  const OptionPatch base = patch_of(fields.part("base"), fields.place_of("base"));
  std::vector<OptionPatch> patches;
  for_each_object(fields, "runs", [&](Fields& inner) {
    Study::Run run;
    run.name = inner.text("name");
    const std::string place = inner.place_of("name");
    if (run.name.empty() ||
        run.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      throw Error(place, "'" + run.name + "' is no name for a folder", "use a to z, 0 to 9 and -");
    const auto earlier = names_of(study.runs);
    if (std::find(earlier.begin(), earlier.end(), run.name) != earlier.end())
      throw Error(place, "'" + run.name + "' is there twice", "give every run its own name");
    run.title = inner.text("title", run.name);
    run.from = inner.text("from", "");
    OptionPatch patch = base;
    if (!run.from.empty()) {
      if (earlier.empty())
        throw Error(inner.place_of("from"), "there is no earlier run",
                    "leave it out: the first run is the base");
      check_name(inner.place_of("from"), "earlier run", run.from, earlier);
      const auto at = std::find(earlier.begin(), earlier.end(), run.from) - earlier.begin();
      patch = patches[static_cast<size_t>(at)];
    }
    const Json& changes = inner.part("changes");
    if (!changes.is_null()) patch.merge(patch_of(changes, inner.place_of("changes")));
    patches.push_back(patch);
    apply(run.options, patch);
    study.runs.push_back(std::move(run));
  });
  if (study.runs.empty()) throw Error(fields.place_of("runs"), "is empty", "list at least one run");
}

/// The metric's name as spelled in results; `name` may have hyphens for underscores.
std::string read_metric(const std::string& place, std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  check_name(place, "metric", name, study_metric_names());
  return name;
}

/// Names the tokenizers that the study's keys do not.
void read_tokenizers(Study& study, Fields& fields, const fs::path& folder) {
  const ValidationOptions& validation = study.runs.front().options.validation;
  study.bleu_tokenizer = validation.bleu_tokenizer;
  study.rouge_tokenizer = validation.rouge_tokenizer;
  StudyTokenizers named;
  OptionPatch patch;
  for (const auto& [key, name] :
       {std::pair("tokenize", &named.bleu), std::pair("rouge-tokenize", &named.rouge)}) {
    *name = fields.text(key, "");
    if (!name->empty()) patch.set(key, *name, fields.place_of(key));
  }
  patch.resolve_paths(option_catalogue<StudyTokenizers>(), folder);
  apply(named, patch);
  replace_tokenizers(study, named);
}

std::string read_figure(const std::string& place, const std::string& figure) {
  const size_t space = figure.find(' ');
  const std::string kind = figure.substr(0, space);
  check_name(place, "figure", kind, {"by-length", "bars", "learning", "gradient-flow"});
  const bool wants_metric = kind == "by-length" || kind == "bars";
  if (wants_metric != (space != std::string::npos))
    throw Error(place, "'" + figure + "'" + (wants_metric ? " names no metric" : " takes no metric"),
                "for example 'by-length rougeL' or 'learning'");
  return wants_metric ? kind + " " + read_metric(place, figure.substr(space + 1)) : figure;
}

}  // namespace

Study Study::load(const std::string& path) {
  const Json json = read_json_file(path);
  const fs::path folder = fs::path(path).parent_path();
  Fields fields(json, path);
  Study study;
  study.title = fields.text("title");
  study.description = fields.text("description", "");
  read_runs(study, fields, folder);
  {
    fields.require("test");
    Fields test(fields.part("test"), fields.place_of("test"));
    study.test = {absolute_path(folder, test.text("source", "")),
                  absolute_path(folder, test.text("target", "")),
                  absolute_path(folder, test.text("input", ""))};
    test.refuse_others();
    require_corpus_files(study.test,
                         {test.place_of("source"), test.place_of("target"), test.place_of("input")});
  }
  study.score = read_metric(fields.place_of("score"), fields.text("score", study.score));
  read_tokenizers(study, fields, folder);
  study.length_limits = fields.numbers("length-limits");
  for (size_t i = 0; i < study.length_limits.size(); ++i)
    if (study.length_limits[i] <= (i == 0 ? 0 : study.length_limits[i - 1]))
      throw Error(fields.place_of("length-limits"), "do not rise from 1", "list them in order, each once");
  study.beam_size = fields.number("beam-size", study.beam_size, in_range(1, 1000));
  study.examples = fields.number("examples", study.examples, in_range(0, 100));
  const auto names = names_of(study.runs);
  for_each_object(fields, "comparisons", [&](Fields& inner) {
    Comparison comparison{inner.text("title"), inner.text("text", ""), inner.texts("runs"),
                          inner.texts("figures")};
    for (const auto& other : study.comparisons)
      if (other.title == comparison.title)
        throw Error(inner.place_of("title"), "'" + comparison.title + "' is there twice",
                    "give every comparison its own title");
    if (comparison.runs.empty()) throw Error(inner.place_of("runs"), "is empty", "name what is compared");
    for (const auto& name : comparison.runs) check_name(inner.place_of("runs"), "run", name, names);
    for (auto& figure : comparison.figures) figure = read_figure(inner.place_of("figures"), figure);
    study.comparisons.push_back(std::move(comparison));
  });
  for_each_object(fields, "claims", [&](Fields& inner) {
    Claim claim{inner.text("text"), inner.text("metric"), inner.text("where", "all"), inner.text("higher"),
                inner.text("lower")};
    claim.metric = read_metric(inner.place_of("metric"), claim.metric);
    check_name(inner.place_of("where"), "place", claim.where, {"all", "shortest", "longest", "drop", "kept"});
    check_name(inner.place_of("higher"), "run", claim.higher, names);
    check_name(inner.place_of("lower"), "run", claim.lower, names);
    if (claim.higher == claim.lower)
      throw Error(inner.place_of("lower"), "'" + claim.lower + "' is the same run as the higher one",
                  "name another");
    study.claims.push_back(std::move(claim));
  });
  fields.refuse_others();
  for (Run& run : study.runs) {
    check_run(path, run);
    for (const OptionField& field : differing_fields(study.runs.front().options, run.options))
      if (field.is(same_in_a_study))
        throw Error(path + ": run '" + run.name + "'",
                    option_key(field) + " differs from that of the first run",
                    "set it in the base: a study compares on the same text with the same budget");
  }
  return study;
}

CorpusFiles Study::test_files() const {
  CorpusFiles files = test;
  files.keys = runs.front().options.data.keys();
  return files;
}

const Study::Run& Study::run(const std::string& name) const {
  const auto found = std::find_if(runs.begin(), runs.end(), [&](const Run& run) { return run.name == name; });
  TORCH_CHECK(found != runs.end(), "no run ", name);
  return *found;
}

void replace_tokenizers(Study& study, StudyTokenizers tokenizers) {
  resolve_paths(tokenizers, fs::current_path());
  if (!tokenizers.bleu.empty()) study.bleu_tokenizer = tokenizers.bleu;
  for (size_t i = 0; i < option_names(RougeTokenizer{}).size(); ++i)
    if (tokenizers.rouge == option_names(RougeTokenizer{})[i])
      study.rouge_tokenizer = static_cast<RougeTokenizer>(i);
  for (Study::Run& run : study.runs) {
    ValidationOptions& validation = run.options.validation;
    if (!tokenizers.bleu.empty() && validation.heeds(&MetricHeeds::tokenizer))
      validation.bleu_tokenizer = study.bleu_tokenizer;
    if (!tokenizers.rouge.empty() && validation.heeds(&MetricHeeds::rouge_tokenizer))
      validation.rouge_tokenizer = study.rouge_tokenizer;
  }
}

void replace_text(Study& study, StudyText text) {
  const bool trained_on = !text.train.train_files().empty();
  if (trained_on != !text.test.empty() || (!trained_on && !text.train.valid_files().empty()))
    throw UsageError(trained_on ? "--test" : "--train", "is missing",
                     "a study of your own text needs text to train on and text to test on");
  if (!trained_on) return;
  check_corpus_files(text.test, corpus_flags("--test"));
  const fs::path folder = fs::current_path();
  resolve_paths(text.train, folder);
  for (std::string* path : {&text.test.source, &text.test.target, &text.test.combined})
    *path = absolute_path(folder, *path);
  study.description.clear();  // it is about the old text
  study.test = text.test;
  for (Study::Run& run : study.runs) {
    text.train.maximum_unknown = run.options.data.maximum_unknown;
    run.options.data = text.train;
    check_run("your text", run);
  }
}

}  // namespace seq2seq
