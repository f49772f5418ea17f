#include "seq2seq/decode/script_model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/model/archive/archive.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr double rounding = 1e-4;  // of sums of probabilities in float32 or less
constexpr const char* manual = "docs/archives.md shows what an archive must offer";

struct Method {
  const char* name;
  const char* signature;
};
constexpr Method methods[] = {
    {"encode", "(Tensor, Tensor) -> Tensor[]"},
    {"start", "(Tensor[]) -> Tensor[]"},
    {"step", "(Tensor[], Tensor, Tensor[]) -> (Tensor, Tensor, Tensor[])"},
};

// Argument and return types alone: (Tensor, Tensor) -> Tensor[]
std::string signature_of(const c10::FunctionSchema& schema) {
  std::ostringstream text;
  text << "(";
  for (size_t i = 1; i < schema.arguments().size(); ++i)  // after `self`
    text << (i > 1 ? ", " : "") << schema.arguments()[i].type()->str();
  text << ") -> " << schema.returns().at(0).type()->str();
  return text.str();
}

// The line that names the cause among the many lines of an error message of LibTorch, shortened.
std::string reason_of(const std::exception& error) {
  const auto* ours = dynamic_cast<const c10::Error*>(&error);
  std::istringstream lines(ours != nullptr ? ours->what_without_backtrace() : error.what());
  std::string first, named;
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line.starts_with("The following operation failed") ||
        line.starts_with("Traceback"))
      continue;
    if (first.empty()) first = line.substr(begin);
    const size_t colon = line.find("Error: ");
    if (colon != std::string::npos) named = line.substr(line.rfind(' ', colon) + 1);  // the last is the cause
  }
  return (named.empty() ? first : named).substr(0, 300);
}

std::string described(const Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes() << " " << c10::toString(tensor.scalar_type());
  return text.str();
}

}  // namespace

ScriptModel::ScriptModel(const std::filesystem::path& path, int64_t source_vocabulary,
                         int64_t target_vocabulary, const at::Device& device)
    : path_(path.string()), target_vocabulary_(target_vocabulary), device_(device) {
  check_archive(path);
  try {
    module_ = std::make_unique<torch::jit::Module>(torch::jit::load(path_, device));
  } catch (const std::exception& e) {
    throw Error(path_, "cannot be loaded by TorchScript: " + reason_of(e),
                "export it with torch.jit.script or torch.jit.trace and save()");
  }
  module_->eval();
  check_signatures();
  const at::NoGradGuard no_gradients;
  try_out(source_vocabulary);
}

ScriptModel::ScriptModel(const ScriptModel& other, torch::jit::Module module)
    : path_(other.path_),
      module_(std::make_unique<torch::jit::Module>(std::move(module))),
      target_vocabulary_(other.target_vocabulary_),
      device_(other.device_),
      has_attention_(other.has_attention_),
      copies_(other.copies_),
      warned_(other.warned_) {}

ScriptModel::~ScriptModel() = default;

void ScriptModel::check_signatures() const {
  for (const Method& method : methods) {
    const auto found = module_->find_method(method.name);
    if (!found) throw Error(path_, std::string("has no method '") + method.name + "'", manual);
    const std::string signature = signature_of(found->function().getSchema());
    if (signature != method.signature)
      throw Error(
          path_,
          std::string("its method '") + method.name + "' is " + signature + ", not " + method.signature,
          manual);
  }
}

void ScriptModel::need(bool holds, const std::string& problem) const {
  if (!holds) throw Error(path_, problem, manual);
}

void ScriptModel::need_rows(const std::vector<Tensor>& list, int64_t rows, const char* method) const {
  need(!list.empty(), std::string("its method '") + method + "' gives an empty list");
  for (const Tensor& tensor : list)
    need(tensor.dim() >= 1 && tensor.size(0) == rows,
         std::string("its method '") + method + "' gives a tensor " + described(tensor) + " for " +
             std::to_string(rows) + " sentences: it must have a row for each");
}

/// Checks shapes and values with two batch sizes and source lengths, in case tracing has fixed one of them.
void ScriptModel::try_out(int64_t source_vocabulary) {
  const int64_t word = std::min(Vocabulary::special_count, source_vocabulary - 1), end = Vocabulary::end;
  const Tensor three = at::tensor({word, word, word, end, word, end, 0L, 0L, word, word, end, 0L}, at::kLong);
  const SourceBatch batches[] = {
      {three.view({3, 4}), at::tensor({4, 2, 3}, at::kLong)},
      {at::tensor({word, end}, at::kLong).view({1, 2}), at::tensor({2}, at::kLong)}};
  bool first = true;
  for (const SourceBatch& source : batches) {
    const int64_t rows = source.ids.size(0), width = source.ids.size(1);
    const auto memory = encode(source);
    State state(start(memory));
    for (const int64_t token :
         {Vocabulary::begin, std::min(Vocabulary::special_count, target_vocabulary_ - 1)}) {
      Result result = step(memory, at::full({rows}, token, at::kLong), state, width);
      if (first) {
        copies_ = result.copies;
        has_attention_ = result.has_attention;
      }
      first = false;
      need(result.copies == copies_ && result.has_attention == has_attention_,
           "its method 'step' copies, or has attention, for some sentences only");
      for (const double sum : result.sums) {
        need(!std::isnan(sum), "the log-probabilities of its method 'step' are not numbers (NaN)");
        need(std::abs(sum - 1) <= renormalized_within,
             fmt::format("the log-probabilities of its method 'step' are not those of a distribution: their "
                         "exponentials add up to {:.4g}, but must add up to 1",
                         sum));
      }
      state = std::move(result.next);
    }
  }
}

