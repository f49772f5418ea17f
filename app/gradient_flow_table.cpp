#include "gradient_flow_table.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "seq2seq/core/error.h"
#include "seq2seq/core/random.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/train/new_model.h"

namespace seq2seq {
namespace {

constexpr int64_t probe_vocabulary = 32, simple_rnn_inputs = 32;

TrainOptions read_configuration(const std::string& path) {
  TrainOptions options;
  apply(options, OptionPatch::from_configuration(path));
  check(options.model);
  return options;
}

/// The name of a file without its extension, or of a folder.
std::string name_of(const std::string& path) {
  const auto whole = std::filesystem::absolute(path + "/").lexically_normal().parent_path();
  return whole.extension() == ".json" || whole.extension() == ".pt" ? whole.stem().string()
                                                                    : whole.filename().string();
}

TensorBatch batch_of(const std::vector<Example>& examples) {
  return to_tensors(make_batch(examples));
}

std::vector<Example> probe(const GradientFlowOptions& options, int64_t vocabulary) {
  const int64_t distance = options.probe_distance < 0 ? options.probe_length - 1 : options.probe_distance;
  return recall_examples(options.sentences, options.probe_length, distance, vocabulary,
                         static_cast<uint64_t>(options.seed));
}

std::vector<Example> examples_for(const GradientFlowOptions& options, const TranslationModel& model,
                                  const Corpus* corpus) {
  if (corpus == nullptr) {
    // The ids of the probe must be in both vocabularies.
    return probe(options,
                 std::min(model.model->source_vocabulary_size(), model.model->target_vocabulary_size()));
  }
  std::vector<uint64_t> first(std::min<uint64_t>(corpus->size(), static_cast<uint64_t>(options.sentences)));
  std::iota(first.begin(), first.end(), uint64_t{0});
  return numbered_pairs(model, *corpus, first);
}

/// Source and target vocabulary for the probe, whose tokens are ids.
TextCodecs probe_text() {
  std::vector<std::string> words;
  for (int64_t id = Vocabulary::special_count; id < probe_vocabulary; ++id)
    words.push_back(std::to_string(id));
  const auto codec = std::make_shared<const TextCodec>(WhitespaceTokenizerOptions{}, NormalizationOptions{},
                                                       "", Vocabulary(words));
  return {codec, codec, {}};
}

TranslationModel fresh_model(const TrainOptions& options, const Corpus* corpus, uint64_t seed) {
  return corpus != nullptr ? new_model(options, *corpus, seed)
                           : untrained_model(options, probe_text(), mix_seed({seed}));
}

GradientFlow simple_rnn_flow(const GradientFlowOptions& options) {
  SimpleRnn rnn(simple_rnn_inputs, options.simple_rnn, 1);
  at::Generator generator = at::detail::createCPUGenerator(static_cast<uint64_t>(options.seed));
  {
    const at::NoGradGuard no_grad;
    for (Tensor& parameter : rnn->parameters())
      parameter.uniform_(-options.simple_rnn_range, options.simple_rnn_range, generator);
  }
  const Tensor words =
      at::randint(simple_rnn_inputs, {options.sentences, options.probe_length}, generator, at::kLong);
  return gradient_flow(rnn, at::one_hot(words, simple_rnn_inputs).to(at::kFloat));
}

/// The distances to print: all of the first ones, then fewer and fewer, and the last.
std::vector<size_t> shown_distances(size_t count) {
  std::vector<size_t> shown;
  size_t step = 1;
  for (size_t distance = 0; distance < count; distance += step) {
    shown.push_back(distance);
    if (distance + step >= 10 * step) step = distance % (5 * step) == 0 ? 5 * step : step;
  }
  if (!shown.empty() && shown.back() + 1 != count) shown.push_back(count - 1);
  return shown;
}

}  // namespace

void check(const GradientFlowOptions& options, const std::vector<std::string>& models) {
  if (!options.wanted) return;
  if (models.empty() && options.fresh.empty() && options.simple_rnn == 0)
    throw UsageError("--gradient-flow", "has nothing to measure", "add --model, --fresh or --simple-rnn");
  if (!options.files.empty()) {
    check_pair_files(options.files);
    if (options.simple_rnn > 0)
      throw UsageError("--simple-rnn", "reads the probe, not text", "leave out the text or --simple-rnn");
  }
  if (options.probe_distance >= options.probe_length)
    throw UsageError("--probe-distance", fmt::format("{} lies before the first word", options.probe_distance),
                     fmt::format("at most {}, or a larger --probe-length", options.probe_length - 1));
  if (!options.plot.empty()) {
    if (!options.plot.ends_with(".svg"))
      throw UsageError("--plot", "'" + options.plot + "' is not an .svg file", "name one");
    check_files(files_of(options.files), {{"--plot", options.plot}});
  }
}

std::vector<NamedFlow> measure_gradient_flow(const GradientFlowOptions& options,
                                             const std::vector<std::string>& models) {
  std::unique_ptr<Corpus> corpus;
  if (!options.files.empty()) corpus = std::make_unique<Corpus>(options.files);
  std::vector<NamedFlow> flows;
  if (options.simple_rnn > 0) flows.push_back({"simple RNN", simple_rnn_flow(options)});
  const auto measure = [&](const std::string& path, TranslationModel model) {
    flows.push_back(
        {name_of(path), gradient_flow(model.model, batch_of(examples_for(options, model, corpus.get())))});
  };
  for (const std::string& path : options.fresh)
    measure(path, fresh_model(read_configuration(path), corpus.get(), static_cast<uint64_t>(options.seed)));
  for (const std::string& path : models) measure(path, load_model(path));
  return flows;
}

std::string gradient_flow_table(const std::vector<NamedFlow>& flows, double clip_norm) {
  constexpr size_t longest = 18;
  size_t width = 10, distances = 0;
  for (const auto& [name, flow] : flows) {
    width = std::max(width, std::min(name.size(), longest) + 2);
    distances = std::max(distances, flow.norms.size());
  }
  std::string text = fmt::format("{:<16}", "steps back");
  for (const auto& [name, flow] : flows) text += fmt::format("{:>{}}", name.substr(0, longest), width);
  text += "\n";
  const auto row = [&](const std::string& name, const auto& value_of) {
    text += fmt::format("{:<16}", name);
    for (const auto& [_, flow] : flows) text += fmt::format("{:>{}}", value_of(flow), width);
    text += "\n";
  };
  for (const size_t distance : shown_distances(distances))
    row(std::to_string(distance), [&](const GradientFlow& flow) {
      return distance < flow.norms.size() ? fmt::format("{:.2e}", flow.norms[distance]) : std::string();
    });
  row("weights", [](const GradientFlow& flow) { return fmt::format("{:.2e}", flow.parameter_norm); });
  if (clip_norm > 0)
    row(fmt::format("clipped at {:g}", clip_norm), [&](const GradientFlow& flow) {
      const double factor = clip_factor(flow, clip_norm);
      return factor < 1 ? fmt::format("x {:.1e}", factor) : std::string("-");
    });
  return text;
}

Json gradient_flow_json(const std::vector<NamedFlow>& flows, double clip_norm) {
  Json result = Json::array();
  for (const auto& [name, flow] : flows)
    result.push_back({{"name", name},
                      {"norms", flow.norms},
                      {"target-steps", flow.target_steps},
                      {"parameter-norm", flow.parameter_norm},
                      {"clip-factor", clip_factor(flow, clip_norm)}});
  return result;
}

}  // namespace seq2seq
