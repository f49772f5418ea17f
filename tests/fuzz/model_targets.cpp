// Readers of archives and training states, of configurations, and of what belongs to a model.
#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>

#include "../support/paths.h"
#include "input_file.h"
#include "packed_archive.h"
#include "seq2seq/core/error.h"
#include "seq2seq/data/numbered_text.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/decode/shortlist.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/archive/archive.h"
#include "seq2seq/model/archive/model_readers.h"
#include "seq2seq/model/archive/stored_pickle.h"
#include "seq2seq/model/embedding.h"
#include "seq2seq/study/study.h"
#include "seq2seq/train/options.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/training_state.h"
#include "target_groups.h"

namespace seq2seq::fuzz {
namespace {

using Seeds = std::vector<std::string>;

const std::string older = "tests/compatibility/14fe82e/";

/// The path of a file of the repository.
std::string path_of(const std::string& file) {
  return test::tests_folder + "../" + file;
}

void read_pickle(std::string_view bytes) {
  const auto stored = [](std::string_view name) {
    return name.size() == 1 ? std::optional<uint64_t>(64 * 1024) : std::nullopt;
  };
  try {
    const Pickle pickle(std::string(bytes), stored, bytes.size() + size_t{10} * 64 * 1024);
  } catch (const PickleError&) {  // its readers make an Error of it
  }
}
Seeds pickle_seeds() {
  Seeds seeds;
  for (const char* name : {"data.pkl", "code/__torch__.py.debug_pkl", "constants.pkl"})
    seeds.push_back(ZipFile(path_of(older + "archives/fixed-rnn.pt")).text(name));
  seeds.push_back(ZipFile(path_of(older + "runs/rnn/checkpoints/step-25/state.pt")).text("data.pkl"));
  return seeds;
}

void read_zip_archive(const std::string& path) {
  try {
    check_archive(path);
  } catch (const Error&) {  // reading must refuse it as well, or do without what is wrong
  }
  for (const WeightMemory memory : {WeightMemory::mapped, WeightMemory::own})
    reader_of(path).read(path, memory);
}
void read_zip(std::string_view bytes) {
  read_zip_archive(input_file("model.pt", bytes));
}
Seeds zip_seeds() {
  return {source_file(older + "archives/fixed-rnn.pt")};
}
void read_packed_archive(std::string_view bytes) {
  const std::string path = (input_folder() / "model.pt").string();
  unpack_archive(bytes, path);
  read_zip_archive(path);
}
/// An archive with some weights in int8, as small as it can be.
std::string packed_quantized_archive() {
  TranslationModel model = load_model(path_of(older + "archives/fixed-rnn.pt"));
  model.model_options.embedding.size = 16;
  model.model = Seq2Seq(model.model_options, model.text.source->vocabulary().size(),
                        model.text.target->vocabulary().size());
  model.model->initialize(1);
  model.quantized = quantize_weights(*model.model, WeightFormat::int8);
  const std::string path = (input_folder() / "quantized.pt").string();
  save_model(model, path);
  return packed_archive(path);
}

Seeds archive_seeds() {
  static const std::string quantized = packed_quantized_archive();
  Seeds seeds{quantized};
  for (const char* name : {"fixed-rnn", "transformer-rnn", "gru-coverage-copying"})
    seeds.push_back(packed_archive(path_of(older + "archives/" + name + ".pt")));
  return seeds;
}

void read_state(std::string_view bytes) {
  const std::string path = (input_folder() / "state.pt").string();
  unpack_archive(bytes, path);
  load_training_state(path);
}
Seeds state_seeds() {
  return {packed_archive(path_of(older + "runs/transformer/checkpoints/step-25/state.pt")),
          packed_archive(path_of(older + "study/runs/copying.1/checkpoints/step-40/state.pt"))};
}

const Vocabulary& some_words() {
  static const Vocabulary words({"Haus", "ein", ".", "\u00e4", "a"});
  return words;
}

void read_vectors(std::string_view bytes) {
  Embedding embedding(some_words().size(), 2);
  load_pretrained(embedding, some_words(), input_file("vectors.txt", bytes));
}
Seeds vectors_seeds() {
  return {"2 2\nHaus 0.5 -1e-3\nein 1 +2\n", "Haus\t0.5\t1\r\n. . 1 2\n\u00e4 1e-46 3\n"};
}

void read_shortlist(std::string_view bytes) {
  Shortlist::load(input_file("shortlist.json", bytes), some_words(), some_words());
}
Seeds shortlist_seeds() {
  return {R"({"format": 1, "frequent": ["."], "candidates": {"Haus": ["ein", "a"], "a": []}})"};
}

void read_self_test(std::string_view bytes) {
  self_test_from_json(std::string(bytes), "model.pt", 100);
}
Seeds self_test_seeds() {
  return {ZipFile(path_of(older + "archives/fixed-rnn.pt")).text("extra/self-test.json")};
}

void read_configuration(std::string_view bytes) {
  TrainOptions options;
  options.run.directory = "run";
  apply(options, OptionPatch::from_configuration(input_file("config.json", bytes)));
  options_to_json(options);
  check(options);
}
Seeds configuration_seeds() {
  Seeds seeds;
  for (const char* name : {"models/gru.json", "models/hierarchical.json", "models/transformer.json",
                           "tests/compatibility/14fe82e/runs/rnn/config.json"})
    seeds.push_back(source_file(name));
  return seeds;
}

void read_study(std::string_view bytes) {
  Study::load(input_file("study.json", bytes));
}
Seeds study_seeds() {
  return {source_file("data/studies/small.json"), source_file(older + "study.json")};
}

Seeds study_large() {
  std::string keys = R"({"title": "", "base": {"model": "")", runs = R"({"title": "", "base": {}, "runs": [)";
  for (int i = 0; i < 50'000; ++i) {
    keys += ",\"k" + std::to_string(i) + "\":0";
    runs += (i > 0 ? ",{\"name\":\"a" : "{\"name\":\"a") + std::to_string(i) + "\"}";
  }
  return {keys + R"(}, "runs": [{"name": "a", "changes": {"k": 1}}]})", runs + "]}"};
}

void read_run_log(std::string_view bytes) {
  input_file("config.json", "{}");
  input_file(RunLog::file_name, bytes);
  for (const RunLogLine& line : RunLog::read(input_folder())) {
    logged_update(line);
    logged_numbers(line);
  }
  RunLog log(input_folder());
  log.history();
  log.cut(20);
}
Seeds run_log_seeds() {
  return {source_file(older + "runs/rnn/train.jsonl"),
          source_file(older + "study/runs/copying.1/train.jsonl"),
          R"({"type": "gradient_flow", "update": 3, "norms": [1, null], "target_steps": 1, "seconds": 1})"};
}

Seeds run_log_large() {
  std::string nested = R"({"type": "validation", "update": 3, "epoch": )",
              keys = R"({"type": "validation", "update": 3)";
  for (int i = 0; i < 80'000; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
  return {nested + std::string(200'000, '[') + std::string(200'000, ']') + "}", keys + "}",
          R"({"type": "update", "update": 1e300, "epoch": -1e300, "loss": 1e-400})"};
}

constexpr size_t most_tokenized = size_t{1} << 16;  // tokens take more than text; no argument is longer

/// The demo's model, ready to translate.
struct Demo {
  DecodingModels models{load_model(path_of("models/demo-en-de.pt"))};
  DecodingPool pool{models.scorers(1)};
};
Demo& demo() {
  static Demo one;
  return one;
}

// A prefix and required phrases for each line of an input of as many lines.
void read_companions(std::string_view bytes) {
  const std::string companion = input_file("companion.txt", bytes);
  const auto lines = static_cast<size_t>(std::count(bytes.begin(), bytes.end(), '\n')) +
                     (bytes.empty() || bytes.ends_with('\n') ? 0 : 1);
  std::string input;
  for (size_t i = 0; i < lines; ++i) input += "A house.\n";
  SourceLines sources(input_file("input.txt", input), {.prefixes = companion, .required = companion});
  const TextCodecs& text = demo().models.text;
  for (int windows = 0; windows < 20; ++windows)  // each line alone
    for (const SourceLine& line : sources.read_window(64)) {
      if (line.prefix.size() > most_tokenized) continue;
      const NumberedSource source = number_source(*text.source, line.text, line.sentences, text.form);
      number_target(*text.target, line.prefix, source, text.form);
      for (const std::string& phrase : line.required) number_target(*text.target, phrase, source, text.form);
    }
}
Seeds companions_seeds() {
  return {"Das\nein Haus\tHund\n\n",
          "\xEF\xBB\xBF"
          "a\t\tb\r\n\u2581 \uFFED.\n",
          "\xff\n"};
}

// Each line a text of --ban, --bias and --repeatable.
void read_rules(std::string_view bytes) {
  for (std::vector<std::string> TranslatorOptions::*texts :
       {&TranslatorOptions::ban, &TranslatorOptions::bias, &TranslatorOptions::repeatable}) {
    TranslatorOptions options;
    for (std::string_view rest = bytes.substr(0, most_tokenized); !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      (options.*texts).emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    try {
      Translator(demo().models, demo().pool, options);
    } catch (const Error&) {  // the next option
    }
  }
}
Seeds rules_seeds() {
  return {"Haus\nKinder\n", "Haus=1.5\nein=-2e3\n", "</s>\n<unk>=1\n\u2581=\n=\n"};
}

constexpr Target model_table[] = {
    {"pickle", read_pickle, pickle_seeds},
    {"zip", read_zip, zip_seeds},
    {"archive", read_packed_archive, archive_seeds},
    {"state", read_state, state_seeds},
    {"vectors", read_vectors, vectors_seeds},
    {"shortlist", read_shortlist, shortlist_seeds},
    {"self_test", read_self_test, self_test_seeds},
    {"configuration", read_configuration, configuration_seeds},
    {"study", read_study, study_seeds, study_large},
    {"run_log", read_run_log, run_log_seeds, run_log_large},
    {"companions", read_companions, companions_seeds},
    {"rules", read_rules, rules_seeds},
};

}  // namespace

std::span<const Target> model_targets() {
  return model_table;
}

}  // namespace seq2seq::fuzz
