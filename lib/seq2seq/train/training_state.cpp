#include "seq2seq/train/training_state.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <bit>
#include <cmath>
#include <fstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/model/archive/stored_pickle.h"
#include "seq2seq/model/archive/zip_file.h"

namespace seq2seq {
namespace {

constexpr int64_t state_format = 1;

// Doubles are stored as their bits: resuming must be exact.
template <class Archive>
void visit_progress(Progress& p, Archive&& field) {
  field("updates", p.updates);
  field("epoch", p.position.epoch);
  field("window-begin", p.position.window_begin);
  field("batch", p.position.batch);
  field("training-pairs", p.training_pairs);
  field("held-out-rule", p.held_out_rule);
  field("interval-loss", p.interval.loss);
  field("interval-nll", p.interval.negative_log_likelihood);
  field("interval-coverage-loss", p.interval.coverage_loss);
  field("interval-seconds", p.interval.seconds);
  field("interval-waited-seconds", p.interval.waited_seconds);
  field("interval-norm", p.interval.gradient_norm);
  field("interval-target-tokens", p.interval.target_tokens);
  field("interval-updates", p.interval.updates);
  field("plateau-scale", p.schedule.plateau_scale);
  field("plateau-stalled", p.schedule.stalled_validations);
  field("target-tokens", p.target_tokens);
  field("training-seconds", p.training_seconds);
  field("best-score", p.best_score);
  field("best-update", p.best_update);
  field("stalled-validations", p.stalled_validations);
  field("validated-update", p.validated_update);
  if (!p.counted) return;
  field("pairs-kept", p.counted->kept);
  field("pairs-empty", p.counted->empty);
  field("pairs-too-long", p.counted->too_long);
  field("pairs-of-unlike-lengths", p.counted->ratio);
  field("pairs-duplicate", p.counted->duplicate);
  field("pairs-held-out", p.counted->held_out);
  field("pairs-held-out-copies", p.counted->held_out_copies);
}

std::string progress_to_json(Progress progress) {
  Json json;
  json["format"] = state_format;
  visit_progress(progress, [&](const char* name, auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>)
      json[name] = std::bit_cast<uint64_t>(value);
    else if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>)
      json[name] = static_cast<int64_t>(value);
    else
      json[name] = value;
  });
  return dump_json(json);
}

Progress progress_from_json(const std::string& text, const std::string& origin) {
  const Json json = parse_json(text, origin);
  const auto damaged = [&] {
    return Error(origin, "is not a training state of this version",
                 "begin a new run with "
                 "--initialize-from this checkpoint");
  };
  if (!json.is_object()) throw damaged();
  if (whole_number_at(json, "format", 0) > state_format)
    throw Error(origin, "was written by a newer seq2seq (format " + json["format"].dump() + ")",
                "update seq2seq");
  Progress progress;
  if (!json.contains("pairs-kept")) progress.counted.reset();
  visit_progress(progress, [&](const char* name, auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, HeldOutRule>) {  // earlier versions had one alone
      const int64_t rule = whole_number_at(json, name, static_cast<int64_t>(HeldOutRule::any));
      value = rule == static_cast<int64_t>(HeldOutRule::any) ? HeldOutRule::any : HeldOutRule::usable_pairs;
      return;
    }
    // Earlier versions did not count these: the counts start here.
    const std::string_view key = name;
    if (!json.contains(name) && (key == "target-tokens" || key == "interval-waited-seconds")) return;
    if (!json.contains(name) || !json[name].is_number_integer()) throw damaged();
    if constexpr (std::is_same_v<Value, double>)
      value = std::bit_cast<double>(json.at(name).get<uint64_t>());
    else
      value = json.at(name).get<Value>();
  });
  return progress;
}

// The dictionary at that place of the pair that a state is.
const std::vector<PickledValue>& dictionary_of(const StoredPickle& pickle, size_t place) {
  const PickledNode* pair = node_of(pickle.root(), PickledNode::Kind::tuple);
  const PickledNode* found = pair == nullptr || pair->items.size() != 2
                                 ? nullptr
                                 : node_of(pair->items[place], PickledNode::Kind::dictionary);
  if (found == nullptr) throw PickleError("it is no pair of dictionaries");
  return found->items;
}