at::IValue ScriptModel::call(const char* method, std::vector<at::IValue> inputs) const {
  // Optimizing for the shapes of each call takes longer than the call.
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    return module_->get_method(method)(std::move(inputs));
  } catch (const std::exception& e) {
    throw Error(path_, std::string("its method '") + method + "' fails: " + reason_of(e), manual);
  }
}

std::vector<Tensor> ScriptModel::encode(const SourceBatch& source) const {
  auto memory = call("encode", {source.ids.to(device_), source.lengths.to(device_)}).toTensorVector();
  need_rows(memory, source.ids.size(0), "encode");
  return memory;
}

std::vector<Tensor> ScriptModel::start(const std::vector<Tensor>& memory) const {
  auto state = call("start", {c10::List<Tensor>(memory)}).toTensorVector();
  need_rows(state, memory.front().size(0), "start");
  return state;
}

ScriptModel::Result ScriptModel::step(const std::vector<Tensor>& memory, const Tensor& tokens,
                                      const State& state, int64_t width) const {
  const auto result =
      call("step", {c10::List<Tensor>(memory), tokens.to(device_), c10::List<Tensor>(state.tensors)})
          .toTuple();
  const auto& parts = result->elements();
  Result next{parts[0].toTensor(), parts[1].toTensor(), State(parts[2].toTensorVector()), {}};
  const int64_t rows = tokens.size(0),
                words = next.log_probabilities.dim() == 2 ? next.log_probabilities.size(1) : -1,
                looked = next.attention.dim() == 2 ? next.attention.size(1) : -1;
  const std::string sentences =
      " for " + std::to_string(rows) + " sentences of " + std::to_string(width) + " ids";
  const auto fits = [&](const Tensor& tensor, int64_t actual, int64_t expected) {
    return tensor.dim() == 2 && tensor.size(0) == rows && tensor.is_floating_point() && actual == expected;
  };
  need(fits(next.log_probabilities, words, target_vocabulary_) ||
           fits(next.log_probabilities, words, target_vocabulary_ + width),
       "its method 'step' gives log-probabilities " + described(next.log_probabilities) + sentences +
           " and a target vocabulary of " + std::to_string(target_vocabulary_) + ": they must be [" +
           std::to_string(rows) + ", " + std::to_string(target_vocabulary_) + "], or with copying [" +
           std::to_string(rows) + ", " + std::to_string(target_vocabulary_ + width) + "]");
  need(fits(next.attention, looked, 0) || fits(next.attention, looked, width),
       "its method 'step' gives attention " + described(next.attention) + sentences + ": it must be [" +
           std::to_string(rows) + ", " + std::to_string(width) + "], or [" + std::to_string(rows) +
           ", 0] without attention");
  need_rows(next.next.tensors, rows, "step");
  need(next.next.tensors.size() == state.tensors.size(),
       "its method 'step' gives a state of " + std::to_string(next.next.tensors.size()) +
           " tensors, and gets one of " + std::to_string(state.tensors.size()));
  renormalize(next);
  next.copies = words != target_vocabulary_;
  next.has_attention = looked != 0;
  return next;
}

/// Sets `sums`. The first that is not 1 is told.
void ScriptModel::renormalize(Result& result) const {
  const Tensor all = result.log_probabilities.to(at::kDouble), logarithms = all.logsumexp(1, true);
  result.log_probabilities = (all - logarithms).to(result.log_probabilities.scalar_type());
  const Tensor sums = logarithms.squeeze(1).exp().to(at::kCPU).contiguous();
  result.sums.assign(sums.const_data_ptr<double>(), sums.const_data_ptr<double>() + sums.numel());
  const auto wrong = std::find_if(result.sums.begin(), result.sums.end(), [](double sum) {
    return std::abs(sum - 1) > rounding && std::abs(sum - 1) <= renormalized_within;
  });
  if (wrong != result.sums.end() && !warned_->exchange(true))
    log_warning(fmt::format(
        "{}: the probabilities of its method 'step' add up to {:.6g}, and are renormalized", path_, *wrong));
}

std::shared_ptr<ScriptModel> ScriptModel::for_another_thread() const {
  return std::shared_ptr<ScriptModel>(new ScriptModel(*this, module_->clone()));
}

void ScriptScorer::begin(const SourceBatch& source) {
  const PartScope timed(Part::encoder);
  width_ = source.ids.size(1);
  memory_ = repeated_ = Rows{model_->encode(source)};
  repetitions_ = 1;
}

State ScriptScorer::start() {
  const PartScope timed(Part::framework);
  return State(model_->start(memory_.tensors));
}

Distribution ScriptScorer::distribution(const Tensor& tokens, State& state) {
  const PartScope timed(Part::framework);
  const int64_t sentences = memory_.count(), repetitions = state.count() / sentences;
  if (repetitions != repetitions_ || repeated_.count() != state.count()) {
    const Tensor rows = at::arange(sentences, at::TensorOptions(at::kLong).device(device()));
    repeated_ = Rows{memory_.selected(rows.repeat_interleave(repetitions))};
    repetitions_ = repetitions;
  }
  ScriptModel::Result result = model_->step(repeated_.tensors, tokens, state, width_);
  state = std::move(result.next);
  sums_ = std::move(result.sums);
  return {std::move(result.log_probabilities), std::move(result.attention)};
}

void ScriptScorer::keep_sentences(const Tensor& rows) {
  const PartScope timed(Part::framework);
  memory_ = Rows{memory_.selected(rows)};
  repetitions_ = 0;  // recompute `repeated_`
}

}  // namespace seq2seq
