#include "seq2seq/decode/script_model.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <sstream>

#include "seq2seq/core/error.h"
#include "seq2seq/model/archive.h"
#include "seq2seq/nn/top_k.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

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

// Types alone: (Tensor, Tensor) -> Tensor[]
std::string signature_of(const c10::FunctionSchema& schema) {
  std::ostringstream text;
  text << "(";
  for (size_t i = 1; i < schema.arguments().size(); ++i)  // behind `self`
    text << (i > 1 ? ", " : "") << schema.arguments()[i].type()->str();
  text << ") -> " << schema.returns().at(0).type()->str();
  return text.str();
}

// Errors of LibTorch are many lines: what it says of itself, places in the code, and a reason among them.
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

/// Two sentences of two words and one tell what the types do not.
void ScriptModel::try_out(int64_t source_vocabulary) {
  const int64_t word = std::min(Vocabulary::special_count, source_vocabulary - 1);
  const SourceBatch source{
      at::tensor({word, word, Vocabulary::end, word, Vocabulary::end, Vocabulary::padding}, at::kLong)
          .view({2, 3}),
      at::tensor({3, 2}, at::kLong)};
  const auto need = [&](bool holds, const std::string& problem) {
    if (!holds) throw Error(path_, problem, manual);
  };
  const auto need_rows = [&](const std::vector<Tensor>& list, const std::string& what) {
    need(!list.empty(), what + " gives an empty list");
    for (const Tensor& tensor : list)
      need(tensor.dim() >= 1 && tensor.size(0) == 2,
           what + " gives a tensor " + described(tensor) + " for 2 sentences: it must have a row for each");
  };
  const auto memory = encode(source);
  need_rows(memory, "its method 'encode'");
  State state(start(memory));
  need_rows(state.tensors, "its method 'start'");
  const int64_t steps[] = {Vocabulary::begin, std::min(Vocabulary::special_count, target_vocabulary_ - 1)};
  for (const int64_t token : steps) {
    Result result = step(memory, at::full({2}, token, at::kLong), state);
    const Tensor& scores = result.log_probabilities;
    const int64_t width = source.ids.size(1);
    need(scores.dim() == 2 && scores.size(0) == 2 && scores.is_floating_point() &&
             (scores.size(1) == target_vocabulary_ || scores.size(1) == target_vocabulary_ + width),
         "its method 'step' gives log-probabilities " + described(scores) + " for 2 sentences of " +
             std::to_string(width) + " ids and a target vocabulary of " + std::to_string(target_vocabulary_) +
             ": they must be [2, " + std::to_string(target_vocabulary_) + "], or [2, " +
             std::to_string(target_vocabulary_ + width) + "] with copying");
    const double sum = scores.to(at::kDouble).logsumexp(1).abs().max().item<double>();
    need(sum < 1e-2,
         "the log-probabilities of its method 'step' are not those of a distribution: their exponentials "
         "must add up to 1");
    copies_ = scores.size(1) != target_vocabulary_;
    need(result.attention.dim() == 2 && result.attention.size(0) == 2 &&
             result.attention.is_floating_point() &&
             (result.attention.size(1) == 0 || result.attention.size(1) == width),
         "its method 'step' gives attention " + described(result.attention) + " for 2 sentences of " +
             std::to_string(width) + " ids: it must be [2, " + std::to_string(width) +
             "], or [2, 0] without attention");
    has_attention_ = result.attention.size(1) > 0;
    need_rows(result.next.tensors, "its method 'step'");
    need(result.next.tensors.size() == state.tensors.size(),
         "its method 'step' gives a state of " + std::to_string(result.next.tensors.size()) +
             " tensors, 'start' one of " + std::to_string(state.tensors.size()));
    state = std::move(result.next);
  }
}

at::IValue ScriptModel::call(const char* method, std::vector<at::IValue> inputs) const {
  // Optimising for the shapes of each call takes longer than the call.
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    return module_->get_method(method)(std::move(inputs));
  } catch (const std::exception& e) {
    throw Error(path_, std::string("its method '") + method + "' fails: " + reason_of(e), manual);
  }
}

std::vector<Tensor> ScriptModel::encode(const SourceBatch& source) const {
  return call("encode", {source.ids.to(device_), source.lengths.to(device_)}).toTensorVector();
}

std::vector<Tensor> ScriptModel::start(const std::vector<Tensor>& memory) const {
  return call("start", {c10::List<Tensor>(memory)}).toTensorVector();
}

ScriptModel::Result ScriptModel::step(const std::vector<Tensor>& memory, const Tensor& tokens,
                                      const State& state) const {
  const auto result =
      call("step", {c10::List<Tensor>(memory), tokens.to(device_), c10::List<Tensor>(state.tensors)})
          .toTuple();
  const auto& parts = result->elements();
  return {parts[0].toTensor(), parts[1].toTensor(), State(parts[2].toTensorVector())};
}

void ScriptScorer::begin(const SourceBatch& source) {
  width_ = source.ids.size(1);
  memory_ = repeated_ = Rows{model_->encode(source)};
  repetitions_ = 1;
}

State ScriptScorer::start() {
  return State(model_->start(memory_.tensors));
}

Expansion ScriptScorer::advance(const Tensor& tokens, State& state, int64_t k,
                                const std::vector<int64_t>& banned) {
  const int64_t sentences = memory_.count(), repetitions = state.count() / sentences;
  if (repetitions != repetitions_ || repeated_.count() != state.count()) {
    const Tensor rows = at::arange(sentences, at::TensorOptions(at::kLong).device(device()));
    repeated_ = Rows{memory_.selected(rows.repeat_interleave(repetitions))};
    repetitions_ = repetitions;
  }
  ScriptModel::Result result = model_->step(repeated_.tensors, tokens, state);
  state = std::move(result.next);
  const Tensor& scores = result.log_probabilities;
  const auto type = scores.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  TopK top = top_k_log_softmax(scores.to(type, /*non_blocking=*/false, /*copy=*/true).contiguous(), k, banned,
                               Vocabulary::end);
  return {{top.log_probabilities, top.indices, top.watched}, result.attention};
}

void ScriptScorer::keep_sentences(const Tensor& rows) {
  memory_ = Rows{memory_.selected(rows)};
  repetitions_ = 0;  // repeat anew
}

}  // namespace seq2seq