NamedTensors tensors_from(StoredPickle& pickle) {
  NamedTensors tensors;
  const auto& items = dictionary_of(pickle, 1);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto* name = std::get_if<std::string_view>(&items[i]);
    const auto* tensor = std::get_if<const PickledTensor*>(&items[i + 1]);
    if (name == nullptr || tensor == nullptr) throw PickleError("it holds what is no tensor with a name");
    tensors[std::string(*name)] = pickle.tensor(**tensor);
  }
  return tensors;
}

std::string progress_from(const StoredPickle& pickle) {
  const auto& items = dictionary_of(pickle, 0);
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (const auto* name = std::get_if<std::string_view>(&items[i]),
        *text = std::get_if<std::string_view>(&items[i + 1]);
        name != nullptr && text != nullptr && *name == "progress")
      return std::string(*text);
  throw PickleError("it has no progress");
}

}  // namespace

void Progress::count(const UpdateResult& update, double seconds, double waited_seconds) {
  ++updates;
  target_tokens += update.sums.target_tokens;
  training_seconds += seconds;
  interval.loss += update.sums.loss;
  interval.negative_log_likelihood += update.sums.negative_log_likelihood;
  interval.coverage_loss += update.sums.coverage_loss;
  interval.gradient_norm += update.gradient_norm;
  interval.target_tokens += update.sums.target_tokens;
  interval.seconds += seconds;
  interval.waited_seconds += waited_seconds;
  ++interval.updates;
}

bool Progress::is_best(double score, bool larger_is_better) const {
  const bool first = best_update < 0;
  return std::isfinite(score) && (first || (larger_is_better ? score > best_score : score < best_score));
}

bool Progress::count_validation(double score, bool larger_is_better) {
  const bool best = is_best(score, larger_is_better);
  if (best) {
    best_score = score;
    best_update = updates;
  }
  stalled_validations = best ? 0 : stalled_validations + 1;
  validated_update = updates;
  return best;
}

void Progress::begin_epoch_again(int64_t pairs) {
  position = {.epoch = position.epoch};
  training_pairs = pairs;
  held_out_rule = HeldOutRule::usable_pairs;
  if (counted) counted = FilterCounts{};
}

void Progress::forget_validations() {
  best_update = validated_update = -1;
  best_score = 0;
  stalled_validations = schedule.stalled_validations = 0;
}

void save_training_state(const TrainingState& state, const std::filesystem::path& path) {
  c10::Dict<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : state.tensors) tensors.insert(name, tensor.detach().cpu());
  c10::Dict<std::string, std::string> texts;
  texts.insert("progress", progress_to_json(state.progress));
  const std::vector<char> bytes = torch::jit::pickle_save(c10::ivalue::Tuple::create({texts, tensors}));
  write_file(path, std::string_view(bytes.data(), bytes.size()));
}

TrainingState load_training_state(const std::filesystem::path& path) {
  if (!std::ifstream(path))
    throw Error(path.string(), "cannot be opened (" + system_reason() + ")", "check the path");
  const auto damaged = [&](const std::string& reason) {
    return Error(path.string(), "is not a training state, or is damaged (" + reason + ")",
                 "resume from another checkpoint: point `last` at it");
  };
  TrainingState state;
  std::string progress;
  try {
    const ZipFile zip(path);
    zip.check_data();
    StoredPickle pickle(zip, "data.pkl");
    state.tensors = tensors_from(pickle);
    progress = progress_from(pickle);
  } catch (const Error&) {
    throw damaged("not a whole zip file");
  } catch (const PickleError& error) {
    throw damaged(error.what());
  }
  try {
    state.progress = progress_from_json(progress, path.string());
  } catch (const Json::exception&) {
    throw damaged("its progress is malformed");
  }
  return state;
}

}  // namespace seq2seq
